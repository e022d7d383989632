"""How DDR3 behind LiteDRAM's ECP5DDRPHY is initialized and leveled, as the table that the PSP's firmware follows."""

import math
from collections.abc import Iterable, Iterator, Mapping

from cbit.csr.map import register, registers
from cbit.dram.dfi import (
    CAS,
    CKE,
    CONTROL,
    CS,
    RAS,
    READ_DATA,
    SELECT_CONTROLLER,
    WE,
    WRITE_DATA,
    Step,
    command,
)
from cbit.dram.generate import GeneratedController
from cbit.dram.spec import DramSpec

__all__ = ["dram_table"]

_RESET_US = 200
"""How long RESET# is low (JESD79-3F, 3.3.1)."""

_UNRESET_US = 500
"""How long CKE stays low after that (the same)."""

_LONGEST_CLOCKS = 512
"""Clocks of the DRAM that a command may take: t_DLLK after the mode is set, t_ZQinit (the same, 13)."""

_CLOCKS_A_CYCLE = 2

_PROBE_CYCLES = 32
"""More of the controller's cycles than any command of a row takes, or data of a read until they are seen."""

_PRECHARGE_ALL = 1 << 10
_MOST_STEPS = sum(entry.array == "STEP" for entry in registers("dram_table"))

_WORD_BITS, _BYTE_BITS, _WORD_BYTES = 32, 8, 4
_STORED = ("_address", "_baddress", "_command")
"""How registers are called that keep what they have and do nothing by being written."""


def dram_table(spec: DramSpec, controller: GeneratedController, *, timer_hz: int) -> tuple[int, ...]:
    """The words of the map `dram_table` for a controller of DDR3.

    The sequence of commands, the mode registers, and where registers are come from what LiteDRAM has generated. To
    its sequence are added: RESET# is low before it, as the controller has let it be high since the device was
    configured; all banks are precharged before modes are set, for a chip whose RESET# is tied high and which a reset
    of the device finds at work; no wait is shorter than what JESD79-3F wants.

    Parameters
    ----------
    spec : :class:`~cbit.dram.spec.DramSpec`
        The DRAM.
    controller : :class:`~cbit.dram.generate.GeneratedController`
        What LiteDRAM has made for it.
    timer_hz : :class:`int`
        The clock by which waits are counted, which is the PSP's.

    Raises
    ------
    ValueError
        If a sequence or a wait is longer than the map allows.
    """
    words: dict[int, int] = {}
    _describe_phy(words, controller)
    steps: list[Step] = []
    for name, script in _scripts(controller, clock_hz=spec.clock_hz).items():
        first = len(steps)
        steps += script
        _set(words, name, first=first, count=len(steps) - first)
    if len(steps) > _MOST_STEPS:
        raise ValueError(f"The steps must be at most {_MOST_STEPS}, not {len(steps)}")
    for number, step in enumerate(steps):
        wait = math.ceil(step.wait_cycles * timer_hz / spec.clock_hz) + 1 if step.wait_cycles else 0
        _set(words, f"STEP{number}", offset=controller.registers[step.register], wait=wait)
        _set(words, f"STEP_VALUE{number}", word=step.data)
    return tuple(words.get(offset, 0) for offset in range(0, max(words) + _WORD_BYTES, _WORD_BYTES))


def _set(words: dict[int, int], name: str, /, **values: int) -> None:
    """Sets a word of the table, by the names of its fields."""
    entry = register("dram_table", name)
    word = 0
    for field in entry.fields:
        value = values[field.name.lower()]
        if value >> field.width:
            raise ValueError(f"{name}.{field.name} must be below 2**{field.width}, not {value}")
        word |= value << field.lsb
    words[entry.offset] = word


def _describe_phy(words: dict[int, int], controller: GeneratedController) -> None:
    phy, place = controller.phy, controller.registers
    lanes, words_a_phase = phy["MODULES"], phy["DFI_DATABITS"] // _WORD_BITS
    data = [(phase, index) for phase in range(phy["PHASES"]) for index in range(words_a_phase)]
    _set(words, "PHY", lanes=lanes, delays=phy["DELAYS"], bitslips=phy["BITSLIPS"], words=len(data))
    _set(words, "LANE_SELECT", offset=place["ddrphy_dly_sel"])
    _set(words, "BURST_SEEN", offset=place["ddrphy_burstdet_seen"])
    for number, (phase, index) in enumerate(data):
        for name, kind in (("WRITE_DATA", "wrdata"), ("READ_DATA", "rddata")):
            _set(words, f"{name}{number}", offset=place[f"sdram_dfii_pi{phase}_{kind}"] + _WORD_BYTES * index)
    for lane in range(lanes):
        # The bytes of a word are those of the lanes in turn.
        mask = sum(0xFF << _BYTE_BITS * byte for byte in range(lane, _WORD_BYTES, lanes))
        _set(words, f"LANE_BITS{lane}", mask=mask)


def _scripts(controller: GeneratedController, *, clock_hz: int) -> Mapping[str, Iterable[Step]]:
    all_lanes = (1 << controller.phy["MODULES"]) - 1
    return {
        "INITIALIZE": _without_repeats(_initialize(controller, clock_hz=clock_hz)),
        "PROBE": _without_repeats(_probe(controller)),
        # All lanes pause, and go on at one time: so their pointers are in step.
        "SETTLE": [Step("ddrphy_dly_sel", 0), Step("ddrphy_dly_sel", all_lanes),
                   Step("ddrphy_dly_sel", 0, _PROBE_CYCLES)],
        "DELAY_RESET": [Step("ddrphy_rdly_dq_rst", 1)],
        "DELAY_NEXT": [Step("ddrphy_rdly_dq_inc", 1)],
        "BITSLIP_RESET": [Step("ddrphy_rdly_dq_bitslip_rst", 1)],
        "BITSLIP_NEXT": [Step("ddrphy_rdly_dq_bitslip", 1)],
        "HAND_OVER": [Step(CONTROL, SELECT_CONTROLLER), Step("ddrctrl_init_done", 1)],
    }


def _initialize(controller: GeneratedController, *, clock_hz: int) -> Iterator[Step]:
    def cycles(microseconds: int) -> int:
        return math.ceil(microseconds * clock_hz / 1_000_000)

    yield Step(CONTROL, 0, cycles(_RESET_US))
    longest = _LONGEST_CLOCKS // _CLOCKS_A_CYCLE
    for step in controller.sequence:
        if step.register == CONTROL:
            is_enabled = step.data & CKE
            yield step._replace(wait_cycles=max(step.wait_cycles, longest if is_enabled else cycles(_UNRESET_US)))
            if is_enabled:
                yield from command(CS | RAS | WE, address=_PRECHARGE_ALL, wait_cycles=longest)
        elif step.register.endswith("_issue"):
            yield step._replace(wait_cycles=max(step.wait_cycles, longest))
        else:
            yield step


def _probe(controller: GeneratedController) -> Iterator[Step]:
    """A row may not stay open for long (t_RAS): all that can be done before is done before."""
    writing, reading = controller.phy["WRPHASE"], controller.phy["RDPHASE"]
    write = [*command(CS | CAS | WE | WRITE_DATA, phase=writing, wait_cycles=_PROBE_CYCLES)]
    read = [*command(CS | CAS | READ_DATA, phase=reading, wait_cycles=_PROBE_CYCLES)]
    yield from (step for step in (*read, *write) if step.register.endswith(_STORED))
    yield from command(CS | RAS, wait_cycles=_PROBE_CYCLES)
    yield from write
    yield Step("ddrphy_burstdet_clr", 1)
    yield from read
    yield from command(CS | RAS | WE, wait_cycles=_PROBE_CYCLES)


def _without_repeats(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps but for those that give a register what it has."""
    known: dict[str, int] = {}
    for step in steps:
        if known.get(step.register) != step.data:
            yield step
        if step.register.endswith(_STORED):
            known[step.register] = step.data
