"""Where the tweaks of the bursts in flight wait for their data."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.stage import Stage

from .ports import tweak_result_layout

__all__ = ["TweakStore"]


class TweakStore(Component):
    """One tweak for each of a table's entries, and whether it has come.

    Latency: a tweak written in cycle *t* is there from *t* + 1 and reading is combinational, through
    distributed RAM; or if ``pipelined`` it is there from *t* + 2 and reading takes a cycle, through block
    RAM. Throughput: one written, one forgotten and one read a cycle.

    An entry is forgotten when it is given to a burst, and not given to another before its tweak is there.

    Parameters
    ----------
    entries : :class:`int`
        Number of entries.
    pipelined : :class:`bool`
        Whether ``index`` is given a cycle ahead, and a register parts what comes from what is there.

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
        The tweak of ``index``, once it is there; if ``pipelined``, of the ``index`` of the cycle before.
    fault : ``Out(1)``
        Whether it was made with a faulty round key.
    """

    def __init__(self, *, entries: int, pipelined: bool) -> None:
        self.entries = entries
        self.pipelined = pipelined
        super().__init__({
            "i": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "forget": In(1),
            "forget_index": In(range(entries)),
            "index": In(range(entries)),
            "there": Out(entries),
            "tweak": Out(128),
            "fault": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # What is read in the cycle of its writing is not there yet, so synthesis need not care what would come.
        m.submodules.memory = memory = Memory(shape=unsigned(129), depth=self.entries, init=[],
                                              attrs={"no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        # Not reset: it follows the memory, which is not either.
        taken = Signal(129, reset_less=True)
        m.d["sync" if self.pipelined else "comb"] += taken.eq(read.data)
        m.d.comb += [
            write.en.eq(self.i.valid),
            write.addr.eq(self.i.payload.index),
            write.data.eq(Cat(self.i.payload.tweak, self.i.payload.fault)),
            read.addr.eq(self.index),
            Cat(self.tweak, self.fault).eq(taken),
        ]
        m.submodules.come = come = Stage(shape=StructLayout({"valid": 1, "index": range(self.entries)}),
                                         registered=self.pipelined)
        m.d.comb += [
            come.advance.eq(1),
            come.i.valid.eq(self.i.valid),
            come.i.index.eq(self.i.payload.index),
        ]
        for index in range(self.entries):
            with m.If(come.o.valid & (come.o.index == index)):
                m.d.sync += self.there[index].eq(1)
            with m.Elif(self.forget & (self.forget_index == index)):
                m.d.sync += self.there[index].eq(0)
        return m
