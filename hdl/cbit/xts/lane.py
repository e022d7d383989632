"""One XTS lane: AES between two whitenings with the tweak of the block."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.pipeline import AesPipeline, Direction
from cbit.aes.round_keys import RoundKeySignature
from cbit.config import SBox
from cbit.stream.delay import Delay
from cbit.stream.stage import Stage
from cbit.xts.alpha import AlphaPower

__all__ = ["XtsLane"]


class XtsLane(Component):
    """Encrypts or decrypts blocks with AES-XTS (IEEE 1619, 5.3 and 5.4), given the tweaks of their lines.

    Latency: ``latency_cycles``, that of :class:`AesPipeline` and, if ``pipelined``, two more. Throughput,
    stalls, order and the rules of rekeying are those of :class:`AesPipeline`.

    Parameters
    ----------
    direction : :class:`Direction`
        What the lane can do.
    key_bits, slots, unroll, rounds_per_cycle, cycles_per_round, sbox, block_ram_rounds
        As of :class:`AesPipeline`.
    pipelined : :class:`bool`
        Whether registers part the steps of the whitening.
    tag_shape : :class:`ShapeLike`
        Shape of what goes with each block, unchanged.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"block", "slot", "tweak", "power", "fault", "tag"})))``
        Blocks and tweaks of 128 bits; byte *i* is bits 8i+7..8i. ``tweak`` is that of the first block of
        a line, of which this is block number ``power``, 0 to 3, and ``fault`` whether it is faulty. With
        ``Direction.BOTH`` there is a further member, ``decrypt``. Always ready if ``unroll`` is all rounds.
    o : ``Out(stream.Signature(StructLayout({"block", "fault", "tag"}), always_ready=True))``
        Blocks encrypted or decrypted. ``fault``: the tweak was faulty, or a round key.
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
                 cycles_per_round: int, pipelined: bool, sbox: SBox, block_ram_rounds: int | None = None,
                 tag_shape: ShapeLike) -> None:
        self.direction = direction
        self.key_bits = key_bits
        self.slots = slots
        self.unroll = unroll
        self.rounds_per_cycle = rounds_per_cycle
        self.cycles_per_round = cycles_per_round
        self.pipelined = pipelined
        self.sbox = sbox
        self.tag_shape = tag_shape
        self._pipeline = AesPipeline(
            direction=direction, key_bits=key_bits, slots=slots, unroll=unroll, rounds_per_cycle=rounds_per_cycle,
            cycles_per_round=cycles_per_round, sbox=sbox, block_ram_rounds=block_ram_rounds)
        self.block_ram_rounds = self._pipeline.block_ram_rounds
        self.latency_cycles = self._pipeline.latency_cycles + 2 * pipelined
        self.turns = self._pipeline.turns
        self.key_cycles = self._pipeline.key_cycles
        self.key_every_cycles = self._pipeline.key_every_cycles
        aes_payload = self._pipeline.i.payload.shape()
        always_ready = self._pipeline.i.signature.always_ready
        beside = {"tweak": 128, "power": 2, "fault": 1, "tag": tag_shape}
        super().__init__({
            "i": In(stream.Signature(data.StructLayout(aes_payload.members | beside), always_ready=always_ready)),
            "o": Out(stream.Signature(data.StructLayout({"block": 128, "fault": 1, "tag": tag_shape}),
                                      always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=self._pipeline.rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.aes = aes = self._pipeline
        wiring.connect(m, wiring.flipped(self.round_key), aes.round_key)
        valid, entering = self._enter(m, aes.i.ready)
        m.submodules.beside = beside = Delay(
            shape=data.StructLayout({"tweak": 128, "fault": 1, "tag": self.tag_shape}), cycles=aes.latency_cycles)
        m.submodules.leave = leave = Stage(
            shape=data.StructLayout({"valid": 1, "payload": self.o.payload.shape()}), registered=self.pipelined)
        if self.direction is Direction.BOTH:
            m.d.comb += aes.i.payload.decrypt.eq(entering.decrypt)
        m.d.comb += [
            aes.i.valid.eq(valid),
            aes.i.payload.block.eq(entering.block),
            aes.i.payload.slot.eq(entering.slot),
            # The pipeline never stalls, so that what goes beside needs but be as late.
            beside.i.tweak.eq(entering.tweak),
            beside.i.fault.eq(entering.fault),
            beside.i.tag.eq(entering.tag),

            leave.advance.eq(1),
            leave.i.valid.eq(aes.o.valid),
            leave.i.payload.block.eq(aes.o.payload ^ beside.o.tweak),
            leave.i.payload.fault.eq(aes.o_fault | beside.o.fault),
            leave.i.payload.tag.eq(beside.o.tag),
            self.o.valid.eq(leave.o.valid),
            self.o.payload.eq(leave.o.payload),
        ]
        return m

    def _enter(self, m: Module, ready: Signal) -> tuple[Signal, data.View]:
        """The blocks with their own tweaks, added to them already, and whether there is one."""
        m.submodules.power = power = AlphaPower(power_bits=2)
        m.submodules.enter = enter = Stage(
            shape=data.StructLayout({"valid": 1, "payload": self.i.payload.shape()}), registered=self.pipelined)
        m.d.comb += [
            power.block.eq(self.i.payload.tweak),
            power.power.eq(self.i.payload.power),
            enter.i.valid.eq(self.i.valid),
            enter.i.payload.eq(self.i.payload),
            enter.i.payload.block.eq(self.i.payload.block ^ power.result),
            enter.i.payload.tweak.eq(power.result),
            enter.advance.eq(ready | ~enter.o.valid),
        ]
        if not self.i.signature.always_ready:
            m.d.comb += self.i.ready.eq(enter.advance)
        return enter.o.valid, enter.o.payload
