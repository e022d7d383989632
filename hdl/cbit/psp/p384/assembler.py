"""From the text of microprograms to the words of their memory."""

import re
from collections.abc import Mapping, Sequence

from cbit.psp.p384.instruction import Condition, FlagRule, Kind, Named
from cbit.psp.p384.numbers import Constant

__all__ = ["assemble"]

_NAMED_BIT = 1 << 5
_FIRST_CONSTANT = 1 << 4

_FLAG_RULES = {None: FlagRule.KEEP, "= zero": FlagRule.ZERO, "&= zero": FlagRule.AND_ZERO,
               "|= nonzero": FlagRule.OR_NONZERO, "|= reduced": FlagRule.OR_REDUCED}
_KINDS = {"+": Kind.ADD, "-": Kind.SUB, "*": Kind.MUL}
_CONDITIONS = {condition.name.lower(): condition for condition in Condition}
_PATTERNS = {
    "calculate": re.compile(r"(\w+) = (\w+) ([-+*]) (\w+)"),
    "choose": re.compile(r"(\w+) = (\w+) if (\w+) else (\w+)"),
    "copy": re.compile(r"(\w+) = (\w+)"),
    "shift": re.compile(r"shift (\w+)"),
    "count": re.compile(r"(repeat|wipe from) (\d+)"),
    "go": re.compile(r"(call|jump|next) (\w+)"),
    "stop": re.compile(r"(return|end)"),
}
_LINE = re.compile(r"(.*?)(?: ;flag (.*))?")


def _word(kind: Kind, *, flag: FlagRule = FlagRule.KEEP, d: int = 0, a: int = 0, b: int = 0,
          condition: Condition = Condition.FLAG, number: int = 0) -> int:
    """An :class:`~cbit.psp.p384.instruction.Instruction` as a number."""
    rest = number | b | condition.value << 6
    return kind.value | flag.value << 4 | d << 7 | a << 13 | rest << 19


class _Assembler:
    def __init__(self, scratch: Sequence[str]) -> None:
        self._operands = {
            **{name: number for number, name in enumerate(scratch)},
            **{named.name: _NAMED_BIT | named.value for named in Named},
            **{constant.name: _NAMED_BIT | _FIRST_CONSTANT | constant.value for constant in Constant},
        }
        self.places: Mapping[str, int] = {}

    def word(self, line: str) -> int:
        """One line's word."""
        text, flag = _LINE.fullmatch(line).groups()
        for form, pattern in _PATTERNS.items():
            if match := pattern.fullmatch(text):
                return getattr(self, f"_{form}")(_FLAG_RULES[flag], *match.groups())
        raise ValueError(f"Line must be a known instruction, not {line!r}")

    def _calculate(self, flag, d, a, sign, b):
        return _word(_KINDS[sign], flag=flag, d=self._register(d), a=self._register(a), b=self._operands[b])

    def _choose(self, flag, d, a, condition, b):
        return _word(Kind.MOVE, flag=flag, d=self._register(d), a=self._register(a), b=self._operands[b],
                     condition=_CONDITIONS[condition])

    def _copy(self, flag, d, a):
        return _word(Kind.MOVE, flag=flag, d=self._register(d), a=self._register(a), b=self._register(a))

    def _shift(self, flag, d):
        register = self._register(d)
        return _word(Kind.SHIFT, flag=flag, d=register, a=register, b=register)

    def _count(self, _flag, name, number):
        return _word(Kind[name.partition(" ")[0].upper()], number=int(number))

    def _go(self, _flag, name, label):
        return _word(Kind[name.upper()], number=self.places[label])

    def _stop(self, _flag, name):
        return _word(Kind[name.upper()])

    def _register(self, name):
        """A register, which a constant is not: those come on the side of B alone."""
        if name in Constant.__members__:
            raise ValueError(f"Constant must be the second operand, not {name}")
        return self._operands[name]


def assemble(text: str, *, entries: Sequence[str], scratch: Sequence[str]) -> list[int]:
    """The words of the programs in a text, behind a jump to each entry.

    A line is ``name:``, the place of what follows, or one of::

        d = a + b        d = a - b        d = a * b        of each the last operand may be a constant
        d = a if condition else b         d = a            shift d
        call name        return           jump name        end
        repeat 9         next name        wipe from 32

    and may end in `` ;flag`` with ``= zero``, ``&= zero``, ``|= nonzero`` or ``|= reduced``. What is behind
    ``#`` says why.

    Parameters
    ----------
    entries : sequence of :class:`str`
        The names where operations begin, in order of their numbers.
    scratch : sequence of :class:`str`
        The names of the registers of scratch.

    Raises
    ------
    ValueError
        If a line is none of these.
    KeyError
        If there is no such name.
    """
    assembler = _Assembler(scratch)
    lines = [line for line in (line.partition("#")[0].strip() for line in text.splitlines()) if line]
    lines = [*(f"jump {name}" for name in entries), *lines]
    instructions: list[str] = []
    places = {}
    for line in lines:
        if line.endswith(":"):
            places[line.removesuffix(":")] = len(instructions)
        else:
            instructions.append(line)
    assembler.places = places
    return [assembler.word(line) for line in instructions]
