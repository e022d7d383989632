"""The answers to denied reads."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response, read_data_layout

__all__ = ["DeniedReads", "denied_read_layout"]

TURNS = 2


def denied_read_layout(*, id_width: int) -> StructLayout:
    """A denied read: the answer has ``len + 1`` beats."""
    return StructLayout({"id": unsigned(id_width), "len": unsigned(8), "resp": Response})


class DeniedReads(Component):
    """Answers a denied read with all ones and its error in every beat, after all reads taken before it.

    Latency: the first beat comes three cycles after the read is taken if nothing else is in flight.
    Throughput: one beat a cycle; one denied read at a time. Stalls: a beat stays while ``o`` waits.

    Parameters
    ----------
    id_width, data_width : :class:`int`
        Widths of an ID and of a beat.

    Members
    -------
    i : ``In(stream.Signature(denied_read_layout(...)))``
        Later reads of its ID must wait while ``is_busy``.
    o : ``Out(stream.Signature(read_data_layout(...)))``
    is_busy : ``Out(1)``
        High while a denied read is being answered.
    id : ``Out(id_width)``
        That read's ID.
    turns : ``In(1)``
        As in :class:`~cbit.read.generations.Generations` of the reads in flight.
    """

    def __init__(self, *, id_width: int, data_width: int) -> None:
        self.layout = denied_read_layout(id_width=id_width)
        super().__init__({
            "i": In(stream.Signature(self.layout)),
            "o": Out(stream.Signature(read_data_layout(id_width, data_width))),
            "is_busy": Out(1),
            "id": Out(id_width),
            "turns": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        denied = Signal(self.layout)
        turns_left = Signal(range(TURNS + 1))
        beat = self.o.payload
        # Registers of their own, lest who takes the beats wait for comparisons.
        answers, is_last = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~self.is_busy),
            self.id.eq(denied.id),
            self.o.valid.eq(answers),
            beat.id.eq(denied.id),
            beat.data.eq(~0),
            beat.resp.eq(denied.resp),
            beat.last.eq(is_last),
        ]
        with m.If(~self.is_busy):
            m.d.sync += [denied.eq(self.i.payload), self.is_busy.eq(self.i.valid), turns_left.eq(TURNS),
                         is_last.eq(self.i.payload.len == 0)]
        with m.Elif(~answers):
            m.d.sync += [turns_left.eq(turns_left - self.turns), answers.eq(self.turns & (turns_left == 1))]
        with m.Elif(self.o.ready):
            m.d.sync += [denied.len.eq(denied.len - 1), is_last.eq(denied.len == 1),
                         self.is_busy.eq(~is_last), answers.eq(~is_last)]
        return m
