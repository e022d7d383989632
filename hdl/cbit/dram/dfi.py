"""The registers by which LiteDRAM lets commands of DRAM be given by hand. Plain Python without Amaranth."""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CAS", "CKE", "CONTROL", "CS", "RAS", "READ_DATA", "SELECT_CONTROLLER", "WE", "WRITE_DATA", "Step",
           "command"]

CONTROL = "sdram_dfii_control"
"""The register of who drives the pins, and of what those have that belong to no command."""

SELECT_CONTROLLER, CKE = 1 << 0, 1 << 1
"""Bits of :data:`CONTROL`: the controller drives the pins, not the registers; what these drive CKE with."""

CS, WE, CAS, RAS, WRITE_DATA, READ_DATA = (1 << bit for bit in range(6))
"""Bits of a phase's command: the pin is low while it is given; data go along, or are expected."""


class Step(NamedTuple):
    """A write of a register, and the cycles of the controller's clock to wait after it."""

    register: str
    data: int
    wait_cycles: int = 0


def command(bits: int, *, address: int = 0, bank: int = 0, phase: int = 0, wait_cycles: int = 0) -> Iterator[Step]:
    """What gives a command in a phase of the controller's clock."""
    registers = f"sdram_dfii_pi{phase}_"
    yield Step(f"{registers}address", address)
    yield Step(f"{registers}baddress", bank)
    yield Step(f"{registers}command", bits)
    yield Step(f"{registers}command_issue", 1, wait_cycles)
