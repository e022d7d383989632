"""Counts events of several kinds, exactly and in little space."""

import itertools

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["RotatingCounts", "count_layout"]

KINDS = 8
COUNT_WIDTH = 32
PENDING_WIDTH = (2 * KINDS).bit_length()
"""Bits for the events of one kind between two of its turns: at most two a cycle."""


def count_layout() -> data.StructLayout:
    """A kind whose turn it is, and its count."""
    return data.StructLayout({"kind": range(KINDS), "count": COUNT_WIDTH})


class RotatingCounts(wiring.Component):
    """Counts events of eight kinds and shows one count after the other.

    Takes up to two events every cycle and loses none. Counts stay at their greatest value once they are there.

    Latency: a count shows three cycles after its kind's turn, with all events of before the turn. Turns
    come in the order of the kinds, every eight cycles, from reset on.

    Parameters
    ----------
    in_block_ram : :class:`bool`
        Whether counts are in block RAM, where distributed RAM is not to be had.

    Members
    -------
    kinds : ``In(ArrayLayout(range(8), 2))``
        Kinds of the two events. Kind 0 stands for none, and its count stays zero.
    clear : ``In(1)``
        Sets every count to zero before the events of this cycle; shown from each kind's next turn on.
    shown : ``Out(count_layout())``
    """

    kinds: In(data.ArrayLayout(range(KINDS), 2))
    clear: In(1)
    shown: Out(count_layout())

    def __init__(self, *, in_block_ram: bool = False) -> None:
        # A count is written when another's turn has come.
        self.totals = Memory(shape=COUNT_WIDTH, depth=KINDS, init=[],
                             attrs={"ram_style": "block", "no_rw_check": 1} if in_block_ram else {})
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.totals = totals = self.totals
        read, write = totals.read_port(domain="comb"), totals.write_port()

        turn = Signal(range(KINDS))
        to_forget = Signal(range(KINDS + 1), init=KINDS)
        m.d.sync += turn.eq(turn + 1)
        with m.If(self.clear):
            m.d.sync += to_forget.eq(KINDS)
        with m.Elif(to_forget != 0):
            m.d.sync += to_forget.eq(to_forget - 1)

        stages = [turn, *(Signal.like(turn, name=f"kind{stage}") for stage in range(1, 4))]
        total, amount = Signal(COUNT_WIDTH), Signal(PENDING_WIDTH)
        summed, saturated = Signal(COUNT_WIDTH + 1), Signal(COUNT_WIDTH)
        m.d.comb += read.addr.eq(turn)
        m.d.sync += [
            *(after.eq(before) for before, after in itertools.pairwise(stages)),
            total.eq(read.data),
            amount.eq(self._pending(m, turn)),
            summed.eq(total + amount),
            saturated.eq(summed),
        ]
        with m.If(to_forget != 0):
            m.d.sync += total.eq(0)
        with m.If(summed[COUNT_WIDTH]):
            m.d.sync += saturated.eq((1 << COUNT_WIDTH) - 1)
        m.d.comb += [
            write.addr.eq(stages[-1]), write.data.eq(saturated), write.en.eq(1),
            self.shown.kind.eq(stages[-1]), self.shown.count.eq(saturated),
        ]
        return m

    def _pending(self, m: Module, turn: Signal) -> Signal:
        """The events of the kind in turn since its last turn."""
        chosen = Signal(PENDING_WIDTH)
        for kind in range(1, KINDS):
            pending = Signal(PENDING_WIDTH, name=f"pending{kind}")
            kept = Signal(PENDING_WIDTH, name=f"kept{kind}")
            is_taken = turn == kind
            with m.If(is_taken):
                m.d.comb += chosen.eq(pending)
            with m.If(~is_taken & ~self.clear):
                m.d.comb += kept.eq(pending)
            m.d.sync += pending.eq(kept + (self.kinds[0] == kind) + (self.kinds[1] == kind))
        return chosen
