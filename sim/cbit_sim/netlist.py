"""What the text of a Verilog netlist says of itself, as Yosys writes it."""

import re
from typing import NamedTuple

__all__ = ["Port", "ports", "top_module", "without_source_lines"]


class Port(NamedTuple):
    """A port of a module: its ``direction`` is ``input`` or ``output``, its ``width`` in bits."""

    name: str
    direction: str
    width: int


def without_source_lines(text: str) -> str:
    """The Verilog without the attributes that name lines of the gateware, which change where logic does not."""
    return re.sub(r"^\s*\(\* src = .*\*\)\n", "", text, flags=re.MULTILINE)


def top_module(text: str) -> str:
    """The name of the module that Yosys has marked as the top."""
    match = re.search(r"\(\*\s*top\s*=\s*1\s*\*\).*?^module\s+(\w+)", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise ValueError("Verilog must mark one module as the top, not none")
    return match[1]


def ports(text: str) -> list[Port]:
    """The ports of the top module, in the order of their declarations."""
    _, body = re.split(rf"^module {re.escape(top_module(text))}\(", text, maxsplit=1, flags=re.MULTILINE)
    body, *_ = body.split("\nendmodule", maxsplit=1)
    declarations = re.findall(r"^ {2}(input|output) (?:\[(\d+):0\] )?(\w+);", body, re.MULTILINE)
    return [Port(name, direction, int(high or 0) + 1) for direction, high, name in declarations]
