"""Several inputs of a component set at once in Amaranth's own simulator."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Const, Value, ValueCastable

__all__ = ["offered", "set_together"]


def set_together(ctx: Any, *values: tuple[Any, Any]) -> None:
    """Sets each target to its value, as ``ctx.set`` does one after the other.

    The simulator lets all logic settle after each ``ctx.set`` of a testbench: here once for all. What follows from a
    target is not to be seen before.
    """
    word, width = 0, 0
    for target, value in values:
        word |= _bits(target, value) << width
        width += len(Value.cast(target))
    ctx.set(Cat(*(target for target, _ in values)), word)


def offered(stream: Any, payload: Any | None) -> list[tuple[Any, Any]]:
    """For :func:`set_together`: what an input stream offers, or that it offers nothing."""
    return [(stream.valid, payload is not None), *([] if payload is None else [(stream.payload, payload)])]


def _bits(target: Any, value: Any) -> int:
    bits: Any = value
    if isinstance(target, ValueCastable) and isinstance(value, Mapping):
        bits = target.shape().const(value)
    return int(Const.cast(bits).value) & (1 << len(Value.cast(target))) - 1
