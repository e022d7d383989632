"""Multiplication by powers of alpha, which step the XTS tweak from block to block.

Elements of GF(2^128) are 128 bits: bit *i*, that is bit i mod 8 of byte i div 8, is the coefficient of
alpha^i, modulo alpha^128 + alpha^7 + alpha^2 + alpha + 1 (IEEE 1619, 5.2).
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

__all__ = ["AlphaPower", "times_alpha"]

MOST_IN_ONE_STEP = 121
"""The highest power whose carry, seven bits longer than itself, does not wrap again."""


def times_alpha(value: Value, power: int) -> Value:
    """``value`` times alpha to a constant ``power``; 128 bits, XORs only.

    Raises
    ------
    ValueError
        If ``power`` is not from 0 to 121.
    """
    if not 0 <= power <= MOST_IN_ONE_STEP:
        raise ValueError(f"Power must be from 0 to {MOST_IN_ONE_STEP}, not {power!r}")
    carry = value[128 - power:]
    return ((value << power) ^ carry ^ carry << 1 ^ carry << 2 ^ carry << 7)[:128]


class AlphaPower(Component):
    """Multiplies a tweak by a variable power of alpha. Combinational, ``power_bits`` multiplications deep.

    Parameters
    ----------
    power_bits : :class:`int`
        Bits of ``power``. With 0, ``result`` is ``block``.
    scale : :class:`int`
        What ``power`` counts: alpha^scale. 1 or more.

    Members
    -------
    block : ``In(128)``
        The factor.
    power : ``In(power_bits)``
        Which power of alpha^scale.
    result : ``Out(128)``
        ``block`` times alpha^(``scale`` * ``power``).
    """

    block: Signal
    power: Signal
    result: Signal

    def __init__(self, *, power_bits: int, scale: int = 1) -> None:
        self.power_bits = power_bits
        self.scale = scale
        super().__init__({
            "block": In(128),
            "power": In(power_bits),
            "result": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        product = self.block
        for bit in range(self.power_bits):
            with_bit = product
            remaining = self.scale << bit
            while remaining:
                step = min(remaining, MOST_IN_ONE_STEP)
                factor = Signal(128, name=f"factor_{bit}_{remaining}")
                m.d.comb += factor.eq(times_alpha(with_bit, step))
                with_bit = factor
                remaining -= step
            following = Signal(128, name=f"product_{bit}")
            m.d.comb += following.eq(Mux(self.power[bit], with_bit, product))
            product = following
        m.d.comb += self.result.eq(product)
        return m
