"""From a subject to RTLIL: in a process of its own, the same for each run.

As a program it reads a subject and the name of a device from standard input, as JSON, and writes RTLIL to standard
output.
"""

import dataclasses
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.subject import Subject

__all__ = ["CORE", "TOP", "ElaborationError", "UnknownPartError", "elaborate"]

CORE = "core"
TOP = "top"
"""Names of the module that is measured, and of its frame."""

TRAFFIC = "traffic"
PSP = "psp"
BRIDGE = "bridge"
SOC = "soc"
"""The parts that are none of the engine: what makes its traffic in a soak, its security processor, the serial bridge of
a board without one, and the whole SoC of a board."""

SOC_MEMORY_BYTES = 1 << 20
"""What the SoC takes for the size of its memory."""

_BAD_PART = 3


class ElaborationError(RuntimeError):
    """The gateware can not be made; the text is the traceback."""


class UnknownPartError(ValueError):
    """There is no such part; the text says which there are."""


@dataclasses.dataclass(frozen=True)
class _Platform:
    device: str


def elaborate(subject: Subject, device: Device) -> str:
    """RTLIL of a subject, the module :data:`CORE`, in its frame, the module :data:`TOP`.

    Raises
    ------
    UnknownPartError
        If the engine has no such part.
    ElaborationError
        If its gateware refuses the configuration, or is wrong.
    """
    request = json.dumps(subject.as_dict() | {"device": device.name, "lean_frame": device.lean_frame})
    run = subprocess.run([sys.executable, "-m", __name__], input=request, capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONHASHSEED": "0"})
    if run.returncode == _BAD_PART:
        raise UnknownPartError(run.stderr.strip())
    if run.returncode:
        raise ElaborationError(run.stderr)
    return run.stdout


def _component(subject: Subject) -> Any:
    """The engine with the pins of its Verilog, one of its parts, or what stands beside it or a part of that.

    Raises
    ------
    UnknownPartError
        If the engine has no such part.
    """
    wiring = import_module("amaranth.lib.wiring")
    engine = import_module("cbit.engine").Engine(subject.config)
    if not subject.part:
        return import_module("cbit.axi.pins").AmbaPins(engine)
    found = engine
    for depth, name in enumerate(names := subject.part.split(".")):
        if not depth and name in _BESIDE:
            found = _BESIDE[name](subject)
            continue
        parts = {key: part for key, (part, _) in found.elaborate(None)._named_submodules.items()
                 if isinstance(part, wiring.Component)}
        if name not in parts:
            where = ".".join(names[:depth]) or "the engine"
            raise UnknownPartError(f"part must be one of {', '.join(parts) or 'none'} in {where}, not {name!r}")
        found = parts[name]
    return found


def _traffic(subject: Subject) -> Any:
    try:
        return import_module("cbit_sim.gateware.soak_top").SoakTop(subject.config, has_engine=True).traffic
    except ValueError as error:
        raise UnknownPartError(str(error)) from error


def _psp(subject: Subject) -> Any:
    """The security processor that a platform has."""
    try:
        return import_module("cbit.psp.platform").Platform(
            subject.config, firmware=subject.firmware, memory_bytes=1 << 24, device_secret=_development_secret()).psp
    except ValueError as error:
        raise UnknownPartError(str(error)) from error


def _soc(subject: Subject) -> Any:
    """The SoC of a board, with a security processor if there is firmware for one."""
    psp = {"firmware": subject.firmware, "device_secret": _development_secret()} if subject.firmware else {}
    try:
        return import_module("cbit.soc.soc").Soc(subject.config, memory_bytes=SOC_MEMORY_BYTES, **psp)
    except ValueError as error:
        raise UnknownPartError(str(error)) from error


def _development_secret() -> bytes:
    """The device secret that everybody knows."""
    secret: bytes = import_module("cbit.psp.system").DEVELOPMENT_SECRET
    return secret


def _bridge(subject: Subject) -> Any:
    """The serial bridge of such a SoC."""
    return _soc(subject).bridge


_BESIDE: Mapping[str, Callable[[Subject], Any]] = {TRAFFIC: _traffic, PSP: _psp, BRIDGE: _bridge, SOC: _soc}


def _ports(core: Any) -> list[tuple[str, Any, None]]:
    """Name, signal and direction, which is found from use; a member that is constant, such as a ready, is no port."""
    hdl = import_module("amaranth.hdl")
    members = (("__".join(map(str, path)), hdl.Value.cast(value)) for path, _, value in core.signature.flatten(core))
    return [(name, value, None) for name, value in members if isinstance(value, hdl.Signal)]


def _main() -> None:
    amaranth = import_module("amaranth.hdl")
    warnings.simplefilter("ignore", amaranth.UnusedElaboratable)  # the parts around the one that is wanted
    request = json.load(sys.stdin)
    try:
        core = _component(Subject.from_dict(request))
    except UnknownPartError as error:
        sys.stderr.write(str(error))
        sys.exit(_BAD_PART)
    rtlil = import_module("amaranth.back.rtlil")
    frame = import_module("cbit_fpga.harness")
    text = rtlil.convert(core, name=CORE, ports=_ports(core), platform=_Platform(request["device"]))
    harness = frame.Harness(CORE, frame.ports(text, CORE), lean=request["lean_frame"])
    sys.stdout.write(text + rtlil.convert(harness, name=TOP, ports=[harness.clk, harness.i, harness.o]))


if __name__ == "__main__":
    _main()
