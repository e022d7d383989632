"""Where the tweaks of the bursts in flight wait for their data."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from .ports import tweak_result_layout

__all__ = ["TweakStore"]


class TweakStore(Component):
    """One tweak for each of a table's entries, and whether it has come.

    Latency: a tweak written in cycle *t* is ready from *t* + 1; reading is combinational. Throughput:
    one written, one forgotten and one read a cycle.

    Parameters
    ----------
    entries : :class:`int`
        Number of entries.

    Members
    -------
    i : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
        A tweak that has come.
    forget : ``In(1)``
        Marks the tweak of ``forget_index`` as not there yet.
    forget_index, index : ``In(range(entries))``
    is_ready : ``Out(1)``
        Whether the tweak of ``index`` is there.
    tweak : ``Out(128)``
        The tweak of ``index``.
    """

    def __init__(self, *, entries: int) -> None:
        self.entries = entries
        super().__init__({
            "i": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "forget": In(1),
            "forget_index": In(range(entries)),
            "index": In(range(entries)),
            "is_ready": Out(1),
            "tweak": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(128), depth=self.entries, init=[])
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        there = Signal(self.entries)
        m.d.comb += [
            write.addr.eq(self.i.payload.index),
            write.data.eq(self.i.payload.tweak),
            write.en.eq(self.i.valid),
            read.addr.eq(self.index),
            self.tweak.eq(read.data),
            self.is_ready.eq(there.bit_select(self.index, 1)),
        ]
        with m.If(self.forget):
            m.d.sync += there.bit_select(self.forget_index, 1).eq(0)
        with m.If(self.i.valid):
            m.d.sync += there.bit_select(self.i.payload.index, 1).eq(1)
        return m
