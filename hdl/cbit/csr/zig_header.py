"""The registers as Zig: a packed structure for each, which knows its offset."""

from collections.abc import Iterator

from cbit.csr.blocks import WORD_BITS, Block, blocks
from cbit.csr.map import MAP_NAMES, Field, size_bytes, title

__all__ = ["zig_header"]


def zig_header() -> str:
    """All maps, in Zig 0.14 or later.

    Offsets are in bytes from the start of the map. A field that is not given has the value after reset that the
    description gives it, or zero.
    """
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("//! The registers of Cbit, as cbit regs --format zig writes them.", "")
    for map_name in MAP_NAMES:
        yield from (f"/// {title(map_name)}.", f"pub const {map_name} = struct {{",
                    f"    pub const size_bytes = 0x{size_bytes(map_name):x};", "")
        for block in blocks(map_name):
            yield from ("    " + line if line else "" for line in _block(block))
        yield from ("};", "")


def _block(block: Block) -> Iterator[str]:
    yield f"/// {block.first.access}: {block.first.doc}"
    yield f"pub const {block.name} = packed struct(u{WORD_BITS}) {{"
    yield f"    pub const offset = 0x{block.first.offset:03x};"
    if block.count:
        yield f"    pub const count = {block.count};"
    for field in block.first.fields:
        if field.values:
            values = [f"{value} = {number}" for value, number in field.values.items()]
            others = [] if len(values) == 1 << field.width else ["_"]
            yield f"    pub const {_type(field)} = enum(u{field.width}) {{ {', '.join(values + others)} }};"
    position = 0
    for field in block.first.fields:
        yield from _gap(position, field.lsb)
        yield from (f"    /// {field.doc}", f"    {field.name}: {_type(field)} = {_initial(field)},")
        position = field.lsb + field.width
    yield from _gap(position, WORD_BITS)
    yield from ("};", "")


def _gap(start: int, end: int) -> Iterator[str]:
    if end > start:
        yield f"    _{start}: u{end - start} = 0,"


def _type(field: Field) -> str:
    if field.values:
        return "".join(part.capitalize() for part in field.name.split("_"))
    return "bool" if field.width == 1 else f"u{field.width}"


def _initial(field: Field) -> str:
    if field.values:
        return f"@enumFromInt({field.reset})"
    return str(bool(field.reset)).lower() if field.width == 1 else f"0x{field.reset:x}"
