"""`cbit regs`: the registers, for tools and for readers."""

import json
from collections.abc import Iterator

import click

from cbit.csr.map import MAP_NAMES, Field, Register, as_dict, registers

__all__ = ["regs"]

_TITLES = {"psp": "Registers of the security processor", "host": "Registers of the host"}


@click.command()
@click.option("--format", "style", type=click.Choice(["json", "markdown"]), default="markdown", show_default=True,
              help="How to print them.")
def regs(style: str) -> None:
    """Print the registers: one map for the security processor, one for the host."""
    click.echo(json.dumps(as_dict(), indent=2) if style == "json" else "\n".join(_markdown()))


def _markdown() -> Iterator[str]:
    for map_name in MAP_NAMES:
        yield from (f"# {_TITLES[map_name]} (`{map_name}`)", "")
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
