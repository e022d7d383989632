"""A frame that gives any component four pins, so that it can be placed by itself."""

from collections.abc import Iterator

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, Elaboratable, Module, Signal, Value
from amaranth.lib.wiring import Component, Flow

__all__ = ["CORE", "Harness"]

CORE = "core"
"""Name of the component within its frame."""

KEEP = {"keep": 1}


class Harness(Elaboratable):
    """A component whose inputs come from registers, filled one bit a cycle, and whose outputs end in registers.

    Every path of the component thus lies between registers, and none of it is optimized away. Where the component has
    no ports ``clk`` and ``rst``, its domain ``sync`` gets them.

    Parameters
    ----------
    core : :class:`~amaranth.lib.wiring.Component`

    Attributes
    ----------
    clk, i, o : :class:`~amaranth.hdl.Signal`
        The pins.
    """

    def __init__(self, core: Component) -> None:
        self.core = core
        self.clk = Signal()
        self.i = Signal()
        self.o = Signal()

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.domains.frame = frame = ClockDomain(reset_less=True)
        m.d.comb += frame.clk.eq(self.clk)
        setattr(m.submodules, CORE, self.core)
        inputs, outputs = self._join_clock(m)
        for flow, bits in self._members():
            (inputs if flow == Flow.In else outputs).append(bits)

        count = sum(map(len, inputs))
        chain = Signal(count)
        driven = Signal(count, attrs=KEEP)
        m.d.frame += [chain.eq(Cat(self.i, chain)), driven.eq(chain)]
        m.d.comb += Cat(inputs).eq(driven)

        level = Signal(sum(map(len, outputs)), name="taken", attrs=KEEP)
        m.d.frame += level.eq(Cat(outputs))
        while len(level) > 1:
            folded = Signal(-(-len(level) // 4), name="folded")
            m.d.frame += folded.eq(Cat(level[start:start + 4].xor() for start in range(0, len(level), 4)))
            level = folded
        m.d.comb += self.o.eq(level)
        return m

    def _join_clock(self, m: Module) -> tuple[list[Value], list[Value]]:
        if "clk" in self.core.signature.members:
            m.d.comb += self.core.clk.eq(ClockSignal("frame"))
            return [], []
        m.domains.sync = domain = ClockDomain()
        m.d.comb += domain.clk.eq(ClockSignal("frame"))
        return [domain.rst], []

    def _members(self) -> Iterator[tuple[Flow, Value]]:
        for path, member, value in self.core.signature.flatten(self.core):
            bits = Value.cast(value)
            if path != ("clk",) and len(bits) and not isinstance(bits, Const):
                yield member.flow, bits
