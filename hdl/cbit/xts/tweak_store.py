"""Where the tweaks of the bursts in flight wait for their data."""

from amaranth import Module, Signal
from amaranth.hdl import ValueLike, unsigned
from amaranth.lib import stream
from amaranth.lib.memory import Memory, WritePort
from amaranth.lib.wiring import Component, In, Out

from .ports import tweak_result_layout

__all__ = ["TweakStore"]


class TweakStore(Component):
    """One tweak for each of a table's entries, and whether it has come.

    Latency: a tweak written in cycle *t* is ready from *t* + 1; reading is combinational, through
    distributed RAM. Throughput: one written, one forgotten and one read a cycle.

    An entry is forgotten when it is given to a burst, and not given to another before its tweak has
    come. Before its first burst ``is_ready`` says nothing about it.

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
    forget_index, index, next_index : ``In(range(entries))``
    is_ready, next_is_ready : ``Out(1)``
        Whether the tweak of ``index`` is there, and that of ``next_index``.
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
            "next_index": In(range(entries)),
            "is_ready": Out(1),
            "next_is_ready": Out(1),
            "tweak": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(128), depth=self.entries, init=[])
        # A tweak is there if its two marks are equal: two memories with a writer each are smaller than a register
        # for each entry with two. Each writer makes of the other's mark what it wants the two to be.
        m.submodules.came = came = Memory(shape=unsigned(1), depth=self.entries, init=[])
        m.submodules.forgot = forgot = Memory(shape=unsigned(1), depth=self.entries, init=[])
        arriving = self.i.payload
        self._write(m, memory.write_port(), self.i.valid, arriving.index, arriving.tweak)
        self._write(m, came.write_port(), self.i.valid, arriving.index, self._read(m, forgot, arriving.index))
        self._write(m, forgot.write_port(), self.forget, self.forget_index, ~self._read(m, came, self.forget_index))
        m.d.comb += [
            self.tweak.eq(self._read(m, memory, self.index)),
            *(is_ready.eq(self._read(m, came, index) == self._read(m, forgot, index)) for is_ready, index in (
                (self.is_ready, self.index), (self.next_is_ready, self.next_index))),
        ]
        return m

    @staticmethod
    def _write(m: Module, port: WritePort, enable: ValueLike, index: Signal, value: ValueLike) -> None:
        m.d.comb += [port.en.eq(enable), port.addr.eq(index), port.data.eq(value)]

    @staticmethod
    def _read(m: Module, memory: Memory, index: Signal) -> Signal:
        port = memory.read_port(domain="comb")
        m.d.comb += port.addr.eq(index)
        return port.data
