"""The side of a unit that stands behind registers of the processor's map."""

from cbit.csr.map import registers
from cbit.csr.word import ArraySignature, RegisterSignature

__all__ = ["register_port"]


def register_port(name: str) -> RegisterSignature | ArraySignature:
    """What a bank of the map `processor` has for a register, or for an array, of this name.

    Raises
    ------
    ValueError
        If there is neither.
    """
    found = [entry for entry in registers("processor") if name in (entry.name, entry.array)]
    if not found:
        raise ValueError(f"Register must be one of the processor map, not {name!r}")
    if found[-1].array == name:
        return ArraySignature(found[-1], count=len(found))
    return RegisterSignature(found[-1])
