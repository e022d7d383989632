"""What size and clock mean."""

import pytest

from cbit.config import EngineConfig
from cbit_fpga.cells import Cells
from cbit_fpga.devices import DEVICES
from cbit_fpga.figures import EngineFigures

DEVICE = DEVICES["LFE5U-85F"]


def test_cells_count_luts_as_the_placer_does():
    cells = Cells.of({"LUT4": 100, "CCU2C": 10, "TRELLIS_DPR16X4": 5, "DP16KD": 3, "PDPW16KD": 1, "PFUMX": 40},
                     DEVICE.resources)
    assert cells == Cells(logic_luts=100, carries=10, ram_16x4=5, block_rams=4)
    assert cells.luts == 140


@pytest.mark.parametrize(("changes", "gbps"), [({}, 25.6), ({"unroll": 5}, 12.8), ({"unroll": 3}, 6.4),
                                               ({"key_bits": 256}, 25.6), ({"data_width": 512}, 102.4)])
def test_throughput_is_a_beat_every_time_around_the_rounds(changes, gbps):
    figures = EngineFigures(config=EngineConfig(**changes), device=DEVICE, cells=Cells(), mhz=200.0)
    assert figures.gbps == pytest.approx(gbps)
    assert figures.nanoseconds(11) == pytest.approx(55)


def test_a_block_ram_counts_as_its_share_of_the_device():
    figures = EngineFigures(config=EngineConfig(), device=DEVICE, mhz=100.0,
                            cells=Cells(logic_luts=1000, block_rams=DEVICE.block_rams // 2))
    assert figures.equivalent_luts == pytest.approx(1000 + DEVICE.luts / 2)
    assert figures.gbps_per_kilolut == pytest.approx(12.8 / 42.82)
