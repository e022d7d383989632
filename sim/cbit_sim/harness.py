"""A Verilog module around what is simulated, through which a bench moves a whole beat at a time.

Every access of a bench to a signal costs about as much as the model's work of a cycle. The harness therefore joins
the fields of each channel into one vector, and the handshakes of both ports into one word for each direction. It also
holds what the bench drives until the clock falls, so that one visit of Python a cycle is enough: at the rising edge,
where it reads the values before the edge and leaves those that come after it.

The pins of the design keep their names in the harness, to be looked at, and to be driven by bus models that know
nothing of all this, as long as :data:`PACKED` of their port is not set. All other ports pass through.

::

    drive, <port>_<channel>_beat ──► registers, at the falling edge ──► pins ──► design
    seen,  <port>_<channel>_beat ◄───────────────────────────────────── pins ◄──
"""

import re
from collections.abc import Iterator, Mapping

from cbit_sim.beats import CHANNELS
from cbit_sim.netlist import Port, ports, top_module

__all__ = ["PACKED", "PORTS", "handshake_bit", "harness"]

PORTS = ("s_axi", "m_axi")
"""The AXI4 ports that the harness packs."""

_HANDSHAKES = len(PORTS) * len(CHANNELS)

PACKED = {port: 1 << _HANDSHAKES + number for number, port in enumerate(PORTS)}
"""Bits of ``drive``: whether the harness drives a port's inputs."""

_PIN = re.compile(rf"({'|'.join(PORTS)})_({'|'.join(CHANNELS)})[a-z]+")
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


def _vectors(pins: Mapping[str, Port]) -> Iterator[Port]:
    """The harness's own ports."""
    for port in PORTS:
        for channel in CHANNELS:
            name = f"{port}_{channel}"
            width = sum(pin.width for pin in _fields(name, pins))
            yield Port(f"{name}_beat", pins[f"{name}valid"].direction, width)
    yield Port("drive", "input", _HANDSHAKES + len(PORTS))
    yield Port("seen", "output", _HANDSHAKES)


def _pairs(port: str, direction: str, pins: Mapping[str, Port]) -> Iterator[tuple[str, str]]:
    """Pins of one direction, and the harness's port, or bit of it, that stands for them."""
    word = {"input": "drive", "output": "seen"}[direction]
    for channel in CHANNELS:
        name = f"{port}_{channel}"
        for signal in ("valid", "ready"):
            if pins[name + signal].direction == direction:
                yield name + signal, f"{word}[{_handshake_number(port, channel)}]"
        if pins[f"{name}valid"].direction == direction:
            yield "{" + ", ".join(pin.name for pin in _fields(name, pins)) + "}", f"{name}_beat"


def _declaration(kind: str, port: Port, initial: str = "") -> str:
    width = f"[{port.width - 1}:0] " if port.width > 1 else ""
    return f"  {kind} {width}{port.name} {_ACCESS[port.direction]}{initial};"


def _registers(port: str, pins: Mapping[str, Port]) -> Iterator[str]:
    yield f"  always @(negedge clk) if (drive[{PACKED[port].bit_length() - 1}]) begin"
    yield from (f"    {pin} <= {vector};" for pin, vector in _pairs(port, "input", pins))
    yield "  end"


def harness(text: str) -> str:
    """The Verilog of a design within its harness, which is the top and has the design's name and ``_bench``."""
    design = top_module(text)
    pins = {port.name: port for port in ports(text)}
    held = [pin for pin in pins.values() if _PIN.fullmatch(pin.name)]
    outer = [*(pin for pin in pins.values() if pin not in held), *_vectors(pins)]
    return "\n".join([
        "(* top = 1 *)",
        f"module {design}_bench({', '.join(port.name for port in outer)});",
        *(_declaration(port.direction, port) for port in outer),
        *(_declaration("reg", pin, " = 0") for pin in held if pin.direction == "input"),
        *(_declaration("wire", pin) for pin in held if pin.direction == "output"),
        *(f"  assign {vector} = {pin};" for port in PORTS for pin, vector in _pairs(port, "output", pins)),
        *(line for port in PORTS for line in _registers(port, pins)),
        f"  {design} core({', '.join(f'.{name}({name})' for name in pins)});",
        "endmodule",
        re.sub(r"^\(\*\s*top\s*=\s*1\s*\*\)\n", "", text, flags=re.MULTILINE)])
