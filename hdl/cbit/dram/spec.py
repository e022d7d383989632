"""What a board's DRAM is. Plain Python without Amaranth or LiteDRAM."""

import dataclasses
import enum

__all__ = ["DramKind", "DramSpec"]

_TAPS = 128


class DramKind(enum.Enum):
    """Which DRAM, and so which of LiteDRAM's PHYs.

    ``SDR``
        SDR SDRAM at the controller's clock, behind ``GENSDRPHY``.
    ``DDR3``
        DDR3 SDRAM at twice the controller's clock, behind ``ECP5DDRPHY``.
    """

    SDR = "SDR"
    DDR3 = "DDR3"

    @property
    def phy(self) -> str:
        """LiteDRAM's name of the PHY."""
        return {DramKind.SDR: "GENSDRPHY", DramKind.DDR3: "ECP5DDRPHY"}[self]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DramSpec:
    """The DRAM of a board.

    Parameters
    ----------
    module : :class:`str`
        LiteDRAM's name of the chip, such as ``MT48LC16M16``: a class of ``litedram.modules``.
    memory_bytes : :class:`int`
        Bytes of all chips. A power of two of at least 4096. LiteDRAM must have it so, too.
    clock_hz : :class:`int`
        The controller's clock, ``sync``. Positive.
    crystal_hz : :class:`int`
        For DDR3, the clock that its controller makes ``sync`` and others from. Positive.
    command_delay : :class:`int`
        Of DDR3, by how many taps, of some 25 ps each, clock and commands are late. 0 to 127.
    swaps_masks : :class:`bool`
        Of DDR3, whether the board leads the chip's mask of each byte along with the other byte's data.
    kind : :class:`DramKind`
        Which DRAM it is.
    width : :class:`int`
        Data pins of all chips: 16 or 32.

    Raises
    ------
    ValueError
        If a parameter is not such.
    """

    module: str
    memory_bytes: int
    clock_hz: int
    kind: DramKind = DramKind.SDR
    width: int = 16
    crystal_hz: int | None = None
    command_delay: int = 0
    swaps_masks: bool = False

    def __post_init__(self) -> None:
        if not self.module.isidentifier():
            raise ValueError(f"module must be the name of a chip, not {self.module!r}")
        if self.memory_bytes < 4096 or self.memory_bytes & (self.memory_bytes - 1):
            raise ValueError(f"memory_bytes must be a power of two of at least 4096, not {self.memory_bytes!r}")
        if self.clock_hz <= 0:
            raise ValueError(f"clock_hz must be positive, not {self.clock_hz!r}")
        if (self.kind is DramKind.DDR3) != (self.crystal_hz is not None and self.crystal_hz > 0):
            raise ValueError(f"crystal_hz must be positive for DDR3, and None for others, not {self.crystal_hz!r}")
        if not 0 <= self.command_delay < _TAPS:
            raise ValueError(f"command_delay must be from 0 to {_TAPS - 1}, not {self.command_delay!r}")
        if self.width not in (16, 32):
            raise ValueError(f"width must be 16 or 32, not {self.width!r}")

    @property
    def address_width(self) -> int:
        """Bits of the address of a byte."""
        return self.memory_bytes.bit_length() - 1
