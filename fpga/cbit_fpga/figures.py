"""What the measurements of an engine mean to those who use it."""

import dataclasses
from typing import Any

from cbit.config import EngineConfig
from cbit_fpga.cells import Cells
from cbit_fpga.devices import Device

__all__ = ["EngineFigures"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineFigures:
    """Throughput and latency of an engine at the clock that it reaches.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
    device : :class:`~cbit_fpga.devices.Device`
    cells : :class:`~cbit_fpga.cells.Cells`
    mhz : :class:`float`
    """

    config: EngineConfig
    device: Device
    cells: Cells
    mhz: float

    @property
    def gbps(self) -> float:
        """Gigabits that are encrypted or decrypted a second: in each direction, with ``duplex`` in both at once."""
        return self.config.data_width * self.mhz / self.config.block_cycles / 1000

    @property
    def equivalent_luts(self) -> float:
        """LUTs, and for each block RAM those that have the same share of the device."""
        return self.cells.luts + self.cells.block_rams * self.device.luts_per_block_ram

    @property
    def gbps_per_kilolut(self) -> float:
        """What a thousand equivalent LUTs give."""
        return 1000 * self.gbps / self.equivalent_luts

    def nanoseconds(self, cycles: int) -> float:
        """How long some cycles take."""
        return 1000 * cycles / self.mhz

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"gbps": round(self.gbps, 2), "equivalent_luts": round(self.equivalent_luts),
                "gbps_per_kilolut": round(self.gbps_per_kilolut, 3)}
