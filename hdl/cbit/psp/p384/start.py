"""What may be started in the unit for P-384."""

from amaranth.hdl import Module
from amaranth.lib import enum, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.operands import OPERAND_REGISTERS

__all__ = ["START", "Operation", "StartCheck"]


class Operation(enum.Enum, shape=4):
    """As P384_START numbers them."""

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


START = StructLayout({"operation": 4, "modulus": 1, "destination": 6, "a": 6, "b": 6})
"""An operation, 0 p or 1 n, and registers."""

_POINTS_TO = (Operation.POINT_MULTIPLY, Operation.POINT_ADD)
_USES = {
    "destination": (Operation.ADD, Operation.SUB, Operation.MUL, Operation.INVERT, *_POINTS_TO, Operation.COPY,
                    Operation.REDUCE),
    "a": (*(operation for operation in Operation if operation is not Operation.WIPE),),
    "b": (Operation.ADD, Operation.SUB, Operation.MUL, *_POINTS_TO),
}
_PAIRS = {"destination": _POINTS_TO, "a": (Operation.POINT_ADD, Operation.ON_CURVE), "b": _POINTS_TO}


class StartCheck(wiring.Component):
    """Whether there is such an operation, and each register that it uses is an operand, the second of a point as well.

    Latency: none.

    Members
    -------
    request : ``In(START)``
        What is asked for.
    is_good : ``Out(1)``
    """

    request: In(START)
    is_good: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        operation = self.request.operation
        m.d.comb += self.is_good.eq(operation <= max(choice.value for choice in Operation))
        for name, users in _USES.items():
            register = self.request[name]
            with m.If(operation.matches(*users) & (register >= OPERAND_REGISTERS)):
                m.d.comb += self.is_good.eq(0)
            with m.If(operation.matches(*_PAIRS[name]) & (register == OPERAND_REGISTERS - 1)):
                m.d.comb += self.is_good.eq(0)
        return m
