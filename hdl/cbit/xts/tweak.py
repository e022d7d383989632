"""The tweak engine: from the address of a line to the tweak of its first block."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import rounds_of
from cbit.aes.pipeline import AesPipeline, Direction
from cbit.aes.round_keys import RoundKeySignature
from cbit.axi.beat import BLOCKS_PER_LINE, LINE_BYTES
from cbit.config import SBox
from cbit.stream.delay import Delay
from cbit.stream.stage import Stage
from cbit.xts.alpha import AlphaPower

__all__ = ["TweakEngine"]

BITS_PER_STEP = 2
"""Bits of the power that are multiplied between two registers."""


class TweakEngine(Component):
    """Computes the tweak of the first block of a 64-byte line (IEEE 1619, 5.2).

    The tweak is E(K2, data unit number, as 16 bytes, least significant first) times alpha^(4 * line
    within the data unit).

    Latency: ``latency_cycles`` from ``i`` to ``o`` when idle: that of :class:`AesPipeline`; if
    ``pipelined``, one more for each two bits of the line's number in the data unit but the first two.
    Throughput: a tweak every ``every_cycles`` on average. Stalls: ``i`` waits while the ring is full,
    ``o`` never. Tweaks leave in order.

    Parameters
    ----------
    key_bits, slots, rounds_per_cycle, cycles_per_round, sbox, block_ram_rounds
        As of :class:`AesPipeline`.
    data_unit_bytes : :class:`int`
        Bytes of a data unit: a power of two, 64 or more.
    addr_width : :class:`int`
        Bits of an address.
    every_cycles : :class:`int`
        How often a tweak is needed; no more rounds are in hardware than that takes. 1 or more.
    pipelined : :class:`bool`
        Whether registers part the multiplications.
    tag_shape : :class:`ShapeLike`
        Shape of what goes with each request, unchanged.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"line", "slot", "tag"})))``
        ``line`` is the address without its six low bits, C-bit cleared.
    o : ``Out(stream.Signature(StructLayout({"tweak", "fault", "tag"}), always_ready=True))``
        Tweaks; byte *i* is bits 8i+7..8i. ``fault``: a round key was faulty.
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
                 block_ram_rounds: int | None = None, rounds_per_cycle: int, cycles_per_round: int, every_cycles: int,
                 pipelined: bool, tag_shape: ShapeLike) -> None:
        if data_unit_bytes < LINE_BYTES or data_unit_bytes & (data_unit_bytes - 1):
            raise ValueError(f"Data unit bytes must be a power of two of at least {LINE_BYTES}, "
                             f"not {data_unit_bytes!r}")
        if every_cycles < 1:
            raise ValueError(f"Every cycles must be at least 1, not {every_cycles!r}")
        self.key_bits = key_bits
        self.slots = slots
        self.data_unit_bytes = data_unit_bytes
        self.addr_width = addr_width
        self.sbox = sbox
        self.rounds_per_cycle = rounds_per_cycle
        self.cycles_per_round = cycles_per_round
        self.every_cycles = every_cycles
        self.pipelined = pipelined
        self.tag_shape = tag_shape
        stages = -(-rounds_of(key_bits) // (every_cycles * rounds_per_cycle))
        self._pipeline = AesPipeline(
            direction=Direction.ENCRYPT, key_bits=key_bits, slots=slots, unroll=stages * rounds_per_cycle,
            rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, sbox=sbox,
            block_ram_rounds=block_ram_rounds)
        self.block_ram_rounds = self._pipeline.block_ram_rounds
        self._line_bits = (data_unit_bytes // LINE_BYTES).bit_length() - 1
        self._steps = range(0, self._line_bits, BITS_PER_STEP)
        self.latency_cycles = self._pipeline.latency_cycles + len(self._steps[1:]) * pipelined
        self.key_cycles = self._pipeline.key_cycles
        self.key_every_cycles = self._pipeline.key_every_cycles
        line = addr_width - (LINE_BYTES - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({"line": line, "slot": range(slots), "tag": tag_shape}),
                                     always_ready=self._pipeline.i.signature.always_ready)),
            "o": Out(stream.Signature(data.StructLayout({"tweak": 128, "fault": 1, "tag": tag_shape}),
                                      always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=self._pipeline.rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.aes = aes = self._pipeline
        wiring.connect(m, wiring.flipped(self.round_key), aes.round_key)
        request = self.i.payload
        m.submodules.beside = beside = Delay(
            shape=data.StructLayout({"line_in_unit": self._line_bits, "tag": self.tag_shape}),
            cycles=aes.latency_cycles)
        m.d.comb += [
            aes.i.valid.eq(self.i.valid),
            aes.i.payload.block.eq(request.line[self._line_bits:]),
            aes.i.payload.slot.eq(request.slot),
            # The pipeline never stalls, so that what goes beside needs but be as late.
            beside.i.line_in_unit.eq(request.line[:self._line_bits]),
            beside.i.tag.eq(request.tag),
        ]
        if not self.i.signature.always_ready:
            m.d.comb += self.i.ready.eq(aes.i.ready)
        self._step(m, aes, beside.o)
        return m

    def _step(self, m: Module, aes: AesPipeline, beside: data.View) -> None:
        """From the tweak of the data unit to that of the line."""
        layout = data.StructLayout({"valid": 1, "tweak": 128, "fault": 1, "line_in_unit": self._line_bits,
                                    "tag": self.tag_shape})
        moving = Signal(layout)
        m.d.comb += [
            moving.valid.eq(aes.o.valid),
            moving.tweak.eq(aes.o.payload),
            moving.fault.eq(aes.o_fault),
            moving.line_in_unit.eq(beside.line_in_unit),
            moving.tag.eq(beside.tag),
        ]
        for bit in self._steps:
            if bit:
                m.submodules[f"stage_{bit}"] = stage = Stage(shape=layout, registered=self.pipelined)
                m.d.comb += [stage.i.eq(moving), stage.advance.eq(1)]
                moving = stage.o
            power = moving.line_in_unit[bit:bit + BITS_PER_STEP]
            m.submodules[f"alpha_{bit}"] = alpha = AlphaPower(power_bits=len(power), scale=BLOCKS_PER_LINE << bit)
            stepped = Signal(layout, name=f"stepped_{bit}")
            m.d.comb += [
                alpha.block.eq(moving.tweak),
                alpha.power.eq(power),
                stepped.eq(moving),
                stepped.tweak.eq(alpha.result),
            ]
            moving = stepped
        m.d.comb += [
            self.o.valid.eq(moving.valid),
            self.o.payload.tweak.eq(moving.tweak),
            self.o.payload.fault.eq(moving.fault),
            self.o.payload.tag.eq(moving.tag),
        ]
