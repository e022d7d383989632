"""Which burst comes next."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value, unsigned
from amaranth.lib import enum, stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import user_layout
from cbit.axi.ports import Burst

from .burst import BYTE_BITS, burst_layout
from .locks import RegionLocks, halves_layout
from .shape import RandomShape, shape_bits_layout
from .view import Denial, View, key_layout

__all__ = ["Choose", "choice_layout", "draw_layout"]

BOTH = 0b11
_EPOCH_BITS = 7
"""Cycles after which regions take turns, as a power of two."""

_HOT_REGIONS = 0b11
_NEAR_BYTES = 0x7F
"""Bits of a region's number, and of an address in it, that are left where many accesses are to meet."""

_BOTH_OF_8 = 3
"""How often a burst is about both halves."""


class Act(enum.Enum, shape=3):
    """What a burst is for.

    ``LOOK``
        A read under any key, of data that are not to be seen under any but theirs.
    ``FILL``
        A write of a whole region under another key.
    """

    WRITE = 0
    READ = 1
    LOOK = 2
    FILL = 3
    DENIED_WRITE = 4
    DENIED_READ = 5


_ACTS = [Act.FILL, Act.DENIED_WRITE, Act.DENIED_READ, *[Act.LOOK] * 4, *[Act.READ] * 12, *[Act.WRITE] * 13]
"""How often in 32 each is drawn."""


def draw_layout(*, region_width: int, offset_width: int, place_width: int, index_width: int,
                asid_width: int) -> StructLayout:
    """The random bits that a choice is made of; ``slot`` and so on are any numbers."""
    return StructLayout({
        "act": unsigned(5),
        "region": unsigned(region_width),
        "is_hot": unsigned(1),
        "place": unsigned(place_width),
        "moves": unsigned(1),
        "id": unsigned(index_width),
        "slot": unsigned(asid_width),
        "asid": unsigned(asid_width),
        "plain": unsigned(2),
        "how": unsigned(2),
        "denial": unsigned(2),
        "form": shape_bits_layout(offset_width=offset_width),
        "half": unsigned(1),
        "both": unsigned(3),
        "is_near": unsigned(1),
        "stripe": unsigned(3),
        "is_sparse": unsigned(1),
    })


def _state_layout(*, place_width: int, asid_width: int) -> StructLayout:
    """What is known of a region: where it lies, under which key, and whether nothing has been written since it was
    filled and looked at from outside."""
    return StructLayout({"place": unsigned(place_width), "key": key_layout(asid_width=asid_width),
                         "stripe": unsigned(3), "is_sealed": unsigned(1)})


def choice_layout(*, asid_width: int, region_width: int, offset_width: int, place_width: int,
                  index_width: int) -> StructLayout:
    """A burst that has been chosen.

    ``axburst``
        AxBURST, which is that of ``burst`` or reserved.
    ``is_hidden``
        A read that must not see what was written.
    ``is_seal``
        The first look at a filled region.
    ``state``
        Of its region once it has begun.
    """
    return StructLayout({
        "id": unsigned(index_width),
        "user": user_layout(asid_width=asid_width),
        "c_bit": unsigned(1),
        "is_fetch": unsigned(1),
        "axburst": unsigned(2),
        "is_write": unsigned(1),
        "is_denied": unsigned(1),
        "is_fill": unsigned(1),
        "is_sparse": unsigned(1),
        "is_hidden": unsigned(1),
        "is_seal": unsigned(1),
        "burst": burst_layout(region_width=region_width, offset_width=offset_width),
        "state": _state_layout(place_width=place_width, asid_width=asid_width),
    })


class Choose(Component):
    """Chooses bursts at random, such that what each must be answered with is known.

    A byte is not written while it is read, nor by two IDs at once; but reads, and writes of several IDs, go on in
    the other half of the same region, its lines and its blocks. An ID may write what it is writing already.

    So that neither keeps the other from a region, every second region is but read for 128 cycles and the others but
    written, later the other way around, and between these all are both.

    Latency: one cycle. Throughput: a burst every second cycle, if what is drawn can be had.

    Parameters
    ----------
    asid_count : :class:`int`
        As the engine's.
    guests : :class:`int`
        ASIDs 0 to ``guests`` are used.
    region_width, offset_width : :class:`int`
        Bits of a region's number, and of an address in it.
    memory_width : :class:`int`
        Bits of an address of memory.
    index_width : :class:`int`
        Bits of an ID that is used.
    capacity : :class:`int`
        Most bursts in flight in each direction.

    Members
    -------
    draw : ``In(draw_layout(...))``
        Random bits, others in each cycle.
    enable : ``In(1)``
        Whether to choose.
    fills : ``In(1)``
        Fills ``fill_region``, whose state does not count, and chooses nothing else.
    fill_region : ``In(region_width)``
    forget : ``In(1)``
        Takes ``fill_region`` as neither read nor written.
    asked_id : ``Out(index_width)``
        The ID for which there must be room.
    may_read, may_write : ``In(1)``
        Whether there is room for another read, or write, of ``asked_id``.
    o : ``Out(stream.Signature(choice_layout(...), always_ready=True))``
    read_ended, write_ended : ``In(stream.Signature(halves_layout(...), always_ready=True))``
    """

    def __init__(self, *, asid_count: int, guests: int, region_width: int, offset_width: int, memory_width: int,
                 index_width: int, capacity: int) -> None:
        self.asid_count = asid_count
        self.guests = guests
        self.region_width = region_width
        self.offset_width = offset_width
        self.index_width = index_width
        self.asid_width = (asid_count - 1).bit_length()
        widths = {"region_width": region_width, "offset_width": offset_width, "index_width": index_width,
                  "place_width": memory_width - region_width - offset_width, "asid_width": self.asid_width}
        self.choice = choice_layout(**widths)
        self.state = self.choice["state"].shape
        self.locks = RegionLocks(region_width=region_width, index_width=index_width, capacity=capacity)
        ended = In(stream.Signature(halves_layout(region_width=region_width), always_ready=True))
        super().__init__({
            "draw": In(draw_layout(**widths)),
            "enable": In(1),
            "fills": In(1),
            "fill_region": In(region_width),
            "forget": In(1),
            "asked_id": Out(index_width),
            "may_read": In(1),
            "may_write": In(1),
            "o": Out(stream.Signature(self.choice, always_ready=True)),
            "read_ended": ended,
            "write_ended": ended,
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.locks = locks = self.locks
        connect(m, flipped(self.read_ended), locks.read_ended)
        connect(m, flipped(self.write_ended), locks.write_ended)
        act = Signal(Act)
        with m.Switch(self.draw.act):
            for number, drawn in enumerate(_ACTS):
                with m.Case(number):
                    m.d.comb += act.eq(drawn)
        with m.If(self.fills):
            m.d.comb += act.eq(Act.FILL)
        region = Signal(self.region_width)
        m.d.comb += [
            region.eq(self.draw.region & Mux(self.draw.is_hot, _HOT_REGIONS, -1)),
            locks.region.eq(Mux(self.fills | self.forget, self.fill_region, region)),
            locks.forget.eq(self.forget),
        ]
        with m.If(self.o.valid):
            m.d.comb += locks.region.eq(self.o.payload.burst.region)
        state, is_possible, chosen = self._region_state(m), Signal(), Signal(self.choice)
        self._shape(m, act, state, chosen)
        self._view(m, act, state, chosen)
        self._judge(m, act, state, chosen, is_possible)
        m.d.sync += self.o.valid.eq(~self.o.valid & self.enable & is_possible)
        with m.If(~self.o.valid):
            m.d.sync += self.o.payload.eq(chosen)
        self._take(m)
        return m

    def _region_state(self, m: Module) -> Value:
        """The state of the region that is asked for; what has been chosen updates it."""
        m.submodules.regions = memory = Memory(shape=self.state, depth=1 << self.region_width, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        choice = self.o.payload
        m.d.comb += [
            write.addr.eq(choice.burst.region),
            write.data.eq(choice.state),
            write.en.eq(self.o.valid & (choice.is_fill | choice.is_seal)),
            read.addr.eq(self.locks.region),
        ]
        return read.data

    def _take(self, m: Module) -> None:
        choice, locks = self.o.payload, self.locks
        with m.If(self.o.valid & ~choice.is_denied):
            m.d.comb += [
                locks.takes_write.eq(Mux(choice.is_write, choice.burst.halves, 0)),
                locks.takes_read.eq(Mux(choice.is_write, 0, choice.burst.halves)),
            ]
        m.d.comb += locks.id.eq(choice.id)

    def _shape(self, m: Module, act: Signal, state, chosen) -> None:
        """The burst and its halves: as drawn, but for fills and for looks, which are about whole blocks."""
        m.submodules.shape = shape = RandomShape(offset_width=self.offset_width)
        is_fill, is_look = act == Act.FILL, act == Act.LOOK
        is_seal = is_look & state.is_sealed
        is_set = is_fill | is_seal
        last = (1 << self.offset_width - BYTE_BITS) - 1
        burst, drawn = chosen.burst, self.draw
        is_of_both = is_fill | is_look | (drawn.both < _BOTH_OF_8)
        m.d.comb += [
            shape.bits.eq(drawn.form),
            shape.bits.offset.eq(drawn.form.offset & Mux(drawn.is_near, _NEAR_BYTES, -1)),
            burst.region.eq(self.locks.region),
            burst.offset.eq(Mux(is_set, 0, shape.offset)),
            burst.len.eq(Mux(is_fill, last, Mux(is_seal, drawn.form.len & 7, shape.len))),
            burst.size.eq(Mux(is_set, BYTE_BITS, shape.size)),
            burst.burst.eq(Mux(is_set, Burst.INCR, shape.burst)),
            burst.stripe.eq(state.stripe),
            burst.halves.eq(Mux(is_of_both, BOTH, Mux(drawn.half, 0b10, 0b01))),
            chosen.is_fill.eq(is_fill),
            chosen.is_seal.eq(is_seal),
            chosen.is_sparse.eq(drawn.is_sparse),
            chosen.is_write.eq((act == Act.WRITE) | is_fill | (act == Act.DENIED_WRITE)),
            chosen.is_denied.eq((act == Act.DENIED_WRITE) | (act == Act.DENIED_READ)),
        ]

    def _view(self, m: Module, act: Signal, state, chosen) -> None:
        """Who asks, under which key, and what is known of the region once it has begun."""
        m.submodules.view = view = View(asid_count=self.asid_count, guests=self.guests)
        draw, is_fill, is_look = self.draw, act == Act.FILL, act == Act.LOOK
        slot, asid = self._used(draw.slot), self._used(draw.asid)
        is_plain = Mux(is_look, draw.plain[0] | state.is_sealed, Mux(is_fill, draw.plain == 0, state.key.is_plain))
        known, key = chosen.state, view.key
        is_same = Mux(key.is_plain, state.key.is_plain, ~state.key.is_plain & (state.key.slot == key.slot))
        denial = Mux(draw.denial == 0, Denial.RESERVED_BURST.value, draw.denial)
        m.d.comb += [
            key.slot.eq(Mux(is_fill | is_look, slot, state.key.slot)),
            key.is_plain.eq(is_plain),
            known.key.eq(Mux(is_fill, key, state.key)),
            known.stripe.eq(Mux(is_fill, draw.stripe, state.stripe)),
            known.place.eq(Mux(self.fills | (is_fill & draw.moves), draw.place, state.place)),
            known.is_sealed.eq(is_fill),
            view.denial.eq(Mux(chosen.is_denied, denial, 0)),
            view.asid.eq(asid),
            view.guest.eq(Mux(asid == 0, self.guests, asid)),
            view.how.eq(draw.how),
            view.burst.eq(chosen.burst.burst),
            chosen.is_hidden.eq(is_look & ~is_same),
            *(chosen[field].eq(getattr(view, field)) for field in ("user", "c_bit", "is_fetch")),
            chosen.axburst.eq(view.made),
            chosen.id.eq(self.asked_id),
        ]

    def _used(self, drawn: Value) -> Value:
        """One of the ASIDs that are used, of a number that is drawn."""
        width = self.guests.bit_length()
        return Mux(drawn[:width] > self.guests, drawn[:width] - (self.guests + 1), drawn[:width])

    def _judge(self, m: Module, act: Signal, state, chosen, is_possible: Signal) -> None:
        """Whether it can be begun now, and the ID: that of a write which waits for another is the same."""
        locks, shape, halves = self.locks, m.submodules.shape, chosen.burst.halves
        clock = Signal(_EPOCH_BITS + 2)
        m.d.sync += clock.eq(clock + 1)
        is_own_turn, is_reads_turn = ~clock[_EPOCH_BITS], clock[-1] ^ locks.region[0]
        may_read = self.may_read & (~is_own_turn | is_reads_turn)
        may_write = self.may_write & (~is_own_turn | ~is_reads_turn)
        read, written = locks.reading & halves, locks.writing & halves
        m.d.comb += self.asked_id.eq(self.draw.id)
        with m.Switch(act):
            with m.Case(Act.WRITE):
                with m.If(written[0]):
                    m.d.comb += self.asked_id.eq(locks.writer[0])
                with m.Elif(written[1]):
                    m.d.comb += self.asked_id.eq(locks.writer[1])
                is_of_one = ~written.all() | (locks.writer[0] == locks.writer[1])
                m.d.comb += is_possible.eq(shape.fits & ~state.is_sealed & ~read.any() & is_of_one & may_write)
            with m.Case(Act.FILL):
                is_free = ~state.is_sealed & ~locks.reading.any() & ~locks.writing.any()
                m.d.comb += is_possible.eq(Mux(self.fills, self.may_write, may_write & is_free))
            with m.Case(Act.READ):
                m.d.comb += is_possible.eq(shape.fits & ~written.any() & may_read)
            with m.Case(Act.LOOK):
                # A sealed region waits for it, and for nothing else.
                may_look = Mux(state.is_sealed, self.may_read, may_read & shape.fits & shape.is_whole)
                m.d.comb += is_possible.eq(~written.any() & may_look)
            with m.Case(Act.DENIED_WRITE):
                m.d.comb += is_possible.eq(shape.fits & self.may_write)
            with m.Case(Act.DENIED_READ):
                m.d.comb += is_possible.eq(shape.fits & self.may_read)
