"""The registers as a C header: offsets, masks, values. Nothing in it is more than a macro."""

from collections.abc import Iterator

from cbit.csr.blocks import Block, blocks
from cbit.csr.map import MAP_NAMES, Field, size_bytes, title

__all__ = ["c_header"]


def c_header() -> str:
    """All maps, for C99 and C++. Offsets are in bytes from the start of the map; a mask is in its field's place."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("/* The registers of Cbit, as cbit regs --format c writes them. Words are of 32 bits. */", "",
                "#ifndef CBIT_REGISTERS_H", "#define CBIT_REGISTERS_H", "")
    for map_name in MAP_NAMES:
        yield from (f"/* {title(map_name)}. */",
                    f"#define CBIT_{map_name.upper()}_SIZE 0x{size_bytes(map_name):x}u", "")
        for block in blocks(map_name):
            yield from _block(f"CBIT_{map_name.upper()}_{block.name}", block)
    yield "#endif"


def _block(name: str, block: Block) -> Iterator[str]:
    offset = f"0x{block.first.offset:03x}u"
    yield f"/* {block.first.access}: {block.first.doc} */"
    if block.count:
        yield from (f"#define {name}_COUNT {block.count}u", f"#define {name}(n) ({offset} + 4u * (n))")
    else:
        yield f"#define {name} {offset}"
    for field in block.first.fields:
        yield from _field(f"{name}_{field.name}", field)
    yield ""


def _field(name: str, field: Field) -> Iterator[str]:
    mask = ((1 << field.width) - 1) << field.lsb
    yield f"#define {name}_LSB {field.lsb}u /* {field.doc} */"
    yield f"#define {name}_MASK 0x{mask:08x}u"
    if field.constant:
        yield f"#define {name}_VALUE 0x{field.reset:x}u"
    for value, number in field.values.items():
        yield f"#define {name}_{value} {number}u"
