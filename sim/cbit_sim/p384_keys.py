"""ECDSA and ECDH by the operations of the unit for P-384: FIPS 186-5, 6.4, and SP 800-56A, 5.7.1.2."""

from typing import Protocol

from cbit_model.p384 import BASE, N, Point
from cbit_model.p384_unit import Operation

__all__ = ["Unit", "public_key", "shared_secret", "sign", "verify"]

_P, _N = 0, 1
_BASE_X, _BASE_Y, _X, _Y, _OTHER_X, _OTHER_Y, _R, _S, _HASH, _PRIVATE, _T, _U = range(12)
"""Registers."""


class Unit(Protocol):
    """What does operations: as :class:`cbit_sim.p384_port.P384Port`."""

    def load(self, register: int, number: int) -> None: ...

    def number(self, register: int) -> int: ...

    def run(self, operation: int, *, modulus: int = 0, destination: int = 0, a: int = 0, b: int = 0) -> bool: ...


def _load_point(unit: Unit, register: int, point: Point) -> None:
    unit.load(register, point.x)
    unit.load(register + 1, point.y)


def _is_scalar(unit: Unit, register: int) -> bool:
    """Whether a number is 1 to n - 1."""
    is_too_large = unit.run(Operation.LESS, modulus=_N, a=register)
    is_zero = unit.run(Operation.COPY, destination=_T, a=register)
    return not is_too_large and not is_zero


def public_key(unit: Unit, private: int) -> Point:
    """The public key of a private one."""
    _load_point(unit, _BASE_X, BASE)
    unit.load(_PRIVATE, private)
    unit.run(Operation.POINT_MULTIPLY, destination=_X, a=_PRIVATE, b=_BASE_X)
    return Point(unit.number(_X), unit.number(_Y))


def shared_secret(unit: Unit, private: int, public: Point) -> int | None:
    """The x coordinate that both sides know; none with a public key that is no point, or if the product is infinity."""
    _load_point(unit, _X, public)
    unit.load(_PRIVATE, private)
    if unit.run(Operation.ON_CURVE, a=_X):
        return None
    if unit.run(Operation.POINT_MULTIPLY, destination=_OTHER_X, a=_PRIVATE, b=_X):
        return None
    return unit.number(_OTHER_X)


def sign(unit: Unit, private: int, digest: bytes, nonce: int) -> tuple[int, int]:
    """The signature r, s of a digest of up to 48 bytes, with a nonce that is nobody else's."""
    _load_point(unit, _BASE_X, BASE)
    for register, number in ((_PRIVATE, private), (_HASH, int.from_bytes(digest, "big")), (_T, nonce)):
        unit.load(register, number)
    unit.run(Operation.POINT_MULTIPLY, destination=_X, a=_T, b=_BASE_X)
    unit.run(Operation.REDUCE, modulus=_N, destination=_R, a=_X)
    unit.run(Operation.REDUCE, modulus=_N, destination=_HASH, a=_HASH)
    unit.run(Operation.INVERT, modulus=_N, destination=_T, a=_T)
    unit.run(Operation.MUL, modulus=_N, destination=_S, a=_R, b=_PRIVATE)
    unit.run(Operation.ADD, modulus=_N, destination=_S, a=_S, b=_HASH)
    unit.run(Operation.MUL, modulus=_N, destination=_S, a=_S, b=_T)
    return unit.number(_R), unit.number(_S)


def verify(unit: Unit, public: Point, digest: bytes, r: int, s: int) -> bool:
    """Whether r, s is the signature of a digest of up to 48 bytes."""
    if not 0 <= r < 1 << N.bit_length() or not 0 <= s < 1 << N.bit_length():
        return False
    _load_point(unit, _BASE_X, BASE)
    _load_point(unit, _OTHER_X, public)
    for register, number in ((_R, r), (_S, s), (_HASH, int.from_bytes(digest, "big"))):
        unit.load(register, number)
    if unit.run(Operation.ON_CURVE, a=_OTHER_X) or not (_is_scalar(unit, _R) and _is_scalar(unit, _S)):
        return False
    unit.run(Operation.REDUCE, modulus=_N, destination=_HASH, a=_HASH)
    unit.run(Operation.INVERT, modulus=_N, destination=_S, a=_S)
    unit.run(Operation.MUL, modulus=_N, destination=_T, a=_HASH, b=_S)
    unit.run(Operation.MUL, modulus=_N, destination=_U, a=_R, b=_S)
    unit.run(Operation.POINT_MULTIPLY, destination=_X, a=_T, b=_BASE_X)
    unit.run(Operation.POINT_MULTIPLY, destination=_OTHER_X, a=_U, b=_OTHER_X)
    if unit.run(Operation.POINT_ADD, destination=_X, a=_X, b=_OTHER_X):
        return False
    unit.run(Operation.REDUCE, modulus=_N, destination=_X, a=_X)
    return unit.run(Operation.SUB, modulus=_N, destination=_T, a=_X, b=_R)
