"""The unit for P-384: its registers, and what each operation leaves in them."""

import enum

from cbit_model import p384
from cbit_model.p384 import Point

__all__ = ["REGISTERS", "Operation", "P384Unit"]

REGISTERS = 64
"""Numbers of 384 bits."""

OPERAND_REGISTERS = 32
"""Of them, those that operations may name; the others are zero between operations."""


class Operation(enum.IntEnum):
    """What the unit does."""

    ADD = 0
    SUB = 1
    MUL = 2
    INVERT = 3
    POINT_MULTIPLY = 4
    POINT_ADD = 5
    ON_CURVE = 6
    LESS = 7
    COPY = 8
    REDUCE = 9
    WIPE = 10


class P384Unit:
    """Does an operation a call.

    Attributes
    ----------
    registers : list of :class:`int`
        The numbers.
    """

    def __init__(self) -> None:
        self.registers = [0] * REGISTERS

    def run(self, operation: Operation, *, modulus: int = p384.P, destination: int = 0, a: int = 0, b: int = 0) -> bool:
        """Does an operation; returns the flag.

        Raises
        ------
        ValueError
            If it uses a register that operations may not name, or a number that is not below the modulus.
        """
        match operation:
            case Operation.POINT_MULTIPLY:
                product = p384.multiply(self._number(a), self._point(b))
                return self._keep_point(destination, product)
            case Operation.POINT_ADD:
                return self._keep_point(destination, p384.add(self._point(a), self._point(b)))
            case Operation.ON_CURVE:
                return not p384.is_on_curve(self._point(a))
            case Operation.LESS:
                return self._number(a) >= modulus
            case Operation.WIPE:
                self.registers = [0] * REGISTERS
                return False
        return self._keep(destination, self._result(operation, modulus, a, b))

    def _result(self, operation: Operation, modulus: int, a: int, b: int) -> int:
        match operation:
            case Operation.ADD:
                return (self._below(a, modulus) + self._below(b, modulus)) % modulus
            case Operation.SUB:
                return (self._below(a, modulus) - self._below(b, modulus)) % modulus
            case Operation.MUL:
                return self._number(a) * self._below(b, modulus) % modulus
            case Operation.INVERT:
                return p384.inverse(self._number(a), modulus)
            case Operation.REDUCE:
                return self._number(a) % modulus
        return self._number(a)

    def _number(self, index: int) -> int:
        if not 0 <= index < OPERAND_REGISTERS:
            raise ValueError(f"Register must be 0 to {OPERAND_REGISTERS - 1}, not {index}")
        return self.registers[index]

    def _below(self, index: int, modulus: int) -> int:
        number = self._number(index)
        if number >= modulus:
            raise ValueError(f"Operand must be below the modulus, not {number:#x}")
        return number

    def _point(self, index: int) -> Point:
        return Point(self._number(index), self._number(index + 1))

    def _keep(self, index: int, number: int) -> bool:
        self._number(index)
        self.registers[index] = number
        return number == 0

    def _keep_point(self, index: int, point: Point) -> bool:
        self._keep(index + 1, point.y)
        self._keep(index, point.x)
        return point == p384.INFINITY
