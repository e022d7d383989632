"""The traffic generator and checker: an AXI4 manager that knows what it must be answered."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import user_layout
from cbit.axi.ports import Axi4Signature, address_layout, write_data_layout
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.slice import RegisterSlice

from .burst import BEAT_BYTES
from .choose import Choose
from .findings import COUNT_BITS, Findings, Kind, finding_layout
from .pauses import Pace, Pauses
from .read_check import ReadCheck
from .write_check import WriteCheck
from .write_data import WriteBeats, write_layout
from .xorshift import RandomBits

__all__ = ["COUNTS", "TrafficGenerator"]

COUNTS = StructLayout({name: unsigned(COUNT_BITS) for name in (
    "reads", "writes", "read_beats", "write_beats", "read_bytes", "write_bytes", "denied", "hidden", "fills")})
"""What has been done: bursts, beats, bytes that were compared and written, those of the bursts that had to be denied,
and had to see nothing, and regions that were filled."""

_QUEUE = 8
_MOOD_CYCLES = 4096
_REST_BITS = 3
"""Cycles, as a power of two, in which the last answer is checked and counted."""

_CACHE = 0b0011
"""Normal memory, not cacheable (IHI 0022, A4.4)."""

_CHANNELS = ("ar", "aw", "w", "b", "r")


def _require_power(what: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high or value & (value - 1):
        raise ValueError(f"{what} must be a power of two from {low} to {high}, not {value!r}")


class TrafficGenerator(Component):
    """An AXI4 manager that makes pseudo-random traffic and checks every answer.

    While ``run`` is high: first it writes all that it will read, then it reads and writes at once, with bursts of
    several IDs in flight, under several keys and none, accesses that must be denied, and reads of what must be hidden.
    When ``run`` falls it begins no more, and is ``idle`` once all is answered and counted. Each time that ``run`` rises
    it begins with ``seed``, and knows nothing of memory.

    Before it runs, SME and SEV must be on, TSME off, slots 0 to ``guests`` active with keys of their own, and the last
    slot without one. Other slots are not used.

    Latency: an address comes some cycles after it is drawn. Throughput: up to a beat a cycle each way at once.

    Parameters
    ----------
    addr_width, c_bit, id_width, asid_count : :class:`int`
        As the engine's. ``asid_count`` is 3 or more.
    guests : :class:`int`
        ASIDs 0 to ``guests`` are used: 1 to ``asid_count - 2``.
    regions : :class:`int`
        Pieces of memory in use at a time, each under a key of its own. A power of two from 4 to 256.
    region_beats : :class:`int`
        Their size in beats of 16 bytes, which is also the longest burst. A power of two from 16 to 256.
    memory_width : :class:`int` or :data:`None`
        Memory is from address 0 to 2 ** ``memory_width``; by default as much as the C-bit leaves.
    ids : :class:`int`
        IDs 0 to ``ids - 1`` are used. A power of two from 2 to 16.
    depth : :class:`int`
        Bursts in flight of each ID and direction. A power of two from 2 to 16.
    patience_cycles : :class:`int`
        An ID that has something in flight, and is not answered for so many cycles to twice as many, is an error.

    Members
    -------
    axi : ``Out(Axi4Signature(...))``
        AxUSER as :func:`~cbit.access.request.user_layout`.
    run : ``In(1)``
    seed : ``In(32)``
    clear : ``In(1)``
        Sets counts to zero and forgets errors.
    idle : ``Out(1)``
        Nothing is in flight, and nothing will be before ``run`` rises.
    counts : ``Out(COUNTS)``
    error : ``Out(1)``
        Something has been found wrong since reset or ``clear``.
    first_error : ``Out(finding_layout(...))``
        The first.
    error_kinds : ``Out(8)``
        A bit for each :class:`~cbit.traffic.findings.Kind` that has been found.
    errors : ``Out(48)``
        How many.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, asid_count: int, guests: int, regions: int = 32,
                 region_beats: int = 64, memory_width: int | None = None, ids: int = 8, depth: int = 4,
                 patience_cycles: int = 1 << 16) -> None:
        if not isinstance(asid_count, int) or asid_count < 3:
            raise ValueError(f"asid_count must be an integer of at least 3, not {asid_count!r}")
        if not isinstance(guests, int) or not 1 <= guests <= asid_count - 2:
            raise ValueError(f"guests must be an integer from 1 to {asid_count - 2}, not {guests!r}")
        _require_power("regions", regions, 4, 256)
        _require_power("region_beats", region_beats, 16, 256)
        _require_power("ids", ids, 2, min(16, 1 << id_width))
        _require_power("depth", depth, 2, 16)
        self.region_width = (regions - 1).bit_length()
        self.offset_width = (region_beats * BEAT_BYTES - 1).bit_length()
        least = self.region_width + self.offset_width + 1
        self.memory_width = c_bit if memory_width is None else memory_width
        if not least <= self.memory_width <= c_bit:
            raise ValueError(f"memory_width must be an integer from {least} to {c_bit}, not {memory_width!r}")
        self.c_bit = c_bit
        self.ids = ids
        self.depth = depth
        self.patience_cycles = patience_cycles
        asid_width = (asid_count - 1).bit_length()
        place_width = self.memory_width - self.region_width - self.offset_width
        region = {"region_width": self.region_width, "offset_width": self.offset_width}
        user_width = user_layout(asid_width=asid_width).size
        self.address = address_layout(addr_width=addr_width, id_width=id_width, user_width=user_width)
        self.choose = Choose(
            asid_count=asid_count, guests=guests, memory_width=self.memory_width, index_width=(ids - 1).bit_length(),
            capacity=ids * depth, **region)
        self.read_check = ReadCheck(place_width=place_width, asid_width=asid_width, id_width=id_width, ids=ids,
                                    depth=depth, **region)
        self.write_check = WriteCheck(memory_width=self.memory_width, region_width=self.region_width,
                                      id_width=id_width, ids=ids, depth=depth)
        self.write_beats = WriteBeats(**region)
        self.findings = Findings(memory_width=self.memory_width, id_width=id_width)
        super().__init__({
            "axi": Out(Axi4Signature(addr_width=addr_width, data_width=8 * BEAT_BYTES, id_width=id_width,
                                     user_width=user_width)),
            "run": In(1),
            "seed": In(32),
            "clear": In(1),
            "idle": Out(1),
            "counts": Out(COUNTS),
            "error": Out(1),
            "first_error": Out(finding_layout(memory_width=self.memory_width, id_width=id_width)),
            "error_kinds": self.findings.signature.members["kinds"],
            "errors": Out(COUNT_BITS),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.choose = choose = self.choose
        m.submodules.read_check = read_check = self.read_check
        m.submodules.write_check = write_check = self.write_check
        m.submodules.write_beats = self.write_beats
        connect(m, read_check.ended, choose.read_ended)
        connect(m, write_check.ended, choose.write_ended)
        load, bits = Signal(), {}
        for name, width, first in (("draw", choose.draw.shape().size, 0), ("data", len(self.write_beats.bits), 16),
                                   ("pace", 4 * len(_CHANNELS), 32)):
            m.submodules[f"random_{name}"] = source = RandomBits(width=width, first=first)
            m.d.comb += [
                source.seed.eq(self.seed),
                source.load.eq(load),
                source.advance.eq(self.write_beats.moves if name == "data" else 1),
            ]
            bits[name] = source.o
        m.d.comb += [choose.draw.eq(bits["draw"]), self.write_beats.bits.eq(bits["data"])]
        self._phases(m, load)
        queues = self._queues(m)
        self._begin(m, queues)
        self._connect_bus(m, queues, bits["pace"])
        self._count(m)
        self._find(m)
        return m

    def _phases(self, m: Module, load: Signal) -> None:
        """What is done with memory: forgotten, filled, used, left alone."""
        choose = self.choose
        region, rest = Signal(self.region_width), Signal(_REST_BITS)
        m.d.comb += choose.fill_region.eq(region)
        with m.FSM(name="phase"):
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(self.run):
                    m.d.comb += load.eq(1)
                    m.next = "FORGET"
            with m.State("FORGET"):
                m.d.comb += choose.forget.eq(1)
                m.d.sync += region.eq(region + 1)
                with m.If(region.all()):
                    m.next = "FILL"
            with m.State("FILL"):
                m.d.comb += [choose.fills.eq(1), choose.enable.eq(1)]
                with m.If(choose.o.valid):
                    m.d.sync += region.eq(region + 1)
                    with m.If(region.all()):
                        m.next = "USE"
            with m.State("USE"):
                m.d.comb += choose.enable.eq(self.run)
                with m.If(~self.run):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                is_answered = ~choose.o.valid & ~self.read_check.some & ~self.write_check.some
                m.d.sync += rest.eq(Mux(is_answered, rest + 1, 0))
                with m.If(is_answered & rest.all()):
                    m.next = "IDLE"

    def _queues(self, m: Module) -> dict[str, BoundedQueue]:
        """Addresses, and writes whose data are to be made, on their way to the bus."""
        write = write_layout(region_width=self.region_width, offset_width=self.offset_width)
        queues = {name: BoundedQueue(shape=shape, depth=_QUEUE, spare=1)
                  for name, shape in (("ar", self.address), ("aw", self.address), ("w", write))}
        for name, queue in queues.items():
            m.submodules[f"{name}_queue"] = queue
        return queues

    def _begin(self, m: Module, queues: dict[str, BoundedQueue]) -> None:
        """What has been chosen goes where it is sent, and where its answer is awaited."""
        choose, reads, writes = self.choose, self.read_check, self.write_check
        choice = choose.o.payload
        read, write = reads.expect.payload, writes.expect.payload
        begins_read, begins_write = choose.o.valid & ~choice.is_write, choose.o.valid & choice.is_write
        m.d.comb += [
            *(check.asked_id.eq(choose.asked_id) for check in (reads, writes)),
            choose.may_read.eq(reads.has_room & queues["ar"].i.ready),
            choose.may_write.eq(writes.has_room & queues["aw"].i.ready & queues["w"].i.ready),
            reads.expect.valid.eq(begins_read),
            queues["ar"].i.valid.eq(begins_read),
            writes.expect.valid.eq(begins_write),
            *(queues[name].i.valid.eq(begins_write) for name in ("aw", "w")),
            *(assign for name in ("ar", "aw") for assign in self._address(choice, queues[name].i.payload)),
            *(queues["w"].i.payload[field].eq(choice[field])
              for field in ("burst", "is_fill", "is_sparse", "is_denied")),
            read.id.eq(choice.id),
            *(read.entry[field].eq(choice[field]) for field in ("burst", "is_denied", "is_hidden", "is_seal")),
            read.entry.place.eq(choice.state.place),
            read.entry.slot.eq(choice.state.key.slot),
            write.id.eq(choice.id),
            write.entry.address.eq(Cat(choice.burst.offset, choice.burst.region, choice.state.place)),
            *(write.entry.touched[field].eq(choice.burst[field]) for field in ("region", "halves")),
            write.entry.is_denied.eq(choice.is_denied),
        ]

    def _address(self, choice, address) -> list:
        """The address that is sent for a burst."""
        below = Cat(choice.burst.offset, choice.burst.region, choice.state.place)
        return [
            address.id.eq(choice.id),
            address.addr.eq(Cat(below, Const(0, self.c_bit - self.memory_width), choice.c_bit)),
            *(address[field].eq(choice.burst[field]) for field in ("len", "size")),
            address.burst.eq(choice.axburst),
            address.cache.eq(_CACHE),
            address.prot.eq(choice.is_fetch << 2),
            address.user.eq(choice.user),
        ]

    def _connect_bus(self, m: Module, queues: dict[str, BoundedQueue], bits) -> None:
        """Each channel goes by a pace of its own for some thousand cycles, then by another."""
        m.submodules.w_slice = w_slice = RegisterSlice(shape=write_data_layout(8 * BEAT_BYTES))
        connect(m, queues["w"].o, self.write_beats.i)
        connect(m, self.write_beats.o, w_slice.i)
        connect(m, self.write_beats.written, self.read_check.written)
        ends = {"ar": (queues["ar"].o, flipped(self.axi.ar)), "aw": (queues["aw"].o, flipped(self.axi.aw)),
                "w": (w_slice.o, flipped(self.axi.w)), "b": (flipped(self.axi.b), self.write_check.i),
                "r": (flipped(self.axi.r), self.read_check.i)}
        clock = Signal(range(_MOOD_CYCLES))
        m.d.sync += clock.eq(clock + 1)
        for number, (name, (source, sink)) in enumerate(ends.items()):
            m.submodules[f"{name}_pauses"] = pauses = Pauses(shape=source.payload.shape())
            connect(m, source, pauses.i)
            connect(m, pauses.o, sink)
            mood = Signal(Pace, name=f"{name}_pace")
            with m.If(clock == 0):
                m.d.sync += mood.eq(bits.word_select(number, 4)[2:])
            m.d.comb += [pauses.pace.eq(mood), pauses.bits.eq(bits.word_select(number, 4)[:2])]
        w = self.axi.w
        m.d.comb += self.write_check.data_ended.eq(w.valid & w.ready & w.payload.last)

    def _count(self, m: Module) -> None:
        counts, reads, writes, axi = self.counts, self.read_check, self.write_check, self.axi
        happens = {
            "reads": reads.is_counted,
            "writes": writes.is_counted,
            "read_beats": axi.r.valid & axi.r.ready,
            "write_beats": axi.w.valid & axi.w.ready,
            "read_bytes": reads.compared,
            "write_bytes": Mux(self.write_beats.written.valid, sum(self.write_beats.written.payload.strb), 0),
            "denied": (reads.is_counted & reads.was_denied) + (writes.is_counted & writes.was_denied),
            "hidden": reads.is_counted & reads.was_hidden,
            "fills": self.choose.o.valid & self.choose.o.payload.is_fill,
        }
        for name, more in happens.items():
            m.d.sync += counts[name].eq(Mux(self.clear, 0, counts[name] + more))

    def _find(self, m: Module) -> None:
        m.submodules.findings = findings = self.findings
        connect(m, self.read_check.finding, findings.read)
        connect(m, self.write_check.finding, findings.write)
        clock, reads, writes = Signal(range(self.patience_cycles)), self.read_check, self.write_check
        looks = clock == self.patience_cycles - 1
        m.d.sync += clock.eq(Mux(looks, 0, clock + 1))
        m.d.comb += [
            *(check.look.eq(looks) for check in (reads, writes)),
            findings.silence.valid.eq(reads.overdue | writes.overdue),
            findings.silence.payload.kind.eq(Kind.SILENCE),
            findings.silence.payload.is_write.eq(~reads.overdue),
            findings.silence.payload.id.eq(Mux(reads.overdue, reads.overdue_id, writes.overdue_id)),
            findings.clear.eq(self.clear),
            self.first_error.eq(findings.first),
            self.error_kinds.eq(findings.kinds),
            self.error.eq(findings.count != 0),
            self.errors.eq(findings.count),
        ]
