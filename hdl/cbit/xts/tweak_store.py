"""Where the tweaks of the bursts in flight wait for their data."""

from amaranth import Module
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from .ports import tweak_result_layout

__all__ = ["TweakStore"]


class TweakStore(Component):
    """One tweak for each of a table's entries, and whether it has come.

    Latency: a tweak written in cycle *t* is ready from *t* + 1; reading is combinational, through
    distributed RAM. Throughput: one written, one forgotten and one read a cycle.

    An entry is forgotten when it is given to a burst, and not given to another before its tweak has
    come.

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
    there : ``Out(entries)``
        A bit for each entry: whether its tweak is there.
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
            "there": Out(entries),
            "tweak": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(128), depth=self.entries, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(self.i.valid),
            write.addr.eq(self.i.payload.index),
            write.data.eq(self.i.payload.tweak),
            read.addr.eq(self.index),
            self.tweak.eq(read.data),
        ]
        for index in range(self.entries):
            with m.If(self.i.valid & (self.i.payload.index == index)):
                m.d.sync += self.there[index].eq(1)
            with m.Elif(self.forget & (self.forget_index == index)):
                m.d.sync += self.there[index].eq(0)
        return m
