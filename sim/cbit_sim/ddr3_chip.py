"""What a chip of DDR3 wants of who gives it commands, written from JESD79-3F."""

__all__ = ["COMMANDS", "Ddr3Chip"]

COMMANDS = {0b1001: "ACTIVATE", 0b1011: "PRECHARGE", 0b0111: "WRITE", 0b0101: "READ", 0b1111: "MODE", 0b0011: "ZQ",
            0b1101: "REFRESH"}
"""By CS, WE, CAS and RAS, from bit 0 on; a one is a pin that is low."""

_ORDER = (2, 3, 1, 0)
_CAS_LATENCIES = {0b0010: 5, 0b0100: 6, 0b0110: 7}
_A10 = 1 << 10


class Ddr3Chip:
    """A chip that notes when the standard is not heeded. Commands take no time but what passes between them.

    Parameters
    ----------
    clock_hz : :class:`int`
        The chip's.
    cas_latency, cas_write_latency : :class:`int`
        What those count on who send and take data.
    has_reset : :class:`bool`
        Whether RESET# is wired. Without, the chip has been at work, with rows open.

    Attributes
    ----------
    broken : :class:`list` of :class:`str`
        Each time the standard was not heeded.
    commands : :class:`list`
        Name, address and bank of each.
    row : :class:`int` or :data:`None`
        The one that is open, with its bank above 16 bits.
    """

    def __init__(self, *, clock_hz: int, cas_latency: int, cas_write_latency: int, has_reset: bool = True):
        self.broken: list[str] = []
        self.commands: list[tuple[str, int, int]] = []
        self.row: int | None = None
        self._latencies = cas_latency, cas_write_latency
        self._clock_ns = 1e9 / clock_hz
        self._has_reset = has_reset
        self._now = 0.0
        self._last = dict.fromkeys(("reset", "unreset", "enabled", "dll", *COMMANDS.values()), float("-inf"))
        self._pins = True, True
        self._modes: list[int] = []
        self._is_calibrated = False
        self._is_idle = has_reset

    def wait(self, ns: float) -> None:
        """Time passes."""
        self._now += ns

    def require(self, rule: str, holds: object) -> None:
        """Notes a rule, unless it holds."""
        if not holds:
            self.broken.append(rule)

    def require_initialized(self) -> None:
        """Who takes the chip over must find it so."""
        self.require("the controller gets a chip that is initialized", self._is_calibrated and self.row is None)
        self.require("the controller gets a chip that is calibrated", self._since("ZQ", clocks=512))

    def set_pins(self, *, enabled: bool, unreset: bool) -> None:
        """CKE and RESET# have these levels from now on. In the beginning both are high."""
        was_enabled, was_unreset = self._pins
        self._pins = enabled, unreset
        if not unreset:
            self.require("CKE is low in reset", not enabled)
            if was_unreset:
                self._last["reset"] = self._now
            if self._has_reset:
                self._modes, self._is_calibrated, self.row, self._is_idle = [], False, None, True
        elif not was_unreset:
            self.require("RESET# is low for 200 us", self._since("reset", ns=200e3))
            self.require("CKE is low when RESET# rises", not enabled)
            self._last["unreset"] = self._now
        if enabled and not was_enabled:
            self.require("RESET# is low before CKE rises", not self._has_reset or self._last["unreset"] > 0)
            self.require("CKE is low for 500 us", self._since("unreset", ns=500e3) and unreset)
            self._last["enabled"] = self._now

    def command(self, bits: int, address: int, bank: int) -> str:
        """A command, by the bits of :data:`COMMANDS`; its name, which is empty if there is none such."""
        name = COMMANDS.get(bits, "")
        self.commands.append((name, address, bank))
        self.require(f"a command is one of the standard's, not {bits:#b}", name)
        self.require(f"{name} is given to a chip that is enabled", self._pins == (True, True))
        self.require(f"t_XPR before {name}", self._since("enabled", ns=360, clocks=5))
        self.require(f"t_MOD before {name}", name == "MODE" or self._since("MODE", ns=15, clocks=12))
        self.require(f"t_ZQinit before {name}", self._since("ZQ", clocks=512))
        act = {"MODE": self._set_mode, "ZQ": self._calibrate, "ACTIVATE": self._activate, "WRITE": self._write,
               "READ": self._read, "PRECHARGE": self._precharge}.get(name)
        if act is not None:
            act(address, bank)
        self._last[name] = self._now
        return name

    def _since(self, what: str, *, ns: float = 0, clocks: float = 0) -> bool:
        """Whether so long has passed, with a hair for rounding."""
        return self._now - self._last[what] >= max(ns, clocks * self._clock_ns) - 1e-6

    def _set_mode(self, address: int, bank: int) -> None:
        self.require("modes are set with all banks idle", self._is_idle and self.row is None)
        self.require("t_RP before MODE", self._since("PRECHARGE", ns=15))
        self.require("t_MRD", self._since("MODE", clocks=4))
        self.require("modes are set in the order 2, 3, 1, 0", bank == (*_ORDER, None)[len(self._modes)])
        self._modes.append(bank)
        match bank:
            case 0:
                latency = _CAS_LATENCIES.get(address >> 3 & 0b1110 | address >> 2 & 1)
                self.require("the CAS latency is the PHY's", latency == self._latencies[0])
                self.require("bursts are of eight, sequential", not address & 0b1011)
                self.require("the DLL is reset", address >> 8 & 1)
                self._last["dll"] = self._now
            case 1:
                self.require("DLL and outputs are on, without leveling of writes or additive latency",
                             not address & 0b1_0000_1001_1001)
            case 2:
                self.require("the CAS write latency is the PHY's", (address >> 3 & 7) + 5 == self._latencies[1])
            case 3:
                self.require("reads give what is stored", not address & 4)

    def _calibrate(self, address: int, _bank: int) -> None:
        self.require("ZQCL, not ZQCS", address & _A10)
        self.require("modes come before calibration", tuple(self._modes) == _ORDER)
        self._is_calibrated = True

    def _activate(self, address: int, bank: int) -> None:
        self.require("rows are opened in a chip that is initialized", self._is_calibrated and self.row is None)
        self.require("t_RP", self._since("PRECHARGE", ns=15))
        self.row = address | bank << 16

    def _precharge(self, address: int, _bank: int) -> None:
        is_open = self.row is not None
        self.require("t_RAS, the least", not is_open or self._since("ACTIVATE", ns=37.5))
        self.require("t_RAS, the most", not is_open or not self._since("ACTIVATE", ns=70_200))
        self.require("t_WR", self._since("WRITE", clocks=self._latencies[1] + 4) and self._since("WRITE", ns=15))
        self.require("t_RTP", self._since("READ", ns=7.5, clocks=4))
        self.row = None
        self._is_idle |= bool(address & _A10)

    def _write(self, column: int, _bank: int) -> None:
        self._require_column(column)

    def _read(self, column: int, _bank: int) -> None:
        self._require_column(column)
        self.require("t_WTR", self._since("WRITE", clocks=self._latencies[1] + 4 + 4))
        self.require("t_DLLK", self._since("dll", clocks=512))

    def _require_column(self, column: int) -> None:
        self.require("t_RCD", self.row is not None and self._since("ACTIVATE", ns=15))
        self.require("columns are those of whole bursts", not column & (7 | _A10))
