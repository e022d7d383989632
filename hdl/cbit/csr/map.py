"""The registers as plain Python: what their descriptions in SystemRDL say, for gateware, firmware and tools.

Plain Python without Amaranth, so that tools read the map without a gateware toolchain.
"""

import dataclasses
import functools
import typing
from collections.abc import Sequence
from pathlib import Path

from systemrdl import RDLCompiler
from systemrdl.node import FieldNode, RegNode, RootNode

__all__ = ["ENGINE_MAP_NAMES", "MAP_NAMES", "SIZE_BYTES", "Field", "Register", "as_dict", "description", "register",
           "registers", "size_bytes", "title"]

Access = typing.Literal["rw", "ro", "wo"]

ENGINE_MAP_NAMES = ("psp", "host")
"""Of the engine, the security processor's registers and the host's: one address space each."""

MAP_NAMES = (*ENGINE_MAP_NAMES, "processor", "dram_table", "mailbox")
"""All address spaces: of the PSP, also what its processor reaches, and what the host reaches."""

SIZE_BYTES = 4096
"""Bytes of each address space but the mailbox's, whose offsets are those of a driver, and the table's."""

_OTHER_BYTES = {"mailbox": 1 << 17, "dram_table": 1 << 11}

_FOLDER = Path(__file__).parent
_SOURCES = {
    "psp": _FOLDER / "registers.rdl",
    "host": _FOLDER / "registers.rdl",
    "processor": _FOLDER.parent / "psp" / "processor.rdl",
    "dram_table": _FOLDER.parent / "psp" / "dram_table.rdl",
    "mailbox": _FOLDER.parent / "psp" / "mailbox.rdl",
}
"""The descriptions in SystemRDL 2.0."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """Some neighboring bits of a register.

    Attributes
    ----------
    name : :class:`str`
        Name in upper case.
    lsb, width : :class:`int`
        Least significant bit and number of bits.
    doc : :class:`str`
        What it means.
    reset : :class:`int`
        Value after reset; 0 where the description gives none.
    constant : :class:`bool`
        ``True`` when it always reads as ``reset``.
    values : :class:`dict`
        Names of its values, empty for a number.
    """

    name: str
    lsb: int
    width: int
    doc: str
    reset: int
    constant: bool
    values: dict[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Register:
    """A word of 32 bits.

    Attributes
    ----------
    name : :class:`str`
        Name in upper case; an element of an array ends in its index.
    offset : :class:`int`
        Bytes from the start of its address space.
    access : ``"rw"``, ``"ro"`` or ``"wo"``
        What the bus may do with it.
    array : :class:`str`
        Name of the array that it is an element of, empty for none.
    index : :class:`int`
        Its index in the array, which has a power of two of elements that lie side by side.
    fields : :class:`tuple` of :class:`Field`
        From the least significant bit on. Bits between fields read as zero and ignore what is written.
    doc : :class:`str`
        What it is for.
    """

    name: str
    offset: int
    access: Access
    array: str
    index: int
    fields: tuple[Field, ...]
    doc: str

    @property
    def reset(self) -> int:
        """The word after reset."""
        return sum(field.reset << field.lsb for field in self.fields)


def _field(node: FieldNode) -> Field:
    encoding = node.get_property("encode")
    return Field(
        name=node.inst_name, lsb=node.lsb, width=node.width, doc=node.get_property("desc"),
        reset=node.get_property("reset") or 0, constant=not node.is_hw_readable and not node.is_hw_writable,
        values={member.name: member.value for member in encoding} if encoding else {})


def _register(node: RegNode) -> Register:
    access: Access = "ro" if not node.has_sw_writable else "rw" if node.has_sw_readable else "wo"
    (index,) = node.current_idx or (0,)
    return Register(
        name=f"{node.inst_name}{index}" if node.is_array else node.inst_name, offset=node.absolute_address,
        access=access, array=node.inst_name if node.is_array else "", index=index,
        fields=tuple(_field(field) for field in node.fields()), doc=node.get_property("desc"))


def description(map_name: str) -> RootNode:
    """One address space as the SystemRDL compiler knows it, for exporters.

    Parameters
    ----------
    map_name : :class:`str`
        The address space, one of :data:`MAP_NAMES`.

    Raises
    ------
    ValueError
        If there is no such address space.
    """
    if map_name not in MAP_NAMES:
        raise ValueError(f"Register map must be one of {', '.join(MAP_NAMES)}, not {map_name!r}")
    compiler = RDLCompiler()
    compiler.compile_file(str(_SOURCES[map_name]))
    return compiler.elaborate(map_name)


def title(map_name: str) -> str:
    """What an address space is called."""
    return str(description(map_name).top.get_property("name"))


def size_bytes(map_name: str) -> int:
    """Bytes of an address space."""
    return _OTHER_BYTES.get(map_name, SIZE_BYTES)


@functools.cache
def registers(map_name: str) -> tuple[Register, ...]:
    """The registers of one address space, by offset. Compiled once. Name and errors as of :func:`description`."""
    nodes = description(map_name).top.descendants(unroll=True)
    return tuple(_register(node) for node in nodes if isinstance(node, RegNode))


def register(map_name: str, name: str) -> Register:
    """The register of a name.

    Raises
    ------
    ValueError
        If there is no such address space, or no such register in it.
    """
    found = next((entry for entry in registers(map_name) if entry.name == name), None)
    if found is None:
        raise ValueError(f"Register must be one of the {map_name} map, not {name!r}")
    return found


def as_dict(map_names: Sequence[str] = MAP_NAMES) -> dict[str, list[dict[str, typing.Any]]]:
    """Address spaces as JSON knows them: all are what ``cbit regs --format json`` prints."""
    return {map_name: [_register_as_dict(entry) for entry in registers(map_name)] for map_name in map_names}


def _register_as_dict(register: Register) -> dict[str, typing.Any]:
    return {
        "name": register.name, "offset": register.offset, "access": register.access, "reset": register.reset,
        "fields": [_field_as_dict(field) for field in register.fields], "doc": register.doc,
    }


def _field_as_dict(field: Field) -> dict[str, typing.Any]:
    described = {"name": field.name, "lsb": field.lsb, "width": field.width, "doc": field.doc}
    return described | ({"values": field.values} if field.values else {})
