"""A chip of DDR3 behind LiteDRAM's registers, which holds the firmware to the standard and hides when lanes read.

Written from JESD79-3F and from what LiteDRAM's ECP5DDRPHY does, not from what the firmware is told.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence

__all__ = ["Ddr3Model", "Lane"]

_SELECT, _CKE, _RESET_N = 1 << 0, 1 << 1, 1 << 3
_COMMANDS = {0b1001: "ACTIVATE", 0b1011: "PRECHARGE", 0b0111: "WRITE", 0b0101: "READ", 0b1111: "MODE", 0b0011: "ZQ",
             0b1101: "REFRESH"}
"""By CS, WE, CAS and RAS, from bit 0 on; a one is a pin that is low."""

_WITH_DATA = {"WRITE": 1 << 4, "READ": 1 << 5}
_ORDER = (2, 3, 1, 0)
_PHASES, _BEATS_A_PHASE = 2, 4
_CAS_LATENCIES = {0b0010: 5, 0b0100: 6, 0b0110: 7}
_A10 = 1 << 10
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
    """LiteDRAM's registers, the PHY, and a chip whose lanes have hidden windows.

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
    broken : :class:`list` of :class:`str`
        Each time the standard was not heeded.
    opened : :class:`bool`
        Whether accesses are let through.
    settings : :class:`list`
        Bitslip and delay of each lane.
    """

    def __init__(self, *, registers: Mapping[str, int], table: Sequence[int], lanes: Sequence[Lane], clock_hz: int,
                 timer_hz: int, cas_latency: int, cas_write_latency: int, seed: int = 0, has_reset: bool = True):
        self.table = tuple(table)
        self.lanes = list(lanes)
        self.broken: list[str] = []
        self.opened = False
        self.settings = [[0, 0] for _ in lanes]
        self._timer_hz = timer_hz
        self._latencies = cas_latency, cas_write_latency
        self._clock_ns = 1e9 / (2 * clock_hz)
        self._words_a_phase = _BEATS_A_PHASE * len(lanes) // _WORD_BYTES
        self._names = _names(registers, self._words_a_phase)
        self._values: dict[str, int] = {"sdram_dfii_control": _SELECT}
        self._random = random.Random(seed)
        self._has_reset = has_reset
        self._now = 0.0
        self._last = dict.fromkeys(("reset", "unreset", "enabled", "MODE", "dll", "ZQ", "ACTIVATE", "WRITE", "READ",
                                    "PRECHARGE"), float("-inf"))
        self._modes: list[int] = []
        self._is_calibrated = False
        self._row: int | None = None
        self._is_idle = has_reset
        self._stored: dict[tuple[int, int], list[bytes]] = {}
        self._seen = 0
        self._paused, self._in_step = 0, [True for _ in lanes]

    @property
    def is_handed_over(self) -> bool:
        """Whether the controller has the chip, and its port is open."""
        return bool(self._values["sdram_dfii_control"] & _SELECT and self._values.get("ddrctrl_init_done"))

    def wait(self, cycles: int) -> None:
        """Time passes."""
        self._now += cycles * 1e9 / self._timer_hz

    def open(self) -> None:
        """Accesses are let through."""
        self._require("DRAM is opened by whom the chip is handed over", self.is_handed_over)
        self.opened = True

    def read(self, offset: int) -> int:
        """A register as it reads."""
        name = self._names[offset]
        return self._seen if name == "ddrphy_burstdet_seen" else self._values.get(name, 0)

    def write(self, offset: int, value: int) -> None:
        """A register is written."""
        name = self._names[offset]
        before, self._values[name] = self._values.get(name, 0), value
        match name.split("_", 1):
            case ["sdram", "dfii_control"]:
                self._control(before, value)
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

    def _require(self, rule: str, holds: object) -> None:
        if not holds:
            self.broken.append(rule)

    def _since(self, what: str, *, ns: float = 0, clocks: float = 0) -> bool:
        """Whether so long has passed, with a hair for rounding."""
        return self._now - self._last[what] >= max(ns, clocks * self._clock_ns) - 1e-6

    def _control(self, before: int, value: int) -> None:
        if value & _SELECT:
            self._require("the controller gets a chip that is initialized", self._is_calibrated and self._row is None)
            self._require("the controller gets a chip that is calibrated", self._since("ZQ", clocks=512))
            return
        was_reset = not before & (_RESET_N | _SELECT)
        if not value & _RESET_N:
            self._require("CKE is low in reset", not value & _CKE)
            if not was_reset:
                self._last["reset"] = self._now
            if self._has_reset:
                self._modes, self._is_calibrated, self._row, self._is_idle = [], False, None, True
        elif was_reset:
            self._require("RESET# is low for 200 us", self._since("reset", ns=200e3))
            self._require("CKE is low when RESET# rises", not value & _CKE)
            self._last["unreset"] = self._now
        if value & _CKE and not before & (_CKE | _SELECT):
            self._require("RESET# is low before CKE rises", not self._has_reset or self._last["unreset"] > 0)
            self._require("CKE is low for 500 us", self._since("unreset", ns=500e3) and value & _RESET_N)
            self._last["enabled"] = self._now

    def _command(self, phase: int) -> None:
        given = self._values.get(f"sdram_dfii_pi{phase}_command", 0)
        address, bank = (self._values.get(f"sdram_dfii_pi{phase}_{name}", 0) for name in ("address", "baddress"))
        name = _COMMANDS.get(given & 0xF, "")
        control = self._values["sdram_dfii_control"]
        self._require("commands are given by registers to a chip that is enabled",
                      control & (_SELECT | _CKE | _RESET_N) == _CKE | _RESET_N)
        self._require(f"a command is one of the standard's, not {given:#b}",
                      name and given >> 4 == _WITH_DATA.get(name, 0) >> 4)
        self._require(f"t_XPR before {name}", self._since("enabled", ns=360, clocks=5))
        self._require(f"t_MOD before {name}", name == "MODE" or self._since("MODE", ns=15, clocks=12))
        self._require(f"t_ZQinit before {name}", self._since("ZQ", clocks=512))
        act = {"MODE": self._set_mode, "ZQ": self._calibrate, "ACTIVATE": self._activate, "WRITE": self._write,
               "READ": self._read, "PRECHARGE": self._precharge}.get(name)
        if act is not None:
            act(address, bank)
            self._last[name] = self._now

    def _set_mode(self, address: int, bank: int) -> None:
        self._require("modes are set with all banks idle", self._is_idle and self._row is None)
        self._require("t_RP before MODE", self._since("PRECHARGE", ns=15))
        self._require("t_MRD", self._since("MODE", clocks=4))
        self._require("modes are set in the order 2, 3, 1, 0", bank == (*_ORDER, None)[len(self._modes)])
        self._modes.append(bank)
        match bank:
            case 0:
                latency = _CAS_LATENCIES.get(address >> 3 & 0b1110 | address >> 2 & 1)
                self._require("the CAS latency is the PHY's", latency == self._latencies[0])
                self._require("bursts are of eight, sequential", not address & 0b1011)
                self._require("the DLL is reset", address >> 8 & 1)
                self._last["dll"] = self._now
            case 1:
                self._require("DLL and outputs are on, without leveling of writes or additive latency",
                              not address & 0b1_0000_1001_1001)
            case 2:
                self._require("the CAS write latency is the PHY's", (address >> 3 & 7) + 5 == self._latencies[1])
            case 3:
                self._require("reads give what is stored", not address & 4)

    def _calibrate(self, address: int, _bank: int) -> None:
        self._require("ZQCL, not ZQCS", address & _A10)
        self._require("modes come before calibration", tuple(self._modes) == _ORDER)
        self._is_calibrated = True

    def _activate(self, address: int, bank: int) -> None:
        self._require("rows are opened in a chip that is initialized", self._is_calibrated and self._row is None)
        self._require("t_RP", self._since("PRECHARGE", ns=15))
        self._row = address | bank << 16

    def _precharge(self, address: int, _bank: int) -> None:
        is_open = self._row is not None
        self._require("t_RAS, the least", not is_open or self._since("ACTIVATE", ns=37.5))
        self._require("t_RAS, the most", not is_open or not self._since("ACTIVATE", ns=70_200))
        self._require("t_WR", self._since("WRITE", clocks=self._latencies[1] + 4) and self._since("WRITE", ns=15))
        self._require("t_RTP", self._since("READ", ns=7.5, clocks=4))
        self._row = None
        self._is_idle |= bool(address & _A10)

    def _open_column(self, column: int, latency: int) -> tuple[int, int]:
        self._require("t_RCD", self._row is not None and self._since("ACTIVATE", ns=15))
        self._require("columns are those of whole bursts", not column & (7 | _A10))
        assert latency > 0
        return self._row or 0, column

    def _write(self, column: int, _bank: int) -> None:
        place = self._open_column(column, self._latencies[1])
        phases = [self._phase_bytes(phase) for phase in range(_PHASES)]
        self._stored[place] = [data[start:start + len(self.lanes)] for data in phases
                               for start in range(0, len(data), len(self.lanes))]

    def _read(self, column: int, _bank: int) -> None:
        place = self._open_column(column, self._latencies[0])
        self._require("t_WTR", self._since("WRITE", clocks=self._latencies[1] + 4 + 4))
        self._require("t_DLLK", self._since("dll", clocks=512))
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
