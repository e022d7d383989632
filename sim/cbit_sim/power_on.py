"""What registers and memories hold when power comes: anything.

Initial values in Verilog are those of a simulator, or of an FPGA's bitstream. Without them only reset can be relied on.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

__all__ = ["PowerOn", "Register", "arguments", "registers", "without_initial_values"]

PowerOn = Literal["random", "zero"]
"""What a simulation starts from: random contents, of a seed, or zeros."""

_SEEDS = (1 << 31) - 1

_MODULE = re.compile(r"^module (\S+) ?\(.*?^endmodule$", re.DOTALL | re.MULTILINE)
# Yosys gives the size of an initial value; what has none is the harness's, or makes a process run at time 0.
_REGISTER = re.compile(r"^(  reg (?:\[\d+:0\] )?(\S+)) +?= \d+'[^;]+;$", re.MULTILINE)
_NEXT = re.compile(r"^  always @\(posedge clk\)\n    (?:if \([^\n]*\)\n      )?(\S+) +<= (\S+) *;$", re.MULTILINE)
_RESET = re.compile(r"^    if \(rst\) begin\n      (\S+) += ", re.MULTILINE)
_CONTENT = re.compile(r"^  initial begin\n    (\S+?) *\[0\] = .*?^  end\n", re.DOTALL | re.MULTILINE)


class Register(NamedTuple):
    """A register of a module, and whether reset sets it."""

    module: str
    name: str
    is_reset: bool


def arguments(start: PowerOn, seed: int) -> list[str]:
    """What a model of Verilator's is told to start from."""
    return ["+verilator+rand+reset+2", f"+verilator+seed+{1 + seed % _SEEDS}"] if start == "random" else []


def registers(text: str) -> Iterator[Register]:
    """All registers of a Verilog text as Yosys writes it."""
    for match in _MODULE.finditer(text):
        following, reset = dict(_NEXT.findall(match[0])), set(_RESET.findall(match[0]))
        for _, name in _REGISTER.findall(match[0]):
            yield Register(match[1], name, following.get(name) in reset)


def without_initial_values(text: str) -> str:
    """The Verilog with registers, and memories that can be written, without initial values. Tables keep theirs."""
    return _MODULE.sub(lambda match: _without_initial_values(match[0]), text)


def _without_initial_values(module: str) -> str:
    written = set(re.findall(r"^ +(\S+?) *\[[^\n]*\] +<= ", module, re.MULTILINE))
    module = _CONTENT.sub(lambda match: "" if match[1] in written else match[0], module)
    # A name that is escaped ends with a space.
    return _REGISTER.sub(r"\1 ;", module)
