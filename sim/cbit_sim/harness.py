"""A Verilog module around what is simulated, through which a bench moves a whole beat at a time.

Every access of a bench to a signal costs about as much as the model's work of a cycle. The harness therefore joins
the fields of each channel into one vector, and the handshakes of both ports into one word for each direction.

It also holds every input of the design until the clock falls. So one visit of Python a cycle is enough, at the rising
edge, where it reads the values before the edge and leaves those that come after it; and the model works twice a cycle,
at the edges, because nothing else reaches its logic.

All ports of the design keep their names and may be used as they are, as by bus models that know nothing of all this:
the inputs of a port count for as long as its bit of :data:`PACKED` is not set. A design that has none of these ports
gets its inputs held, and no more. Clocks are not held. All but the first begin when a reset has been seen: what
registers hold when power comes does not run, nor is a clock that is high at that moment an edge.

::

    inputs, or drive and <port>_<channel>_beat ──► registers, at the falling edge ──► design
    outputs, and seen and <port>_<channel>_beat ◄──────────────────────────────────── design
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from cbit_sim.beats import CHANNELS
from cbit_sim.netlist import Port, ports, top_module

__all__ = ["CLOCKS", "PACKED", "PORTS", "handshake_bit", "harness"]

PORTS = ("s_axi", "m_axi")
"""The AXI4 ports that the harness packs."""

_HANDSHAKES = len(PORTS) * len(CHANNELS)

PACKED = {port: 1 << _HANDSHAKES + number for number, port in enumerate(PORTS)}
"""Bits of ``drive``: whether the harness drives a port's inputs."""

CLOCKS = ("clk", "psp_clk")
"""Inputs that are clocks; the first is that of all that is held."""

_HELD = "_held"
_BEGUN = "_begun"
_ACCESS = {"input": "/*verilator public_flat_rw*/", "output": "/*verilator public_flat_rd*/"}


def handshake_bit(port: str, channel: str) -> int:
    """The bit of a channel in ``drive``, VALID or READY as the bench drives it, and of the other one in ``seen``."""
    return 1 << _handshake_number(port, channel)


def _handshake_number(port: str, channel: str) -> int:
    return PORTS.index(port) * len(CHANNELS) + list(CHANNELS).index(channel)


def _fields(name: str, pins: Mapping[str, Port]) -> list[Port]:
    """The pins of a channel's beats, in the order of the beat."""
    beat = CHANNELS[name.rsplit("_", maxsplit=1)[-1]]
    return [pins[name + field] for field in beat._fields if name + field in pins]


def _packed(pins: Mapping[str, Port]) -> tuple[str, ...]:
    """The ports that the design has of those that are packed."""
    return tuple(port for port in PORTS if f"{port}_awvalid" in pins)


def _vectors(pins: Mapping[str, Port]) -> Iterator[Port]:
    """The ports that the harness has and the design has not."""
    packed = _packed(pins)
    if not packed:
        return
    for port in packed:
        for channel in CHANNELS:
            name = f"{port}_{channel}"
            width = sum(pin.width for pin in _fields(name, pins))
            yield Port(f"{name}_beat", pins[f"{name}valid"].direction, width)
    yield Port("drive", "input", _HANDSHAKES + len(PORTS))
    yield Port("seen", "output", _HANDSHAKES)


def _pairs(port: str, direction: str, pins: Mapping[str, Port], suffix: str = "") -> Iterator[tuple[str, str]]:
    """Pins of one direction, with a suffix, and the harness's port, or bit of it, that stands for them."""
    word = {"input": "drive", "output": "seen"}[direction]
    for channel in CHANNELS:
        name = f"{port}_{channel}"
        for signal in ("valid", "ready"):
            if pins[name + signal].direction == direction:
                yield name + signal + suffix, f"{word}[{_handshake_number(port, channel)}]"
        if pins[f"{name}valid"].direction == direction:
            yield "{" + ", ".join(pin.name + suffix for pin in _fields(name, pins)) + "}", f"{name}_beat"


def _range(port: Port) -> str:
    return f"[{port.width - 1}:0] " if port.width > 1 else ""


def _registers(pins: Mapping[str, Port], inputs: Sequence[str]) -> Iterator[str]:
    """What the design sees of its inputs."""
    yield from (f"  reg {_range(pins[name])}{name}{_HELD} = 0;" for name in inputs)
    yield "  always @(negedge clk) begin"
    yield from (f"    {name}{_HELD} <= {name};" for name in inputs)
    for port in _packed(pins):
        yield f"    if (drive[{PACKED[port].bit_length() - 1}]) begin"
        yield from (f"      {pin} <= {vector};" for pin, vector in _pairs(port, "input", pins, _HELD))
        yield "    end"
    yield "  end"


def _beginnings(clocks: Sequence[str]) -> Iterator[str]:
    """What lets clocks begin, each when it is low."""
    if not clocks:
        return
    yield "  reg reset_seen = 0;"
    yield f"  always @(posedge {CLOCKS[0]}) if (rst{_HELD}) reset_seen <= 1;"
    for clock in clocks:
        yield f"  reg {clock}{_BEGUN} = 0;"
        yield f"  always @(negedge {clock}) if (reset_seen) {clock}{_BEGUN} <= 1;"


def _connection(name: str, inputs: Sequence[str], clocks: Sequence[str]) -> str:
    source = f"{name}{_HELD}" if name in inputs else f"{name} & {name}{_BEGUN}" if name in clocks else name
    return f".{name}({source})"


def harness(text: str) -> str:
    """The Verilog of a design within its harness, which is the top and has the design's name and ``_bench``."""
    design = top_module(text)
    pins = {port.name: port for port in ports(text)}
    inputs = [pin.name for pin in pins.values() if pin.direction == "input" and pin.name not in CLOCKS]
    clocks = [name for name in CLOCKS[1:] if name in pins]
    outer = [*pins.values(), *_vectors(pins)]
    return "\n".join([
        "(* top = 1 *)",
        f"module {design}_bench({', '.join(port.name for port in outer)});",
        *(f"  {port.direction} {_range(port)}{port.name} {_ACCESS[port.direction]};" for port in outer),
        *_registers(pins, inputs),
        *_beginnings(clocks),
        *(f"  assign {vector} = {pin};" for port in _packed(pins) for pin, vector in _pairs(port, "output", pins)),
        f"  {design} core({', '.join(_connection(name, inputs, clocks) for name in pins)});",
        "endmodule",
        re.sub(r"^\(\*\s*top\s*=\s*1\s*\*\)\n", "", text, flags=re.MULTILINE)])
