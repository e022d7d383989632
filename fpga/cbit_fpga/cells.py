"""How many cells of each kind a design takes."""

import dataclasses
from collections.abc import Mapping

__all__ = ["Cells"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cells:
    """Cells of a design, by what they are.

    Parameters
    ----------
    logic_luts, registers, block_rams, multipliers : :class:`int`
        Cells of these kinds.
    carries : :class:`int`
        Two bits of a carry chain each, which take two LUTs.
    ram_16x4 : :class:`int`
        Distributed RAMs of 16 words of four bits, which take four LUTs each.
    """

    logic_luts: int = 0
    registers: int = 0
    block_rams: int = 0
    multipliers: int = 0
    carries: int = 0
    ram_16x4: int = 0

    @classmethod
    def of(cls, counted: Mapping[str, int], resources: Mapping[str, str]) -> "Cells":
        """From the numbers of cells by type, and what each type is. Types without a meaning are free."""
        kinds: dict[str, int] = {}
        for name, number in counted.items():
            if name in resources:
                kinds[resources[name]] = kinds.get(resources[name], 0) + number
        return cls(**kinds)

    @property
    def luts(self) -> int:
        """All LUTs, as the placer counts them."""
        return self.logic_luts + 2 * self.carries + 4 * self.ram_16x4
