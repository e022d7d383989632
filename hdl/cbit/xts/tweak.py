"""The tweak engine: from the address of a line to the tweak of its first block."""

from amaranth import Module
from amaranth.hdl import ShapeLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import rounds_of
from cbit.aes.pipeline import AesPipeline, Direction
from cbit.aes.round_keys import RoundKeySignature
from cbit.config import SBox
from cbit.stream.queue import ReservedQueue
from cbit.xts.alpha import AlphaPower

__all__ = ["TweakEngine"]

LINE_BYTES = 64
BLOCKS_PER_LINE = LINE_BYTES // 16


class TweakEngine(Component):
    """Computes the tweak of the first block of a 64-byte line (IEEE 1619, 5.2).

    The tweak is E(K2, data unit number, as 16 bytes, least significant first) times alpha^(4 * line
    within the data unit).

    Latency: ``latency_cycles`` = rounds / ``rounds_per_cycle`` from ``i`` to ``o`` when idle. Throughput:
    a tweak every two cycles, which keeps up with lines of four blocks in both directions at a block a
    cycle each. Stalls: ``i`` waits while the ring is full, ``o`` never. Tweaks leave in order.

    Parameters
    ----------
    key_bits, slots, rounds_per_cycle, sbox
        As of :class:`AesPipeline`.
    data_unit_bytes : :class:`int`
        Bytes of a data unit: a power of two, 64 or more.
    addr_width : :class:`int`
        Bits of an address.
    tag_shape : :class:`ShapeLike`
        Shape of what goes with each request, unchanged.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"line", "slot", "tag"})))``
        ``line`` is the address without its six low bits, C-bit cleared.
    o : ``Out(stream.Signature(StructLayout({"tweak", "tag"}), always_ready=True))``
        Tweaks; byte *i* is bits 8i+7..8i.
    round_key : ``In(RoundKeySignature(slots, rounds))``
        Writes round keys of K2.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    i: stream.Interface
    o: stream.Interface
    round_key: wiring.PureInterface

    def __init__(self, *, key_bits: int, slots: int, data_unit_bytes: int, addr_width: int, sbox: SBox,
                 rounds_per_cycle: int, tag_shape: ShapeLike) -> None:
        if data_unit_bytes < LINE_BYTES or data_unit_bytes & (data_unit_bytes - 1):
            raise ValueError(f"Data unit bytes must be a power of two of at least {LINE_BYTES}, "
                             f"not {data_unit_bytes!r}")
        self.key_bits = key_bits
        self.slots = slots
        self.data_unit_bytes = data_unit_bytes
        self.addr_width = addr_width
        self.sbox = sbox
        self.rounds_per_cycle = rounds_per_cycle
        self.tag_shape = tag_shape
        half = rounds_of(key_bits) // 2
        self._pipeline = AesPipeline(
            direction=Direction.ENCRYPT, key_bits=key_bits, slots=slots, unroll=half + half % rounds_per_cycle,
            rounds_per_cycle=rounds_per_cycle, sbox=sbox)
        self.latency_cycles = self._pipeline.latency_cycles
        self._request = data.StructLayout({
            "line": addr_width - (LINE_BYTES - 1).bit_length(), "slot": range(slots), "tag": tag_shape})
        super().__init__({
            "i": In(stream.Signature(self._request)),
            "o": Out(stream.Signature(data.StructLayout({"tweak": 128, "tag": tag_shape}), always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=self._pipeline.rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        line_bits = (self.data_unit_bytes // LINE_BYTES).bit_length() - 1
        m.submodules.aes = aes = self._pipeline
        m.submodules.beside = beside = ReservedQueue(
            shape=data.StructLayout({"line_in_unit": line_bits, "tag": self.tag_shape}),
            depth=max(2, aes.capacity), bypass=False)
        m.submodules.alpha = alpha = AlphaPower(power_bits=line_bits, scale=BLOCKS_PER_LINE)
        wiring.connect(m, wiring.flipped(self.round_key), aes.round_key)
        request = self.i.payload
        m.d.comb += [
            aes.i.valid.eq(self.i.valid),
            aes.i.payload.block.eq(request.line[line_bits:]),
            aes.i.payload.slot.eq(request.slot),
            self.i.ready.eq(aes.i.ready),

            beside.i.valid.eq(self.i.valid & aes.i.ready),
            beside.i.payload.line_in_unit.eq(request.line[:line_bits]),
            beside.i.payload.tag.eq(request.tag),
            beside.o.ready.eq(aes.o.valid),

            alpha.block.eq(aes.o.payload),
            alpha.power.eq(beside.o.payload.line_in_unit),
            self.o.valid.eq(aes.o.valid),
            self.o.payload.tweak.eq(alpha.result),
            self.o.payload.tag.eq(beside.o.payload.tag),
        ]
        return m
