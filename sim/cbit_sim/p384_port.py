"""The unit for P-384 in simulation, driven as the processor drives it."""

from typing import Any

from cbit_sim.compiled import CompiledComponent

__all__ = ["LONGEST_CYCLES", "P384Port", "RefusedError"]

LONGEST_CYCLES = 1_300_000
"""No operation may take longer."""

_REGISTER_WORDS = 16
_NUMBER_WORDS = 12
_BUSY = 1


class RefusedError(RuntimeError):
    """P384_START has refused what was written."""


class P384Port:
    """A compiled model of the unit, of which registers are numbers.

    Parameters
    ----------
    unit
        The gateware: :class:`cbit.psp.p384.unit.P384`.
    seed : :class:`int`
        Chooses what its memories hold before the reset.

    Attributes
    ----------
    component : :class:`~cbit_sim.compiled.CompiledComponent`
        The model, for what is not said here.
    cycles : :class:`int`
        What the last operation took; at first, and after a reset, the wiping.
    """

    def __init__(self, unit: Any, *, seed: int = 0) -> None:
        self.component = CompiledComponent(unit, seed=seed)
        self.cycles = self.wait()

    def reset(self) -> None:
        """Resets the unit for a cycle, and waits until it has wiped itself."""
        self.component.set("rst", 1)
        self.component.step()
        self.component.set("rst", 0)
        self.cycles = self.wait()

    def load(self, register: int, number: int) -> None:
        """Writes a register."""
        for word in range(_NUMBER_WORDS):
            self.write_word(_REGISTER_WORDS * register + word, number >> 32 * word & 0xffff_ffff)

    def number(self, register: int) -> int:
        """Reads a register."""
        return sum(self.read_word(_REGISTER_WORDS * register + word) << 32 * word for word in range(_NUMBER_WORDS))

    def write_word(self, address: int, data: int, *, strobe: int = 15) -> None:
        """Writes bytes of a word of the window."""
        component = self.component
        component.set("window__address", address)
        component.set("window__data", data)
        component.set("window__write", strobe)
        component.step()
        component.set("window__write", 0)

    def read_word(self, address: int) -> int:
        """Reads a word of the window."""
        self.component.set("window__address", address)
        self.component.step()
        return self.component.get("window__value")

    def run(self, operation: int, *, modulus: int = 0, destination: int = 0, a: int = 0, b: int = 0) -> bool:
        """Does an operation, modulo 0 p or 1 n; returns the flag.

        Raises
        ------
        RefusedError
            If the unit refuses it.
        """
        self.start(operation, modulus=modulus, destination=destination, a=a, b=b)
        self.cycles = self.wait()
        return self.flag

    def start(self, operation: int, *, modulus: int = 0, destination: int = 0, a: int = 0, b: int = 0) -> None:
        """Begins an operation.

        Raises
        ------
        RefusedError
            If the unit refuses it.
        """
        component = self.component
        component.set("p384_start__data", operation | modulus << 4 | destination << 8 | a << 16 | b << 24)
        if component.get("p384_start__refuse"):
            raise RefusedError(f"operation {operation} of registers {destination}, {a} and {b} was refused")
        component.set("p384_start__write", 1)
        component.step()
        component.set("p384_start__write", 0)

    def wait(self) -> int:
        """Waits until no operation runs; returns the cycles."""
        return self.component.until("p384_status__value", 0, mask=_BUSY, limit=LONGEST_CYCLES)

    @property
    def is_busy(self) -> bool:
        """Whether an operation runs."""
        return bool(self.component.get("p384_status__value") & _BUSY)

    @property
    def flag(self) -> bool:
        """The flag of the last operation."""
        return bool(self.component.get("p384_status__value") >> 1)
