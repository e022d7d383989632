"""Verilog of which Verilator counts what means something: branches of processes, and toggles of what they set."""

import re

__all__ = ["countable"]

_MODULE = re.compile(r"^module .*?^endmodule$", re.DOTALL | re.MULTILINE)
_TRIGGER = re.compile(r"^.*\$auto\$verilog_backend\S* .*\n", re.MULTILINE)
_TEMPORARY = re.compile(r"\\\$(\d+) ")
_UNCOUNTED = re.compile(r"^  (?:wire|input|output|assign) .*$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^  always @\*\n    (([^\s[]+).*;)$", re.MULTILINE)


def countable(text: str) -> str:
    """The Verilog, counted in part.

    What Yosys writes so that a process runs at time 0 is left out, and Yosys's own names begin with an underscore, so
    that their toggles do not count. Wires, which repeat what registers hold, do not either, nor do assignments outside
    of processes with branches: counted, a vector that is set in parts would be taken for a loop, and set wrongly.
    """
    text = _TEMPORARY.sub(r"_temporary\1 ", _TRIGGER.sub("", text))
    return _MODULE.sub(lambda module: _countable(module[0]), text)


def _countable(module: str) -> str:
    # In parts, such a vector is no loop.
    for name in {name for _, name in _ASSIGNMENT.findall(module)}:
        declaration = re.compile(rf"^(  reg (?:\[\d+:0\] )?{re.escape(name)} ?);$", re.MULTILINE)
        module = declaration.sub(lambda reg: _unmarked(f"{reg[1]}/*verilator split_var*/;"), module)
    return _UNCOUNTED.sub(lambda part: _unmarked(part[0]), _ASSIGNMENT.sub(r"  assign \1", module))


def _unmarked(text: str) -> str:
    return f"/*verilator coverage_off*/{text}/*verilator coverage_on*/"
