"""One XTS lane: AES between two whitenings with the tweak of the block."""

from amaranth import Module
from amaranth.hdl import ShapeLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.pipeline import AesPipeline, Direction
from cbit.aes.round_keys import RoundKeySignature
from cbit.config import SBox
from cbit.stream.queue import ReservedQueue
from cbit.xts.alpha import AlphaPower

__all__ = ["XtsLane"]


class XtsLane(Component):
    """Encrypts or decrypts blocks with AES-XTS (IEEE 1619, 5.3 and 5.4), given the tweaks of their lines.

    Latency, throughput, stalls, order and the rules of rekeying are those of :class:`AesPipeline`; the
    whitening adds no cycle.

    Parameters
    ----------
    direction : :class:`Direction`
        What the lane can do.
    key_bits, slots, unroll, rounds_per_cycle, sbox
        As of :class:`AesPipeline`.
    tag_shape : :class:`ShapeLike`
        Shape of what goes with each block, unchanged.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"block", "slot", "tweak", "power", "tag"})))``
        Blocks and tweaks of 128 bits; byte *i* is bits 8i+7..8i. ``tweak`` is that of the first block of
        a line, of which this is block number ``power``, 0 to 3. With ``Direction.BOTH`` there is a
        further member, ``decrypt``. Always ready if ``unroll`` is all rounds.
    o : ``Out(stream.Signature(StructLayout({"block", "tag"}), always_ready=True))``
        Blocks encrypted or decrypted.
    round_key : ``In(RoundKeySignature(slots, rounds))``
        Writes round keys of K1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    i: stream.Interface
    o: stream.Interface
    round_key: wiring.PureInterface

    def __init__(self, *, direction: Direction, key_bits: int, slots: int, unroll: int, rounds_per_cycle: int,
                 sbox: SBox, tag_shape: ShapeLike) -> None:
        self.direction = direction
        self.key_bits = key_bits
        self.slots = slots
        self.unroll = unroll
        self.rounds_per_cycle = rounds_per_cycle
        self.sbox = sbox
        self.tag_shape = tag_shape
        self._pipeline = AesPipeline(
            direction=direction, key_bits=key_bits, slots=slots, unroll=unroll, rounds_per_cycle=rounds_per_cycle,
            sbox=sbox)
        self.latency_cycles = self._pipeline.latency_cycles
        self.turns = self._pipeline.turns
        aes_payload = self._pipeline.i.payload.shape()
        always_ready = self._pipeline.i.signature.always_ready
        beside = {"tweak": 128, "power": 2, "tag": tag_shape}
        super().__init__({
            "i": In(stream.Signature(data.StructLayout(aes_payload.members | beside), always_ready=always_ready)),
            "o": Out(stream.Signature(data.StructLayout({"block": 128, "tag": tag_shape}), always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=self._pipeline.rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.aes = aes = self._pipeline
        m.submodules.alpha = alpha = AlphaPower(power_bits=2)
        # One entry for each block inside: they leave in order, so the queue stays in step by itself.
        m.submodules.beside = beside = ReservedQueue(
            shape=data.StructLayout({"tweak": 128, "tag": self.tag_shape}), depth=max(2, aes.capacity), bypass=False)
        wiring.connect(m, wiring.flipped(self.round_key), aes.round_key)
        if self.direction is Direction.BOTH:
            m.d.comb += aes.i.payload.decrypt.eq(self.i.payload.decrypt)
        if not self.i.signature.always_ready:
            m.d.comb += self.i.ready.eq(aes.i.ready)
        m.d.comb += [
            alpha.block.eq(self.i.payload.tweak),
            alpha.power.eq(self.i.payload.power),
            aes.i.valid.eq(self.i.valid),
            aes.i.payload.block.eq(self.i.payload.block ^ alpha.result),
            aes.i.payload.slot.eq(self.i.payload.slot),
            beside.i.valid.eq(self.i.valid & self.i.ready),
            beside.i.payload.tweak.eq(alpha.result),
            beside.i.payload.tag.eq(self.i.payload.tag),

            self.o.valid.eq(aes.o.valid),
            self.o.payload.block.eq(aes.o.payload ^ beside.o.payload.tweak),
            self.o.payload.tag.eq(beside.o.payload.tag),
            beside.o.ready.eq(aes.o.valid),
        ]
        return m
