"""Which slots have their round keys expanded, and which of them is the next to make room."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.keys.types import KeyWaysSignature

__all__ = ["WayTable"]


class WayTable(Component):
    """Remembers the slot of each way, whether accesses may find it there, and whether those in flight succeed.

    A way is bound to the slot whose round keys it holds, from ``bind`` until it is bound to another or the slot is
    released; at most one way is bound to a slot. The way that makes room is the first, in turn, that no access has
    found since its last turn (the clock algorithm), or any where all are in use. It is found within ``key_ways + 1``
    cycles.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots.
    key_ways : :class:`int`
        Number of ways.

    Members
    -------
    slot : ``In(range(asid_count))``
        The slot that the next four concern.
    cut : ``In(1)``
        From the next cycle on, accesses do not find it, and those in flight fail.
    release : ``In(1)``
        No way is bound to it any more.
    cut_all : ``In(1)``
        As ``cut``, for whatever slot there is in a way, or is being opened.
    found : ``Out(1)``
        A way is bound to it.
    found_way : ``Out(range(key_ways))``
        Which.
    used : ``In(key_ways)``
        The ways that accesses find in this cycle.
    choose : ``In(1)``
        High until ``chosen``: looks for a way that makes room.
    chosen : ``Out(1)``
        From the next cycle on, ``victim`` is it, and accesses do not find it.
    victim : ``Out(range(key_ways))``
        The way that was chosen last, which the next three concern.
    reopen : ``In(1)``
        It need make no room, as if it had just been used: accesses may find it again, unless its slot was cut
        meanwhile.
    bind : ``In(1)``
        It is bound to ``bind_slot``, and its accesses fail.
    bind_slot : ``In(range(asid_count))``
    open : ``In(1)``
        Accesses may find it and succeed.
    ways : ``Out(ArrayLayout(StructLayout({"valid": 1, "slot": range(asid_count)}), key_ways))``
        Where accesses may find what.
    serving : ``Out(key_ways)``
        The ways whose accesses in flight succeed.
    """

    def __init__(self, *, asid_count: int, key_ways: int) -> None:
        self.asid_count = asid_count
        self.key_ways = key_ways
        ways: ArrayLayout = KeyWaysSignature(asid_count=asid_count, key_ways=key_ways).members["ways"].shape
        super().__init__({
            "slot": In(range(asid_count)),
            "cut": In(1),
            "release": In(1),
            "cut_all": In(1),
            "found": Out(1),
            "found_way": Out(range(key_ways)),
            "used": In(key_ways),
            "choose": In(1),
            "chosen": Out(1),
            "victim": Out(range(key_ways)),
            "reopen": In(1),
            "bind": In(1),
            "bind_slot": In(range(asid_count)),
            "open": In(1),
            "ways": Out(ways),
            "serving": Out(key_ways),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        bound, is_slot = Signal(self.key_ways), Signal(self.key_ways)
        turn = self._choose(m)
        m.d.comb += [
            is_slot.eq(Cat(bound[way] & (self.ways[way].slot == self.slot) for way in range(self.key_ways))),
            self.found.eq(is_slot.any()),
        ]
        for way in range(self.key_ways):
            entry = self.ways[way]
            with m.If(is_slot[way]):
                m.d.comb += self.found_way.eq(way)
            with m.If(self.chosen & (turn == way)):
                m.d.sync += entry.valid.eq(0)
            with m.If(self.victim == way):
                with m.If(self.reopen):
                    m.d.sync += entry.valid.eq(self.serving[way])
                with m.If(self.open):
                    m.d.sync += [entry.valid.eq(1), self.serving[way].eq(1)]
            with m.If(is_slot[way] & (self.cut | self.release) | self.cut_all):
                m.d.sync += [entry.valid.eq(0), self.serving[way].eq(0)]
            with m.If(is_slot[way] & self.release):
                m.d.sync += bound[way].eq(0)
            # Comes last: the slot that is released in this cycle was the one before.
            with m.If(self.bind & (self.victim == way)):
                m.d.sync += [bound[way].eq(1), entry.slot.eq(self.bind_slot), entry.valid.eq(0),
                             self.serving[way].eq(0)]
        return m

    def _choose(self, m: Module) -> Signal:
        """The way whose turn it is."""
        turn = Signal(range(self.key_ways))
        in_use, passed = Signal(self.key_ways), Signal(range(self.key_ways + 1))
        m.d.comb += self.chosen.eq(self.choose & (~in_use.bit_select(turn, 1) | (passed == self.key_ways)))
        m.d.sync += in_use.eq(in_use | self.used)
        with m.If(self.choose):
            m.d.sync += [
                turn.eq(Mux(turn == self.key_ways - 1, 0, turn + 1)),
                in_use.eq((in_use & ~(1 << turn)) | self.used),
                passed.eq(passed + 1),
            ]
        with m.If(self.reopen):
            m.d.sync += in_use.bit_select(self.victim, 1).eq(1)
        with m.If(self.chosen):
            m.d.sync += [self.victim.eq(turn), passed.eq(0)]
        return turn
