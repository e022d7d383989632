"""An XTS lane: for each block of a beat AES between two whitenings with the tweak of the block."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import ShapeLike, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.pipeline import AesPipeline, Direction
from cbit.aes.round_keys import RoundKeySignature
from cbit.axi.beat import BLOCK_BITS, BeatShape
from cbit.config import SBox
from cbit.stream.delay import Delay
from cbit.stream.stage import Stage
from cbit.xts.alpha import AlphaPower, times_alpha

__all__ = ["XtsLane"]


class XtsLane(Component):
    """Encrypts or decrypts beats of blocks with AES-XTS (IEEE 1619, 5.3 and 5.4), given the tweaks of their lines.

    It has an AES pipeline for each block of a beat; all go in step, under the same keys.

    Latency: ``latency_cycles``, that of :class:`AesPipeline` and, if ``pipelined``, two more. Throughput,
    stalls, order and the rules of rekeying are those of :class:`AesPipeline`.

    Parameters
    ----------
    direction : :class:`Direction`
        What the lane can do.
    data_width : :class:`int`
        Bits of a beat: 128, 256 or 512.
    key_bits, slots, unroll, rounds_per_cycle, cycles_per_round, sbox
        As of :class:`AesPipeline`.
    block_ram_rounds : :class:`int` or :data:`None`
        As of :class:`AesPipeline`, of all pipelines together.
    pipelined : :class:`bool`
        Whether registers part the steps of the whitening.
    tag_shape : :class:`ShapeLike`
        Shape of what goes with each beat, unchanged.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data", "slot", "tweak", "number", "fault", "tag"})))``
        Beats, and tweaks of 128 bits; byte *i* is bits 8i+7..8i. ``tweak`` is that of the first block of a line, of
        which this is beat ``number``, and ``fault`` whether it is faulty. With ``Direction.BOTH`` there is a further
        member, ``decrypt``. Always ready if ``unroll`` is all rounds.
    o : ``Out(stream.Signature(StructLayout({"data", "fault", "tag"}), always_ready=True))``
        Beats encrypted or decrypted. ``fault``: the tweak was faulty, or a round key.
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

    def __init__(self, *, direction: Direction, data_width: int, key_bits: int, slots: int, unroll: int,
                 rounds_per_cycle: int, cycles_per_round: int, pipelined: bool, sbox: SBox,
                 block_ram_rounds: int | None = None, tag_shape: ShapeLike) -> None:
        self.direction = direction
        self.beat = BeatShape(data_width)
        self.key_bits = key_bits
        self.slots = slots
        self.unroll = unroll
        self.rounds_per_cycle = rounds_per_cycle
        self.cycles_per_round = cycles_per_round
        self.pipelined = pipelined
        self.sbox = sbox
        self.tag_shape = tag_shape
        self._pipelines: list[AesPipeline] = []
        self.block_ram_rounds = 0
        for _ in range(self.beat.blocks):
            left = None if block_ram_rounds is None else block_ram_rounds - self.block_ram_rounds
            self._pipelines.append(AesPipeline(
                direction=direction, key_bits=key_bits, slots=slots, unroll=unroll, rounds_per_cycle=rounds_per_cycle,
                cycles_per_round=cycles_per_round, sbox=sbox, block_ram_rounds=left))
            self.block_ram_rounds += self._pipelines[-1].block_ram_rounds
        first = self._pipelines[0]
        self.latency_cycles = first.latency_cycles + 2 * pipelined
        self.turns = first.turns
        self.key_cycles = max(pipeline.key_cycles for pipeline in self._pipelines)
        self.key_every_cycles = max(pipeline.key_every_cycles for pipeline in self._pipelines)
        of_aes = first.i.payload.shape().members
        beside = {"tweak": 128, "number": unsigned(self.beat.number_bits), "fault": 1, "tag": tag_shape}
        members = {"data": data_width} | {name: of_aes[name] for name in of_aes if name != "block"} | beside
        super().__init__({
            "i": In(stream.Signature(data.StructLayout(members), always_ready=first.i.signature.always_ready)),
            "o": Out(stream.Signature(data.StructLayout({"data": data_width, "fault": 1, "tag": tag_shape}),
                                      always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=first.rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        first = self._pipelines[0]
        valid, entering = self._enter(m, first.i.ready)
        m.submodules.beside = beside = Delay(
            shape=data.StructLayout({"tweak": 128, "fault": 1, "tag": self.tag_shape}), cycles=first.latency_cycles)
        m.submodules.leave = leave = Stage(
            shape=data.StructLayout({"valid": 1, "payload": self.o.payload.shape()}), registered=self.pipelined)
        for number, aes in enumerate(self._pipelines):
            m.submodules[f"aes_{number}" if number else "aes"] = aes
            wiring.connect(m, wiring.flipped(self.round_key), aes.round_key)
            if self.direction is Direction.BOTH:
                m.d.comb += aes.i.payload.decrypt.eq(entering.decrypt)
            m.d.comb += [
                aes.i.valid.eq(valid),
                aes.i.payload.block.eq(entering.data.word_select(number, BLOCK_BITS)),
                aes.i.payload.slot.eq(entering.slot),
            ]
        m.d.comb += [
            # The pipelines never stall, so that what goes beside needs but be as late.
            beside.i.tweak.eq(entering.tweak),
            beside.i.fault.eq(entering.fault),
            beside.i.tag.eq(entering.tag),

            leave.advance.eq(1),
            leave.i.valid.eq(first.o.valid),
            leave.i.payload.data.eq(Cat(aes.o.payload for aes in self._pipelines) ^ self._tweaks(beside.o.tweak)),
            leave.i.payload.fault.eq(Cat(aes.o_fault for aes in self._pipelines).any() | beside.o.fault),
            leave.i.payload.tag.eq(beside.o.tag),
            self.o.valid.eq(leave.o.valid),
            self.o.payload.eq(leave.o.payload),
        ]
        return m

    def _tweaks(self, tweak: Value) -> Value:
        """The tweaks of a beat's blocks, given that of the first."""
        return Cat(times_alpha(tweak, block) for block in range(self.beat.blocks))

    def _enter(self, m: Module, ready: Signal) -> tuple[Signal, data.View]:
        """The beats with their own first tweaks, all tweaks added to them already, and whether there is one."""
        m.submodules.power = power = AlphaPower(power_bits=self.beat.number_bits, scale=self.beat.blocks)
        m.submodules.enter = enter = Stage(
            shape=data.StructLayout({"valid": 1, "payload": self.i.payload.shape()}), registered=self.pipelined)
        m.d.comb += [
            power.block.eq(self.i.payload.tweak),
            power.power.eq(self.i.payload.number),
            enter.i.valid.eq(self.i.valid),
            enter.i.payload.eq(self.i.payload),
            enter.i.payload.data.eq(self.i.payload.data ^ self._tweaks(power.result)),
            enter.i.payload.tweak.eq(power.result),
            enter.advance.eq(ready | ~enter.o.valid),
        ]
        if not self.i.signature.always_ready:
            m.d.comb += self.i.ready.eq(enter.advance)
        return enter.o.valid, enter.o.payload
