"""All blocks of a narrow engine in one memory with one port, and who moves which of them when."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import enum
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.serial.ports import PLACE_BITS
from cbit.serial.single_port_ram import SinglePortRam
from cbit.stream.block_ram import BlockRam

__all__ = ["BEAT_PLACE_BITS", "Move", "NarrowStore", "beat_place"]

BEAT_PLACE_BITS = 8
"""Of the number of a written beat that waits."""

WORD_BITS = 32
WORDS = 4
"""To a block."""

READ_END = 5
WRITE_END = 4
"""The last steps of what is read and of what is written."""


class Move(enum.Enum, shape=3):
    """Which block goes from where to where; in the order in which they are heard."""

    RESULT = 0
    """What comes from the ring."""
    FEED = 1
    """What is fed to the ring."""
    ARRIVE = 2
    """A beat from DRAM."""
    SEND = 3
    """What DRAM is given next."""
    GATHER = 4
    """A written beat, as far as it has strobes, into the block of which it is."""
    MERGE = 5
    """What was read for a partial block, as far as no beat has brought it, into that block."""
    DELIVER = 6
    """What a manager is given next."""
    BEAT = 7
    """A beat that a manager writes."""


_WRITES = (Move.RESULT, Move.ARRIVE, Move.BEAT)
_COPIES = (Move.GATHER, Move.MERGE)


def beat_place(number: Value) -> Value:
    """The place of a written beat, behind those of all else."""
    return Cat(number, Const(0, PLACE_BITS - BEAT_PLACE_BITS), Const(1, 1))


class NarrowStore(Component):
    """Blocks and their responses, moved one at a time, word by word: 32 bits a cycle.

    A move takes six or seven cycles, one between two places of the store ten. Whoever wants one is heard in its last
    cycle; until then what it wants stays. Among those who want one nobody is heard twice before each other once.

    Members
    -------
    wants, heard : ``In(len(Move))``, ``Out(len(Move))``
        Of each :class:`Move`.
    places : ``In(PLACE_BITS + 1).array(len(Move))``
        The block of each, which for those that write is where it goes.
    copy_place : ``In(PLACE_BITS)``
        Where what is gathered or merged goes.
    strobes, brought : ``In(16)``
        The bytes that are gathered, and those that are not merged.
    result, arrival, beat : ``In(32)``, ``In(128)``, ``In(128)``
        What is written: of the first the column that was named in the cycle before.
    result_resp, arrival_resp : ``In(Response)``
    hide : ``In(1)``
        The result is stored as all ones.
    ones : ``In(1)``
        All ones are delivered.
    column : ``Out(2)``
        The word of what is fed or of the result that is moved in the cycle after.
    feeds : ``Out(1)``
        What is fed is there in the cycle after, as ``word``.
    takes_result : ``Out(1)``
        A word of the result is stored.
    word : ``Out(32)``
    sent, delivered : ``Out(128)``
        The last block that was; whole in the cycle after it was heard, until the next of its kind is wanted.
    resp : ``Out(Response)``
        With the last block moved: in the cycle in which it is heard and in the one after.
    """

    wants: In(len(Move))
    heard: Out(len(Move))
    places: In(PLACE_BITS + 1).array(len(Move))
    copy_place: In(PLACE_BITS)
    strobes: In(16)
    brought: In(16)
    result: In(32)
    arrival: In(128)
    beat: In(128)
    result_resp: In(Response)
    arrival_resp: In(Response)
    hide: In(1)
    ones: In(1)
    column: Out(2)
    feeds: Out(1)
    takes_result: Out(1)
    word: Out(WORD_BITS)
    sent: Out(128)
    delivered: Out(128)
    resp: Out(Response)

    def __init__(self) -> None:
        self.ram = SinglePortRam(words=WORDS << PLACE_BITS + 1, width=WORD_BITS)
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.ram = ram = self.ram
        move, place, is_busy, step, writes_back = (Signal(len(Move)), Signal(PLACE_BITS + 1), Signal(), Signal(3),
                                                   Signal())
        is_write, is_copy = (Signal(), Signal())
        self._choose(m, move, place, is_busy, step)
        accesses, ends, number = Signal(), Signal(), Signal(2)
        m.d.comb += [
            is_write.eq(Cat(move[one.value] for one in _WRITES).any()),
            is_copy.eq(Cat(move[one.value] for one in _COPIES).any()),
            accesses.eq(is_busy & (step != 0) & (step != READ_END)),
            number.eq(step - 1),
            ends.eq(is_busy & Mux(is_write | is_copy, (step == WRITE_END) & (is_write | writes_back),
                                  step == READ_END)),
            self.heard.eq(move & ends.replicate(len(Move))),
            self.column.eq(Mux(move[Move.RESULT.value], step[:2], number)),
            self.feeds.eq(accesses & move[Move.FEED.value]),
            self.takes_result.eq(accesses & move[Move.RESULT.value]),
            self.word.eq(ram.read_data),
            ram.address.eq(Cat(number, Mux(writes_back, self.copy_place, place))),
        ]
        # Of a copy each word is read in one cycle and written in the next.
        with m.If(is_busy):
            m.d.sync += writes_back.eq(is_copy & ~writes_back)
            with m.If(~is_copy | writes_back):
                m.d.sync += step.eq(step + 1)
        with m.If(ends):
            m.d.sync += is_busy.eq(0)
        self._write(m, ram, move, number, accesses & (is_write | writes_back), writes_back)
        self._show(m, move, place, is_busy & step[1:].any() & ~is_copy)
        return m

    def _choose(self, m: Module, move: Signal, place: Signal, is_busy: Signal, step: Signal) -> None:
        """Begins a move in a cycle without one."""
        served, fresh, candidates, chosen = (Signal(len(Move), name=name)
                                             for name in ("served", "fresh", "candidates", "chosen"))
        m.d.comb += [
            fresh.eq(self.wants & ~served),
            candidates.eq(Mux(fresh.any(), fresh, self.wants)),
            chosen.eq(candidates & (~candidates + 1)),
        ]
        with m.If(~is_busy & self.wants.any()):
            m.d.sync += [
                is_busy.eq(1), move.eq(chosen), step.eq(~chosen[Move.RESULT.value]),
                served.eq(Mux(fresh.any(), served, 0) | chosen),
                place.eq(_any(one & chosen[number].replicate(len(place))
                              for number, one in enumerate(self.places))),
            ]

    def _write(self, m: Module, ram: SinglePortRam, move: Signal, number: Signal, writes: Value,
               writes_back: Signal) -> None:
        lanes = Mux(move[Move.MERGE.value], ~self.brought, self.strobes)
        m.d.comb += ram.write_bytes.eq(writes.replicate(4) & (lanes.word_select(number, 4)
                                                             | (~writes_back).replicate(4)))
        with m.If(move[Move.RESULT.value]):
            m.d.comb += ram.write_data.eq(self.result | self.hide.replicate(WORD_BITS))
        with m.Elif(move[Move.ARRIVE.value]):
            m.d.comb += ram.write_data.eq(self.arrival.word_select(number, WORD_BITS))
        with m.Elif(move[Move.BEAT.value]):
            m.d.comb += ram.write_data.eq(self.beat.word_select(number, WORD_BITS))
        with m.Else():
            m.d.comb += ram.write_data.eq(ram.read_data)

    def _show(self, m: Module, move: Signal, place: Signal, comes: Value) -> None:
        """What is read, and the responses."""
        m.submodules.resps = resps = BlockRam(width=2, depth=1 << PLACE_BITS)
        m.d.comb += [
            resps.read_address.eq(place), self.resp.eq(resps.read_data), resps.write_address.eq(place),
            resps.write_data.eq(Mux(move[Move.RESULT.value], self.result_resp, self.arrival_resp)),
            resps.writes.eq(self.heard[Move.RESULT.value] | self.heard[Move.ARRIVE.value]),
        ]
        # Counts only beside a valid bit, which is reset.
        for shown, one, word in ((self.sent, Move.SEND, self.word),
                                 (self.delivered, Move.DELIVER, self.word | self.ones.replicate(WORD_BITS))):
            kept = Signal(128, name=f"{one.name.lower()}_block", reset_less=True)
            m.d.comb += shown.eq(kept)
            with m.If(comes & move[one.value]):
                m.d.sync += kept.eq(Cat(kept[WORD_BITS:], word))


def _any(values) -> Value:
    total: Value = Const(0)
    for value in values:
        total |= value
    return total
