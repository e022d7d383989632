"""The registers of a map as a header names them: an array once, with the number of its elements."""

import dataclasses
from collections.abc import Iterator

from cbit.csr.map import Register, registers

__all__ = ["Block", "blocks"]

WORD_BITS = 32


@dataclasses.dataclass(frozen=True)
class Block:
    """A register, or an array of registers that lie side by side.

    Attributes
    ----------
    name : :class:`str`
        Without an index.
    first : :class:`~cbit.csr.map.Register`
        The register, or element 0.
    count : :class:`int`
        Number of elements; 0 for a register that is not in an array.
    """

    name: str
    first: Register
    count: int


def blocks(map_name: str) -> Iterator[Block]:
    """Those of a map, by offset."""
    found = registers(map_name)
    for register in found:
        if not register.array:
            yield Block(register.name, register, 0)
        elif register.index == 0:
            yield Block(register.array, register, sum(other.array == register.array for other in found))
