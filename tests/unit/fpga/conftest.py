"""What several tests of netlists need."""

import pytest

from cbit_fpga.yosys import run_yosys
from cbit_sim.cells import memory_models

_COMPARE = """
{read}
delete =A:blackbox
read_verilog -DNO_INCLUDES +/lattice/cells_sim_ecp5.v
delete DP16KD TRELLIS_DPR16X4
read_verilog model.v
hierarchy -check -top {top}
proc
flatten
opt_clean
rename {top} got
design -stash got
read_rtlil design.il
hierarchy -top {top}
proc
flatten
rename {top} wanted
design -copy-from got got
miter -equiv -ignore_gold_x -make_assert -flatten wanted got miter
hierarchy -top miter
proc
flatten
memory_nordff
opt_clean
sim -clock in_clk -reset in_rst -n {cycles} -assert miter
"""


@pytest.fixture
def compare_with_design(tmp_path):
    """Simulates a netlist, as ``read`` gives it to yosys, beside `design.il`; fails where they differ."""
    def compare(read, *, top, cycles, models=None):
        (tmp_path / "model.v").write_text(models or memory_models())
        run_yosys(_COMPARE.format(read=read, top=top, cycles=cycles), tmp_path)

    return compare
