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
from collections.abc import Iterator

from cbit_sim.beats import CHANNELS
from cbit_sim.netlist import Port, ports, top_module

__all__ = ["PACKED", "PORTS", "handshake_bit", "harness"]

PORTS = ("s_axi", "m_axi")
"""The AXI4 ports that the harness packs."""

PACKED = {port: 1 << len(PORTS) * len(CHANNELS) + number for number, port in enumerate(PORTS)}
"""Bits of ``drive``: whether the harness drives a port's inputs."""

_DRIVE_BITS = len(PORTS) * (len(CHANNELS) + 1)
_PIN = re.compile(rf"({'|'.join(PORTS)})_({'|'.join(CHANNELS)})(valid|ready|[a-z]+)")
_WRITABLE, _READABLE = "/*verilator public_flat_rw*/", "/*verilator public_flat_rd*/"


def handshake_bit(port: str, channel: str) -> int:
    """The bit of a channel in ``drive``, VALID or READY as the bench drives it, and of the other one in ``seen``."""
    return 1 << PORTS.index(port) * len(CHANNELS) + list(CHANNELS).index(channel)


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _beats(pins: dict[str, Port]) -> Iterator[tuple[str, str, list[Port]]]:
    """Of each channel its name, whether it is an ``input`` of the design, and the pins of its beats' fields."""
    for port in PORTS:
        for channel, beat in CHANNELS.items():
            name = f"{port}_{channel}"
            if f"{name}valid" in pins:
                yield name, pins[f"{name}valid"].direction, [
                    pins[name + field] for field in beat._fields if name + field in pins]


def _handshakes(pins: dict[str, Port]) -> Iterator[tuple[Port, int]]:
    """VALID and READY of each channel, and the number of their bit."""
    for port in PORTS:
        for channel in CHANNELS:
            for signal in ("valid", "ready"):
                pin = pins.get(f"{port}_{channel}{signal}")
                if pin is not None:
                    yield pin, handshake_bit(port, channel).bit_length() - 1


def harness(text: str) -> str:
    """The Verilog of a design within its harness, which is the top and named like the design, with ``_bench``."""
    design = top_module(text)
    through = [port for port in ports(text) if not _PIN.fullmatch(port.name)]
    pins = {port.name: port for port in ports(text) if _PIN.fullmatch(port.name)}
    access = {"input": _WRITABLE, "output": _READABLE}
    body = [f"  {port.direction} {_range(port.width)}{port.name} {access[port.direction]};" for port in through]
    names = [port.name for port in through]
    driven: dict[str, list[str]] = {port: [] for port in PORTS}
    for pin in pins.values():
        body.append(f"  reg {_range(pin.width)}{pin.name} {_WRITABLE} = 0;" if pin.direction == "input"
                    else f"  wire {_range(pin.width)}{pin.name} {_READABLE};")
    for name, direction, fields in _beats(pins):
        names.append(f"{name}_beat")
        joined = "{" + ", ".join(pin.name for pin in fields) + "}"
        body.append(f"  {direction} {_range(sum(pin.width for pin in fields))}{name}_beat {access[direction]};")
        if direction == "input":
            driven[name.rsplit("_", 1)[0]].append(f"{joined} <= {name}_beat;")
        else:
            body.append(f"  assign {name}_beat = {joined};")
    body += [f"  input [{_DRIVE_BITS - 1}:0] drive {_WRITABLE};",
             f"  output [{len(PORTS) * len(CHANNELS) - 1}:0] seen {_READABLE};"]
    for pin, bit in _handshakes(pins):
        if pin.direction == "input":
            driven[pin.name[:5]].append(f"{pin.name} <= drive[{bit}];")
        else:
            body.append(f"  assign seen[{bit}] = {pin.name};")
    for port, assignments in driven.items():
        body += [f"  always @(negedge clk) if (drive[{PACKED[port].bit_length() - 1}]) begin",
                 *(f"    {assignment}" for assignment in assignments), "  end"]
    connections = ", ".join(f".{name}({name})" for name in (*(port.name for port in through), *pins))
    return "\n".join([
        "(* top = 1 *)", f"module {design}_bench({', '.join([*names, 'drive', 'seen'])});", *body,
        f"  {design} core({connections});", "endmodule", "",
        re.sub(r"^\(\*\s*top\s*=\s*1\s*\*\)\n", "", text, flags=re.MULTILINE)])
