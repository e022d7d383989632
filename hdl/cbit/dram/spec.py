"""What a board's DRAM is. Plain Python without Amaranth or LiteDRAM."""

import dataclasses
import enum

__all__ = ["DramKind", "DramSpec"]


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

    def __post_init__(self) -> None:
        if not self.module.isidentifier():
            raise ValueError(f"module must be the name of a chip, not {self.module!r}")
        if self.memory_bytes < 4096 or self.memory_bytes & (self.memory_bytes - 1):
            raise ValueError(f"memory_bytes must be a power of two of at least 4096, not {self.memory_bytes!r}")
        if self.clock_hz <= 0:
            raise ValueError(f"clock_hz must be positive, not {self.clock_hz!r}")
        if self.width not in (16, 32):
            raise ValueError(f"width must be 16 or 32, not {self.width!r}")

    @property
    def address_width(self) -> int:
        """Bits of the address of a byte."""
        return self.memory_bytes.bit_length() - 1
