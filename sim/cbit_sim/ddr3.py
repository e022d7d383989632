"""LiteDRAM's registers and PHY before a chip of DDR3, with lanes that hide when they read.

Written from what LiteDRAM's ECP5DDRPHY does, not from what the firmware is told.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence

from cbit_sim.ddr3_chip import Ddr3Chip

__all__ = ["Ddr3Model", "Lane"]

_SELECT, _CKE, _RESET_N = 1 << 0, 1 << 1, 1 << 3
_WITH_DATA = {"WRITE": 1 << 4, "READ": 1 << 5}
_PHASES, _BEATS_A_PHASE = 2, 4
_WORD_BYTES = 4


@dataclasses.dataclass
class Lane:
    """A lane of bytes.

    Parameters
    ----------
    bitslip, first, length : :class:`int`
        It reads what is stored at this bitslip, and at so many delays from the first on.
    sees_bursts : :class:`bool`
        Whether it sees a burst come, at least where it reads.
    stuck_at : :class:`int` or :data:`None`
        What it reads instead.
    """

    bitslip: int
    first: int
    length: int
    sees_bursts: bool = True
    stuck_at: int | None = None


class Ddr3Model:
    """LiteDRAM's registers and the PHY, whose lanes have hidden windows, and a chip.

    Parameters
    ----------
    registers : mapping
        LiteDRAM's name of a register to its offset.
    table : sequence of :class:`int`
        What the firmware is told.
    lanes : sequence of :class:`Lane`
    clock_hz, timer_hz : :class:`int`
        The controller's clock, and the one that cycles of :meth:`wait` are of.
    cas_latency, cas_write_latency : :class:`int`
        What the PHY counts on.
    seed : :class:`int`
        Of what is read outside of windows.
    has_reset : :class:`bool`
        Whether the chip's RESET# is wired. Without, it has been at work, with rows open.

    Attributes
    ----------
    chip : :class:`~cbit_sim.ddr3_chip.Ddr3Chip`
    opened : :class:`bool`
        Whether accesses are let through.
    settings : :class:`list`
        Bitslip and delay of each lane.
    """

    def __init__(self, *, registers: Mapping[str, int], table: Sequence[int], lanes: Sequence[Lane], clock_hz: int,
                 timer_hz: int, cas_latency: int, cas_write_latency: int, seed: int = 0, has_reset: bool = True):
        self.table = tuple(table)
        self.lanes = list(lanes)
        self.opened = False
        self.settings = [[0, 0] for _ in lanes]
        self._timer_hz = timer_hz
        self.chip = Ddr3Chip(clock_hz=2 * clock_hz, cas_latency=cas_latency, cas_write_latency=cas_write_latency,
                             has_reset=has_reset)
        self._words_a_phase = _BEATS_A_PHASE * len(lanes) // _WORD_BYTES
        self._names = _names(registers, self._words_a_phase)
        self._values: dict[str, int] = {"sdram_dfii_control": _SELECT}
        self._random = random.Random(seed)
        self._stored: dict[tuple[int, int], list[bytes]] = {}
        self._seen = 0
        self._paused, self._in_step = 0, [True for _ in lanes]

    @property
    def broken(self) -> list[str]:
        """Each time the standard was not heeded."""
        return self.chip.broken

    @property
    def is_handed_over(self) -> bool:
        """Whether the controller has the chip, and its port is open."""
        return bool(self._values["sdram_dfii_control"] & _SELECT and self._values.get("ddrctrl_init_done"))

    def wait(self, cycles: int) -> None:
        """Time passes."""
        self.chip.wait(cycles * 1e9 / self._timer_hz)

    def open(self) -> None:
        """Accesses are let through."""
        self.chip.require("DRAM is opened by whom the chip is handed over", self.is_handed_over)
        self.opened = True

    def read(self, offset: int) -> int:
        """A register as it reads."""
        name = self._names[offset]
        return self._seen if name == "ddrphy_burstdet_seen" else self._values.get(name, 0)

    def write(self, offset: int, value: int) -> None:
        """A register is written."""
        name = self._names[offset]
        self._values[name] = value
        match name.split("_", 1):
            case ["sdram", "dfii_control"]:
                self._control(value)
            case ["sdram", rest] if rest.endswith("command_issue"):
                self._command(int(rest[len("dfii_pi")]))
            case ["ddrphy", "burstdet_clr"]:
                self._seen = 0
            case ["ddrphy", "dly_sel"]:
                self._select(value)
            case ["ddrphy", rest]:
                self._change(rest)

    # The PHY.

    def _select(self, lanes: int) -> None:
        """Lanes that are selected pause. Only those that go on together are in step."""
        everyone = (1 << len(self.lanes)) - 1
        if lanes == 0 and self._paused == everyone:
            self._in_step = [True for _ in self.lanes]
        self._paused = lanes & everyone

    def _change(self, what: str) -> None:
        for number, setting in enumerate(self.settings):
            if self._paused >> number & 1:
                self._in_step[number] = False
                match what:
                    case "rdly_dq_rst":
                        setting[1] = 0
                    case "rdly_dq_inc":
                        setting[1] = (setting[1] + 1) % 8
                    case "rdly_dq_bitslip_rst":
                        setting[0] = 0
                    case "rdly_dq_bitslip":
                        setting[0] = (setting[0] + 1) % 4

    def _reads(self, number: int) -> bool:
        lane, (bitslip, delay) = self.lanes[number], self.settings[number]
        in_step = not self._paused and self._in_step[number]
        return in_step and bitslip == lane.bitslip and lane.first <= delay < lane.first + lane.length

    # The chip.

    def _control(self, value: int) -> None:
        if value & _SELECT:
            self.chip.require_initialized()
        else:
            self.chip.set_pins(enabled=bool(value & _CKE), unreset=bool(value & _RESET_N))

    def _command(self, phase: int) -> None:
        given = self._values.get(f"sdram_dfii_pi{phase}_command", 0)
        address, bank = (self._values.get(f"sdram_dfii_pi{phase}_{name}", 0) for name in ("address", "baddress"))
        self.chip.require("registers give commands where they drive the pins",
                          not self._values["sdram_dfii_control"] & _SELECT)
        name = self.chip.command(given & 0xF, address, bank)
        self.chip.require("data go with reads and writes", given >> 4 == _WITH_DATA.get(name, 0) >> 4)
        if name == "WRITE":
            self._write((self.chip.row or 0, address))
        elif name == "READ":
            self._read((self.chip.row or 0, address))

    def _write(self, place: tuple[int, int]) -> None:
        phases = [self._phase_bytes(phase) for phase in range(_PHASES)]
        self._stored[place] = [data[start:start + len(self.lanes)] for data in phases
                               for start in range(0, len(data), len(self.lanes))]

    def _read(self, place: tuple[int, int]) -> None:
        beats = [bytearray(beat) for beat in self._stored.get(place, [bytes(len(self.lanes))] * 8)]
        for number, lane in enumerate(self.lanes):
            is_read = self._reads(number)
            if lane.sees_bursts and (is_read or self._random.random() < 0.5):
                self._seen |= 1 << number
            for beat in beats:
                if not is_read or lane.stuck_at is not None:
                    beat[number] = self._random.randrange(256) if lane.stuck_at is None else lane.stuck_at
        for phase in range(_PHASES):
            data = b"".join(bytes(beat) for beat in beats[_BEATS_A_PHASE * phase:_BEATS_A_PHASE * (phase + 1)])
            for index in range(self._words_a_phase):
                # The first word of a register is its most significant one.
                start = _WORD_BYTES * (self._words_a_phase - 1 - index)
                self._values[f"sdram_dfii_pi{phase}_rddata{index}"] = int.from_bytes(
                    data[start:start + _WORD_BYTES], "little")

    def _phase_bytes(self, phase: int) -> bytes:
        words = [self._values.get(f"sdram_dfii_pi{phase}_wrdata{index}", 0) for index in range(self._words_a_phase)]
        return b"".join(word.to_bytes(_WORD_BYTES, "little") for word in reversed(words))


def _names(registers: Mapping[str, int], words_a_phase: int) -> dict[int, str]:
    """Offsets to names; those of data have a number for each of their words."""
    names: dict[int, str] = {}
    for name, offset in registers.items():
        if name.endswith("data"):
            names |= {offset + _WORD_BYTES * index: f"{name}{index}" for index in range(words_a_phase)}
        else:
            names[offset] = name
    return names
