"""What several unit tests need."""

import contextlib

import pytest
from amaranth.lib.memory import Memory
from distributed import Client, LocalCluster

import cbit.aes.round_keys
from cbit.psp.p384.unit import P384
from cbit.stream.block_ram import BlockRam
from cbit_fpga.yosys import run_yosys
from cbit_sim.cells import memory_models
from cbit_sim.p384_port import P384Port

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
def round_key_memories(monkeypatch):
    """A list to which each memory of round keys is added as it is made, so that a test may change what it holds."""
    made = []

    def make(**parameters):
        made.append(Memory(**parameters))
        return made[-1]

    def make_block_ram(**parameters):
        block_ram = BlockRam(**parameters)
        made.append(block_ram.memory)
        return block_ram

    monkeypatch.setattr(cbit.aes.round_keys, "Memory", make)
    monkeypatch.setattr(cbit.aes.round_keys, "BlockRam", make_block_ram)
    return made


@pytest.fixture
def farm_of_a_thread():
    """In the place of :func:`cbit_sim.farm.connected`: a worker that is a thread, so that it sees fakes."""
    @contextlib.contextmanager
    def connected(_farm):
        with LocalCluster(n_workers=1, threads_per_worker=1, processes=False,
                          dashboard_address="127.0.0.1:0") as cluster:
            with Client(cluster) as client:
                yield client

    return connected


@pytest.fixture
def compare_with_design(tmp_path):
    """Simulates a netlist, as ``read`` gives it to yosys, beside `design.il`; fails where they differ."""
    def compare(read, *, top, cycles, models=None):
        (tmp_path / "model.v").write_text(models or memory_models())
        run_yosys(_COMPARE.format(read=read, top=top, cycles=cycles), tmp_path)

    return compare


@pytest.fixture(scope="module")
def p384_port():
    """The unit for P-384, compiled, for all tests of a file."""
    port = P384Port(P384(), seed=384)
    yield port
    port.component.close()


@pytest.fixture
def unit(p384_port):
    """The unit for P-384 after a reset."""
    p384_port.reset()
    return p384_port
