"""Platforms with a host that knows the mailbox: the golden model, the firmware in this process, and gateware."""

import enum
from typing import Protocol, Self

from cbit_model.sev.ports import MemoryPort
from cbit_sim.native_platform import NativePlatform
from cbit_sim.sev_host import SevHost
from cbit_sim.sev_model import ModelPlatform
from cbit_sim.simulated_platform import Progress, SimulatedPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["HostedPlatform", "PlatformKind", "open_platform"]


class PlatformKind(enum.Enum):
    """What carries out the commands."""

    MODEL = "model"
    """The golden model: milliseconds."""

    FIRMWARE = "firmware"
    """The firmware, compiled for this machine, among parts of the golden model: milliseconds."""

    RTL = "rtl"
    """The firmware on the gateware, simulated: a minute for a launch."""


class HostedPlatform(Protocol):
    """A platform after its boot. As a context manager it closes itself.

    Members
    -------
    memory : :class:`~cbit_model.sev.ports.MemoryPort`
        Memory as software sees it.
    host : :class:`~cbit_sim.sev_host.SevHost`
        The host.
    """

    @property
    def memory(self) -> MemoryPort: ...

    @property
    def host(self) -> SevHost: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def dram(self, address: int, length: int) -> bytes:
        """What an attacker at the DRAM sees."""

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""

    def close(self) -> None:
        """Ends it."""


def open_platform(kind: PlatformKind, *, seed: int, progress: Progress | None = None) -> HostedPlatform:
    """A platform that has booted, with 32 MiB of memory. Of a kind, the same seed and the same use give the same bytes.

    Errors are those of :class:`~cbit_sim.simulated_platform.SimulatedPlatform`.
    """
    match kind:
        case PlatformKind.MODEL:
            return ModelPlatform(seed, size_bytes=PLATFORM_MEMORY_BYTES)
        case PlatformKind.FIRMWARE:
            return NativePlatform(seed, size_bytes=PLATFORM_MEMORY_BYTES)
        case PlatformKind.RTL:
            return SimulatedPlatform(seed, progress=progress)
