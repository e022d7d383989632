"""DRAM behind AXI4."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, connect, flipped

from cbit.axi.ports import Axi4Signature, Response, address_layout, read_data_layout
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.slice import RegisterSlice
from cbit.traffic.burst import BEAT_BYTES, BeatPlace
from cbit.traffic.pauses import Pace, Pauses
from cbit.traffic.xorshift import RandomBits
from cbit_sim.gateware.unordered import WAIT_BITS, Unordered

__all__ = ["RandomDram"]

_ENTRIES = 8
_PAGE_BITS = 12
_MOOD_CYCLES = 2048
_CHANNELS = ("ar", "aw", "w")
_RANDOM = 64
"""Number of the first generator of random bits, past those of the traffic."""


class RandomDram(Component):
    """A memory that answers late, in any order that AXI4 allows, with beats of several bursts between each other.

    Latency and pace change every 2048 cycles: latencies are up to 3, 15, 63 or 255 cycles.

    Parameters
    ----------
    addr_width, id_width : :class:`int`
        As the engine's.
    size_bytes : :class:`int`
        A power of two, 8192 or more; address bits above it do not count.

    Members
    -------
    axi : ``In(Axi4Signature(...))``
    """

    def __init__(self, *, addr_width: int, id_width: int, size_bytes: int) -> None:
        if size_bytes < 2 << _PAGE_BITS or size_bytes & (size_bytes - 1):
            raise ValueError(f"size_bytes must be a power of two of at least 8192, not {size_bytes!r}")
        self.id_width = id_width
        self.size_width = size_bytes.bit_length() - 1
        self.address = address_layout(addr_width=addr_width, id_width=id_width)
        self.memory = Memory(shape=unsigned(8 * BEAT_BYTES), depth=size_bytes // BEAT_BYTES, init=[])
        super().__init__({"axi": In(Axi4Signature(addr_width=addr_width, data_width=8 * BEAT_BYTES,
                                                  id_width=id_width))})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        turn_bits = _ENTRIES.bit_length() - 1
        m.submodules.random = random = RandomBits(
            width=WAIT_BITS + turn_bits + 2 + 4 * len(_CHANNELS) + 1, first=_RANDOM)
        bits = random.o
        wait, bits = bits[:WAIT_BITS], bits[WAIT_BITS:]
        turn, bits = bits[:turn_bits], bits[turn_bits:]
        longest, bits = bits[:2], bits[2:]
        clock, mask = Signal(range(_MOOD_CYCLES)), Signal(WAIT_BITS)
        m.d.comb += random.advance.eq(1)
        m.d.sync += clock.eq(clock + 1)
        with m.If(clock == 0):
            m.d.sync += mask.eq(Array((3, 15, 63, 255))[longest])
        paused = {}
        for number, name in enumerate(_CHANNELS):
            channel = getattr(self.axi, name)
            m.submodules[f"{name}_pauses"] = paused[name] = Pauses(shape=channel.payload.shape())
            own, mood = bits.word_select(number, 4), Signal(Pace, name=f"{name}_pace")
            with m.If(clock == 0):
                m.d.sync += mood.eq(own[2:])
            connect(m, flipped(channel), paused[name].i)
            m.d.comb += [paused[name].pace.eq(mood), paused[name].bits.eq(own[:2])]
        kept_turn = Signal(turn_bits)
        with m.If(bits[4 * len(_CHANNELS)]):
            m.d.sync += kept_turn.eq(turn)
        self._reads(m, paused["ar"], wait & mask, kept_turn)
        self._writes(m, paused["aw"], paused["w"], wait & mask, kept_turn)
        return m

    def _place(self, m: Module, name: str, burst: Value, index: Value) -> BeatPlace:
        m.submodules[name] = place = BeatPlace(region_width=self.size_width - _PAGE_BITS, offset_width=_PAGE_BITS)
        m.d.comb += [
            place.burst.region.eq(burst.addr[_PAGE_BITS:]),
            place.burst.offset.eq(burst.addr[:_PAGE_BITS]),
            *(place.burst[field].eq(burst[field]) for field in ("len", "size", "burst")),
            place.index.eq(index),
        ]
        return place

    def _reads(self, m: Module, ar: Pauses, wait: Value, turn: Value) -> None:
        m.submodules.waiting_reads = waiting = Unordered(shape=self.address, id_width=self.id_width, entries=_ENTRIES)
        m.submodules.r_slice = r_slice = RegisterSlice(shape=read_data_layout(self.id_width, 8 * BEAT_BYTES))
        connect(m, r_slice.o, flipped(self.axi.r))
        progress = Array(Signal(8, name=f"progress{number}") for number in range(_ENTRIES))
        oldest, beat = waiting.o.payload, r_slice.i.payload
        index = progress[oldest.number]
        place = self._place(m, "read_place", oldest.entry, index)
        read = self.memory.read_port(domain="comb")
        m.d.comb += [
            waiting.i.valid.eq(ar.o.valid),
            ar.o.ready.eq(waiting.i.ready),
            waiting.i.payload.id.eq(ar.o.payload.id),
            waiting.i.payload.entry.eq(ar.o.payload),
            waiting.wait_cycles.eq(wait),
            waiting.turn.eq(turn),
            read.addr.eq(place.block),
            r_slice.i.valid.eq(waiting.o.valid),
            waiting.o.ready.eq(r_slice.i.ready),
            beat.id.eq(oldest.id),
            beat.data.eq(read.data),
            beat.resp.eq(Response.OKAY),
            beat.last.eq(index == oldest.entry.len),
            waiting.keep.eq(~beat.last),
        ]
        with m.If(waiting.o.valid & waiting.o.ready):
            m.d.sync += index.eq(Mux(beat.last, 0, index + 1))

    def _writes(self, m: Module, aw: Pauses, w: Pauses, wait: Value, turn: Value) -> None:
        m.submodules.begun_writes = begun = BoundedQueue(shape=self.address, depth=_ENTRIES)
        m.submodules.ended_writes = ended = Unordered(shape=unsigned(1), id_width=self.id_width, entries=_ENTRIES)
        m.submodules.b_slice = b_slice = RegisterSlice(shape=self.axi.b.payload.shape())
        connect(m, aw.o, begun.i)
        connect(m, b_slice.o, flipped(self.axi.b))
        index = Signal(8)
        place = self._place(m, "write_place", begun.o.payload, index)
        write = self.memory.write_port(granularity=8)
        beat, takes = w.o.payload, Signal()
        m.d.comb += [
            w.o.ready.eq(begun.o.valid & ended.i.ready),
            takes.eq(w.o.valid & w.o.ready),
            begun.o.ready.eq(takes & beat.last),
            write.addr.eq(place.block),
            write.data.eq(beat.data),
            write.en.eq(Mux(takes, beat.strb, 0)),
            ended.i.valid.eq(begun.o.ready),
            ended.i.payload.id.eq(begun.o.payload.id),
            ended.wait_cycles.eq(wait),
            ended.turn.eq(turn),
            b_slice.i.valid.eq(ended.o.valid),
            ended.o.ready.eq(b_slice.i.ready),
            b_slice.i.payload.id.eq(ended.o.payload.id),
            b_slice.i.payload.resp.eq(Response.OKAY),
        ]
        with m.If(takes):
            m.d.sync += index.eq(Mux(beat.last, 0, index + 1))
