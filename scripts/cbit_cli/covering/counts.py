"""Lines and toggles of a Verilog model, as Verilator has counted them.

There is no program beside the simulator that reads the file. Each of its lines is ``C '<pairs>' <hits>``: key and
value of a pair are set off by the characters 1 and 2, and keys are short (``verilated_cov_key.h``). In names,
other characters than letters and digits are ``__0`` and their code.
"""

import dataclasses
import re
from collections import Counter

__all__ = ["Point", "counts", "places"]

_LINE = re.compile(r"^C '(.*)' (\d+)$")
_SRC = re.compile(r'src = "[^"]*?/cbit/([^":]*\.py):\d+')
_MODULE = re.compile(r"^module \\?([^\s(]+)")
_ESCAPE = re.compile(r"__0([0-9A-F]{2})")
_KINDS = {"toggle": "toggle", "line": "line", "branch": "line"}


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """Something that is counted.

    Parameters
    ----------
    kind : ``"line"`` or ``"toggle"``
        A branch counts as a line.
    module : :class:`str`
        Its module in Verilog.
    line : :class:`int`
        Its line in the Verilog.
    name : :class:`str`
        Of a toggle the signal, the bit and the direction, such as ``valid[0]:0->1``; of a line the sort of branch.
    column : :class:`int`
        Its column, which tells branches of a line apart.
    """

    kind: str
    module: str
    line: int
    name: str
    column: int


def counts(text: str) -> Counter[Point]:
    """The points of a file, and their hits; instances of a module count together.

    Raises
    ------
    ValueError
        If a line is not one of Verilator's.
    """
    found: Counter[Point] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"Coverage must be as Verilator writes it, not {line[:60]!r} in line {number}")
        pairs = dict(pair.split("\2", 1) for pair in match[1].split("\1")[1:])
        sort, _, module = pairs["page"].partition("/")
        kind = _KINDS.get(sort.removeprefix("v_"))
        if kind is not None:
            name = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), pairs["o"])
            found[Point(kind, module, int(pairs["l"]), name, int(pairs["n"]))] += int(match[2])
    return found


def places(verilog: str) -> dict[str, str]:
    """The gateware's file that each module's logic comes from: most of its operators, or, where it has none, signals.

    A module that names no file has that of the module around it.
    """
    found: dict[str, str] = {}
    modules = re.split(r"^(?=module )", verilog, flags=re.MULTILINE)[1:]
    for body in modules:
        match = _MODULE.match(body)
        assert match is not None
        files = Counter(_SRC.findall("\n".join(re.findall(r"^  assign .*", body, re.MULTILINE)))) or Counter(
            _SRC.findall(body))
        if files:
            found[match[1]] = files.most_common(1)[0][0]
    for body in modules:
        match = _MODULE.match(body)
        assert match is not None
        around = match[1]
        while around and around not in found:
            around = around.rpartition(".")[0]
        found.setdefault(match[1], found.get(around, ""))
    return found
