"""Shadows of registers: whether a bit of control has flipped that no logic has written."""

from collections.abc import Iterator, Mapping

from amaranth.hdl import Cat, Const, Elaboratable, Fragment, Signal, Value
from amaranth.hdl._ast import Assign, Format, Part, Slice, Switch, SwitchValue
from amaranth.hdl._xfrm import LHSMaskCollector, StatementTransformer, ValueTransformer

__all__ = ["DATA_BITS", "HARMLESS", "Shadowed", "unguarded"]

# Amaranth has no public way to walk over registers; its version is fixed, and the tests of this folder notice a change.

DATA_BITS = 128
"""A field of so many bits or more is data: a block, a tweak, a round key."""

HARMLESS = ("attributes", "line")
"""Fields that choose neither key nor route nor length: of an address what DRAM is told, and which line."""

PARITY_BITS = 15
"""Most bits of a register with one parity: it and they are compared by two levels of LUT4."""

_MARK = "unguarded"


def unguarded(*values: Value) -> None:
    """Marks signals whose registers shall have no shadow, because a key has an effect on them."""
    for value in values:
        signal = Value.cast(value)
        assert isinstance(signal, Signal), value
        signal.attrs[_MARK] = 1


class Shadowed(Elaboratable):
    """A component whose registers of control have shadows, in all its parts, and which tells if one is wrong.

    A shadow is the complement of the parity of a few bits of a register, given with them. If one of these bits or their
    shadow flips, the two disagree until the next is written. Where bits of a register are written apart, each has its
    own. As no shadow is the same as any register, synthesis keeps both. A register with a shadow is reset, also
    one that would not be without.

    Control is all but fields of :data:`DATA_BITS` bits or more and those in :data:`HARMLESS`. Components with a true
    attribute ``unguarded``, their parts, signals marked by :func:`unguarded`, and memories have no shadow.

    Latency: combinational from the registers to ``upsets``.

    Parameters
    ----------
    component : :class:`Elaboratable`
        What is guarded; its registers are in the domain ``sync``.
    upsets : mapping
        Names of submodules, from the component inwards, to a signal that is high while a register of that part is
        wrong. Registers of the component itself have no shadow.
    """

    def __init__(self, component: Elaboratable, *, upsets: Mapping[tuple[str, ...], Signal]) -> None:
        self.component = component
        self.upsets = upsets

    def elaborate(self, platform) -> Fragment:
        fragment = Fragment.get(self.component, platform)
        for part, name, _ in fragment.subfragments:
            self._guard(part, (str(name),))
        return fragment

    def _guard(self, fragment: Fragment, path: tuple[str, ...]) -> Value:
        """Adds shadows to a part; whether a register of it is wrong."""
        disagreements: list[Value] = []
        if not any(getattr(origin, _MARK, False) for origin in fragment.origins or ()):
            disagreements = [self._guard(part, (*path, str(name))) for part, name, _ in fragment.subfragments]
            if statements := fragment.statements.get("sync"):
                shadows = _Shadows(statements)
                fragment.add_statements("sync", shadows.statements)
                disagreements += shadows.disagreements
        if not disagreements:
            return Const(0)
        upset = self.upsets.get(path, Signal(name="upset"))
        fragment.add_statements("comb", upset.eq(Cat(disagreements).any()))
        return upset


class _Shadows(ValueTransformer, StatementTransformer):
    """The shadows of the registers that some statements drive.

    Attributes
    ----------
    statements
        Those that drive the shadows as the others do the registers.
    disagreements : list of :class:`Value`
        For each shadow whether it is not what it should be.
    """

    def __init__(self, statements) -> None:
        driven = LHSMaskCollector()
        driven.visit_stmt(statements)
        apart = {id(signal) for signal in _written_apart(statements)}
        self._whole: dict[int, tuple[Signal, list[list[int]]]] = {}
        self._apart: dict[int, Value] = {}
        self.disagreements = []
        for signal, mask in driven.masks():
            bits = [] if signal.attrs.get(_MARK) else [bit for bit in _control_bits(signal) if mask >> bit & 1]
            size = 1 if id(signal) in apart else PARITY_BITS
            groups = [bits[start:start + size] for start in range(0, len(bits), size)]
            if groups:
                # Both must be reset, for they agree by chance only when power comes.
                signal._reset_less = False
            shadow = _shadow(signal, groups)
            self.disagreements += [Cat(signal[bit] for bit in group).xor() == shadow[index]
                                   for index, group in enumerate(groups)]
            if id(signal) in apart:
                # Bits without a shadow go where nobody reads.
                nowhere, index_of = Signal(len(signal), name="unread"), {bit: index for index, bit in enumerate(bits)}
                self._apart[id(signal)] = Cat(shadow[index_of[bit]] if bit in index_of else nowhere[bit]
                                              for bit in range(len(signal)))
            else:
                self._whole[id(signal)] = shadow, groups
        self.statements = self.on_statements(statements)

    def on_Assign(self, statement):
        given = _extended(statement.rhs, len(statement.lhs))
        if id(statement.lhs) in self._whole:
            shadow, groups = self._whole[id(statement.lhs)]
            return Assign(shadow, Cat(~Cat(given[bit] for bit in group).xor() for group in groups)) if groups else []
        return Assign(self.on_value(statement.lhs), ~given)

    def on_Switch(self, statement):
        cases = [(patterns, self.on_statements(inner), src_loc) for patterns, inner, src_loc in statement.cases]
        return Switch(statement.test, cases, src_loc=statement.src_loc)

    def on_Signal(self, signal):
        return self._apart[id(signal)]

    def on_Part(self, value):
        return Part(self.on_value(value.value), value.offset, value.width, value.stride)

    def on_SwitchValue(self, value):
        return SwitchValue(value.test, [(patterns, self.on_value(case)) for patterns, case in value.cases])


def _shadow(signal: Signal, groups: list[list[int]]) -> Signal:
    init = sum(1 << index for index, group in enumerate(groups)
               if not sum(signal.init >> bit & 1 for bit in group) & 1)
    shadow = Signal(len(groups), name=f"{signal.name}_shadow", init=init)
    shadow.src_loc = signal.src_loc
    return shadow


def _written_apart(statements) -> Iterator[Signal]:
    """Registers of which a statement gives a part, or several together."""
    for statement in statements:
        if isinstance(statement, Switch):
            for _, inner, _ in statement.cases:
                yield from _written_apart(inner)
        elif isinstance(statement, Assign) and not isinstance(statement.lhs, Signal):
            yield from statement.lhs._lhs_signals()


def _extended(value: Value, width: int) -> Value:
    """A value as an assignment to so many bits has it."""
    if len(value) >= width:
        return value[:width]
    sign = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, sign.replicate(width - len(value)))


def _control_bits(signal: Signal) -> list[int]:
    return [bit for start, width in _control_fields(signal._format) for bit in range(start, start + width)]


def _control_fields(format_) -> Iterator[tuple[int, int]]:
    """Start and width of the innermost fields of a signal that are control."""
    match format_:
        case Format.Struct():
            for name, field in format_._fields.items():
                if name not in HARMLESS:
                    yield from _control_fields(field)
        case Format.Array():
            for field in format_._fields:
                yield from _control_fields(field)
        case _:
            value = format_._value if isinstance(format_, Format.Enum) else format_._chunks[0][0]
            if len(value) < DATA_BITS:
                yield _start(value), len(value)


def _start(value: Value) -> int:
    """Where in its signal a slice of a slice begins."""
    match value:
        case Slice():
            return int(value.start) + _start(value.value)
        case Signal():
            return 0
        case _:
            return _start(value.operands[0])
