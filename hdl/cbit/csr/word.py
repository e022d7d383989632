"""What stands behind a register."""

from amaranth.hdl import unsigned
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, Field, FlexibleLayout
from amaranth.lib.wiring import In, Out

from cbit.csr.map import Register

__all__ = ["ArraySignature", "RegisterSignature", "register_layout"]


def register_layout(register: Register) -> FlexibleLayout:
    """The word of a register: its fields, named in lower case, where the map puts them."""
    return FlexibleLayout(32, {field.name.lower(): Field(unsigned(field.width), field.lsb)
                               for field in register.fields})


class RegisterSignature(wiring.Signature):
    """What stands behind one register, seen from the bank.

    Parameters
    ----------
    register : :class:`cbit.csr.map.Register`
        The register.

    Members
    -------
    value : ``In(register_layout(register))``
        Registers that can be read: the word as it reads now.
    write : ``Out(1)``
        Registers that can be written: high for the one cycle in which ``data`` is written.
    data : ``Out(register_layout(register))``
        The word written; any value while ``write`` is low.
    refuse : ``In(1)``
        While high, a write is answered SLVERR and ``write`` stays low. May depend on ``data`` in the same
        cycle, not on ``write``.
    """

    def __init__(self, register: Register):
        self.register = register
        layout = register_layout(register)
        readable = {"value": In(layout)} if register.access != "wo" else {}
        writable = {"write": Out(1), "data": Out(layout), "refuse": In(1)} if register.access != "ro" else {}
        super().__init__(readable | writable)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisterSignature) and self.register == other.register


class ArraySignature(wiring.Signature):
    """What stands behind an array of registers, seen from the bank.

    Parameters
    ----------
    register : :class:`cbit.csr.map.Register`
        One of the registers.
    count : :class:`int`
        How many there are.

    Members
    -------
    value : ``In(ArrayLayout(register_layout(register), count))``
        Registers that can be read: the words as they read now.
    write, data, refuse
        As of :class:`RegisterSignature`.
    index : ``Out(range(count))``
        Registers that can be written: which is written; ``refuse`` may depend on it.
    """

    def __init__(self, register: Register, *, count: int):
        self.register = register
        self.count = count
        layout = register_layout(register)
        readable = {"value": In(ArrayLayout(layout, count))} if register.access != "wo" else {}
        writable = {"write": Out(1), "index": Out(range(count)), "data": Out(layout), "refuse": In(1)}
        super().__init__(readable | (writable if register.access != "ro" else {}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArraySignature) and (self.register, self.count) == (other.register, other.count)
