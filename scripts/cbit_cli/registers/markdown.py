"""The registers for readers."""

from collections.abc import Iterator

from cbit.csr.map import MAP_NAMES, Field, Register, registers, title

__all__ = ["markdown"]


def markdown() -> str:
    """All maps, a section for each register."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for map_name in MAP_NAMES:
        yield from (f"# {title(map_name)} (`{map_name}`)", "")
        for register in registers(map_name):
            yield from _register(register)


def _register(register: Register) -> Iterator[str]:
    yield from (f"## {register.name}", "", f"`0x{register.offset:03x}`, {register.access}. {register.doc}", "")
    yield from ("| bits | field | meaning |", "|---|---|---|")
    for field in register.fields:
        yield f"| {_bits(field)} | {field.name} | {_meaning(field)} |"
    yield ""


def _bits(field: Field) -> str:
    return str(field.lsb) if field.width == 1 else f"{field.lsb + field.width - 1}:{field.lsb}"


def _meaning(field: Field) -> str:
    values = ", ".join(f"{value} {name}" for name, value in field.values.items())
    return f"{field.doc} {values}." if values else field.doc
