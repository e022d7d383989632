"""The registers of a netlist, and which of their bits are control."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cbit.guard.shadows import DATA_BITS
from cbit_cli.netlist import Cell, cells

__all__ = ["Field", "Register", "registers"]

AES_ARITHMETIC = ("aes/composite.py", "aes/mix_columns.py", "aes/mixing.py", "aes/sbox.py")
"""Where registers hold pieces of a block between the steps of an S-box or of MixColumns."""

_FLIP_FLOP = "$dff"
_MODULE = re.compile(r"^module \\(\S+)$(.*?)^end$", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"^  connect \\(\S+[.\]]\S*) (\\\S+)(?: \[(\d+)(?::(\d+))?\])?$", re.MULTILINE)


class Field(NamedTuple):
    """Bits ``low`` to ``low + width - 1`` of a register; ``name`` is the place in the engine and the field's own."""

    name: str
    low: int
    width: int
    is_data: bool


class Register(NamedTuple):
    """A flip-flop cell and its fields, the innermost of its structs."""

    cell: Cell
    width: int
    fields: Sequence[Field]

    @property
    def control_bits(self) -> Sequence[int]:
        """The bits that are not data."""
        return [bit for field in self.fields if not field.is_data for bit in range(field.low, field.low + field.width)]

    def bit_name(self, bit: int) -> str:
        """The name of a bit, for people."""
        field = next(field for field in self.fields if field.low <= bit < field.low + field.width)
        return field.name if field.width == 1 else f"{field.name}[{bit - field.low}]"


def registers(netlist: str) -> list[Register]:
    """All registers of a netlist of :func:`~cbit_cli.netlist.engine_netlist`, in its order.

    Data are the fields of 128 bits or more, and what lies within AES's S-boxes and MixColumns. All else is control:
    numbers, flags, states, addresses, strobes, responses, counts, and the words of the register ports.
    """
    flip_flops = [cell for cell in cells(netlist) if cell.kind == _FLIP_FLOP]
    modules = {cell.module for cell in flip_flops}
    parts = {name: _parts(body) for name, body in _MODULE.findall(netlist) if name in modules}
    return [_register(cell, parts[cell.module]) for cell in flip_flops]


def _parts(body: str) -> Mapping[str, list[tuple[int, int | None, str]]]:
    """Of each signal, its parts that have names: the lowest bit, the highest, if it is not the signal's, and the
    name."""
    parts: dict[str, list[tuple[int, int | None, str]]] = defaultdict(list)
    for name, signal, high, low in _PART.findall(body):
        parts[signal].append((int(low or high or 0), int(high) if high else None, name))
    return parts


def _register(cell: Cell, parts: Mapping[str, list[tuple[int, int | None, str]]]) -> Register:
    match = re.search(r"parameter \\WIDTH (\d+)", cell.text)
    assert match is not None, cell
    width = int(match[1])
    signal = cell.ports["Q"]
    own = signal.removeprefix("\\")
    is_arithmetic = bool(cell.sources) and cell.sources[0].partition(":")[0] in AES_ARITHMETIC
    fields = []
    for low, high, name in _innermost(own, width, parts.get(signal, [])):
        size = high - low + 1
        place = ".".join(part for part in (cell.module.partition(".core.")[2], name) if part)
        fields.append(Field(place, low, size, is_arithmetic or size >= DATA_BITS))
    return Register(cell, width, fields)


def _innermost(own: str, width: int, parts: Sequence[tuple[int, int | None, str]]) -> Iterator[tuple[int, int, str]]:
    """The smallest named part of each bit, each once; what has none is the signal itself."""
    ranges = [(0, width - 1, own)]
    ranges += [(low, width - 1 if high is None else high, name) for low, high, name in parts]
    # Several signals may be the same wire; the one that has the register's name is asked first.
    ranges.sort(key=lambda part: (part[1] - part[0], not part[2].startswith(f"{own}."), part[2]))
    names = [next(name for low, high, name in ranges if low <= bit <= high) for bit in range(width)]
    for name, bits in itertools.groupby(range(width), names.__getitem__):
        low, *others = bits
        yield low, low + len(others), name
