"""Signals of the simulated design, without what cocotb does for each look at ``value`` and each assignment to it.

cocotb makes a logic array for each look, and holds assignments back until the phase of the time step that is meant for
them. A bench that looks and drives several times a cycle would spend most of its time there. This file is the only one
that knows the handles beneath.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from cocotb.handle import _GPISetAction

__all__ = ["bits_reader", "bits_writer", "word_reader", "word_writer"]

_AT_ONCE = _GPISetAction.NO_DELAY.value


def word_reader(signal: Any) -> Callable[[], int]:
    """Reads up to 31 bits as an integer; undefined bits are 0."""
    look: Callable[[], int] = signal._handle.get_signal_val_long
    return look


def bits_reader(signal: Any) -> Callable[[], str]:
    """Reads a signal of any width as its bits, the most significant one first."""
    look: Callable[[], str] = signal._handle.get_signal_val_binstr
    return look


def word_writer(signal: Any) -> Callable[[int], None]:
    """Writes up to 31 bits, at once: what follows from them happens when Python has returned to the simulator."""
    return partial(signal._handle.set_signal_val_int, _AT_ONCE)


def bits_writer(signal: Any) -> Callable[[str], None]:
    """Writes all bits of a signal, the most significant one first, at once like :func:`word_writer`."""
    return partial(signal._handle.set_signal_val_binstr, _AT_ONCE)
