"""A frame that gives any design four pins, so that it can be placed by itself."""

import dataclasses
import re
from collections.abc import Sequence

from amaranth.hdl import Cat, ClockDomain, Elaboratable, Instance, Module, Signal

__all__ = ["Harness", "Port", "ports"]

_KEEP = {"keep": 1}
_FOLD = 4
_LEAN_INPUTS = 64


@dataclasses.dataclass(frozen=True)
class Port:
    """A port of a module."""

    name: str
    is_input: bool
    width: int


def ports(rtlil: str, module: str) -> list[Port]:
    """The ports of a module, in the order of their wires."""
    _, _, body = rtlil.partition(f"\nmodule \\{module}\n")
    declarations = re.findall(r"^ {2}wire width (\d+) (input|output) \d+ +\\(\S+)$", body.partition("\nend\n")[0],
                              re.MULTILINE)
    return [Port(name, direction == "input", int(width)) for width, direction, name in declarations]


class Harness(Elaboratable):
    """A module whose inputs come from registers, filled one bit a cycle, and whose outputs end in registers.

    Every path of the module thus lies between registers, and none of it is optimized away: it is mapped to cells before
    it is joined with its frame.

    Parameters
    ----------
    module : :class:`str`
        Its name. Its clock is ``clk``; its reset, if it has one, is an input like others.
    ports : sequence of :class:`Port`
    lean : :class:`bool`
        Whether few registers are enough: inputs share 64 between them, and outputs end in one for four.

    Attributes
    ----------
    clk, i, o : :class:`~amaranth.hdl.Signal`
        The pins.
    """

    def __init__(self, module: str, ports: Sequence[Port], *, lean: bool = False) -> None:
        self.module = module
        self.lean = lean
        self.ports = [port for port in ports if port.width and port.name != "clk"]
        self.has_clock = len(self.ports) < len(ports)
        self.clk = Signal()
        self.i = Signal()
        self.o = Signal()

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain(reset_less=True)
        m.d.comb += domain.clk.eq(self.clk)
        wires = {port: Signal(port.width, name=port.name) for port in self.ports}
        connections = {f"{'i' if port.is_input else 'o'}_{port.name}": wire for port, wire in wires.items()}
        m.submodules.core = Instance(self.module, **connections, **({"i_clk": self.clk} if self.has_clock else {}))

        inputs = Cat(wire for port, wire in wires.items() if port.is_input)
        if self.lean:
            chain = Signal(_LEAN_INPUTS, attrs=_KEEP)
            m.d.sync += chain.eq(Cat(self.i, chain))
            m.d.comb += inputs.eq(chain.replicate(-(-len(inputs) // _LEAN_INPUTS)))
        else:
            chain = Signal(len(inputs))
            driven = Signal(len(inputs), attrs=_KEEP)
            m.d.sync += [chain.eq(Cat(self.i, chain)), driven.eq(chain)]
            m.d.comb += inputs.eq(driven)

        outputs = Cat(wire for port, wire in wires.items() if not port.is_input)
        level = Signal(len(outputs), name="taken", attrs={} if self.lean else _KEEP)
        if self.lean:
            m.d.comb += level.eq(outputs)
        else:
            m.d.sync += level.eq(outputs)
        while len(level) > 1:
            folded = Signal(-(-len(level) // _FOLD), name="folded")
            m.d.sync += folded.eq(Cat(level[start:start + _FOLD].xor() for start in range(0, len(level), _FOLD)))
            level = folded
        m.d.comb += self.o.eq(level)
        return m
