"""MixColumns and AddRoundKey, of what the S-boxes give."""

from collections.abc import Sequence

from amaranth import Cat, Module, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction
from cbit.aes.mixing import Source, mixing_of

__all__ = ["MixColumns"]


class MixColumns(Component):
    """MixColumns (FIPS 197, 5.1.3) or InvMixColumns (5.3.3), then AddRoundKey.

    Latency: ``stages`` cycles for ``i``; ``key`` is taken with the last register, or at once if there is
    none. Throughput: a state a cycle, without stalls.

    Parameters
    ----------
    direction : :class:`Direction`
        Whose split of MixColumns is used: see :class:`~cbit.aes.mixing.Mixing`.
    stages : :class:`int`
        0, 1 for a register at the end, 2 for one between the two levels of XORs as well.

    Members
    -------
    i : ``In(16 * mixing_of(direction).width)``
        What the S-boxes give, after ShiftRows.
    key : ``In(128)``
        The round key, for ``mixed`` in the basis of states.
    mixed : ``Out(128)``
        The state after MixColumns and AddRoundKey, in the basis of states.
    plain : ``Out(128)``
        The state after AddRoundKey alone, as the last round does it, in the basis of FIPS 197.
    """

    unguarded = True
    """Pieces of blocks."""

    i: Signal
    key: Signal
    mixed: Signal
    plain: Signal

    def __init__(self, *, direction: Direction, stages: int) -> None:
        assert stages in (0, 1, 2)
        self.direction = direction
        self.stages = stages
        super().__init__({
            "i": In(16 * mixing_of(direction).width),
            "key": In(128),
            "mixed": Out(128),
            "plain": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        mixing = mixing_of(self.direction)
        given = self._name(m, _slices(self.i, mixing.width), registered=False)
        middle = [_sum(given, sources) for sources in mixing.middle]
        plain = [_sum(given, [(0, bit) for bit in bits]) for bits in mixing.plain]
        middle, plain = (self._name(m, values, registered=self.stages == 2) for values in (middle, plain))
        key = _slices(self.key, 8)
        ends = [_sum(middle, sources) ^ key[bit] for bit, sources in enumerate(mixing.mixed)]
        ends += [bits ^ key[bit] for bit, bits in enumerate(plain)]
        ends = self._name(m, ends, registered=self.stages > 0)
        m.d.comb += [
            self.mixed.eq(Cat(ends[bit][byte] for byte in range(16) for bit in range(8))),
            self.plain.eq(Cat(ends[8 + bit][byte] for byte in range(16) for bit in range(8))),
        ]
        return m

    @staticmethod
    def _name(m: Module, values: list[Value], *, registered: bool) -> list[Value]:
        # A valid bit goes beside it and is reset; what the state was before that does not matter.
        signals = [Signal(16, reset_less=True) for _ in values]
        m.d["sync" if registered else "comb"] += [signal.eq(value) for signal, value in zip(signals, values)]
        return signals


def _slices(state: Value, bits: int) -> list[Value]:
    """Of each bit of a byte, those of all 16 bytes."""
    return [Cat(state[bits * byte + bit] for byte in range(16)) for bit in range(bits)]


def _sum(slices: list[Value], sources: Sequence[Source]) -> Value:
    """The XOR of some bits of each byte's column; of pairs, so that sums of rows that are the same look the same."""
    if len(sources) == 1:
        row, bit = sources[0]
        return Cat(slices[bit][byte - byte % 4 + (byte + row) % 4] for byte in range(16))
    half = (len(sources) + 1) // 2
    return _sum(slices, sources[:half]) ^ _sum(slices, sources[half:])
