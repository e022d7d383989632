"""The netlist that is placed, judged by the golden model."""

import pytest

from cbit.config import EngineConfig, SBox
from cbit_fpga.devices import DEVICES
from cbit_fpga.measurement import synthesized
from cbit_fpga.netlist import netlist_verilog
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_sim.runner import BenchError, simulate

DEVICE = DEVICES["LFE5U-85F"]
SMALL = EngineConfig(addr_width=32, c_bit=31, id_width=2, asid_count=8, duplex=False, unroll=1, sbox=SBox.BLOCK_RAM,
                     max_outstanding=4)


@pytest.fixture(scope="module")
def netlist():
    store = Store()
    return netlist_verilog(synthesized(Subject(SMALL), DEVICE, store=store), DEVICE, store=store)


def smoke(source):
    return simulate("engine", "cbit_sim.benches.smoke", config=SMALL, source=source)["transactions"]


@pytest.mark.slow
def test_netlist_encrypts_as_the_golden_model(netlist):
    assert smoke(netlist) == 19


@pytest.mark.slow
def test_a_wrong_cell_is_found(netlist, tmp_path):
    text = netlist.read_text()
    wrong = tmp_path / "cbit.v"
    wrong.write_text(text.replace('REGMODE_B == "OUTREG" ? register_B : latch_B', "~latch_B"))
    assert wrong.read_text() != text
    with pytest.raises(BenchError):
        smoke(wrong)
