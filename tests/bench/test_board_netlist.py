# amaranth: UnusedElaboratable=no
"""The SoC of a board as the netlist that is placed, asked over its serial line as a host does."""

import random

import pytest

from cbit.config import preset
from cbit_boards.host.board import Board, RefusedError
from cbit_boards.host.keys import open_engine
from cbit_boards.host.link import Link
from cbit_fpga.devices import DEVICES
from cbit_fpga.elaboration import SOC, SOC_MEMORY_BYTES
from cbit_fpga.measurement import synthesized
from cbit_fpga.netlist import netlist_verilog
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_model.xts import XtsKey
from cbit_sim.compiled import CompiledComponent
from cbit_sim.gateware.board_top import BoardTop
from cbit_sim.gateware.module_instance import ModuleInstance
from cbit_sim.serial_model import SerialModel

CONFIG = preset("compact")
DEVICE = DEVICES["LFE5U-25F"]


class ModelPort:
    """A model's line as a port, on which time passes when it is read."""

    name = "model"
    baud = 1_000_000

    def __init__(self, model):
        self.model = model

    def write(self, data):
        self.model.send(data)

    def read(self):
        return self.model.run()


@pytest.fixture(scope="module")
def board():
    store = Store()
    netlist = netlist_verilog(synthesized(Subject(CONFIG, SOC), DEVICE, store=store), DEVICE, store=store)
    top = BoardTop(CONFIG, memory_bytes=SOC_MEMORY_BYTES, has_psp=False)
    top.soc = ModuleInstance(top.soc, "cbit")
    model = SerialModel(CompiledComponent(top, modules=netlist.read_text().replace("(* top = 1 *)", ""), seed=5))
    yield Board(Link(ModelPort(model), seconds=60))
    model.component.close()


@pytest.mark.slow
def test_a_netlist_serves_its_line(board):
    rng = random.Random(9)
    keys = {slot: (rng.randbytes(16), rng.randbytes(16)) for slot in (0, 1)}
    with pytest.raises(RefusedError):
        board.read(0, 16)
    open_engine(board, keys)
    assert board.identity.released
    private = 1 << board.identity.c_bit
    for asid, (key, tweak_key) in keys.items():
        address, text = 4096 * (asid + 1), rng.randbytes(96)
        board.write(private | address, text, asid=asid)
        raw = board.read_raw(address, 96)
        assert raw == XtsKey(key, tweak_key).encrypt(text, address=address, data_unit_bytes=64)
        assert board.read(private | address, 96, asid=asid) == text
        board.write(private | address + 5, b"part", asid=asid)
        assert board.read(private | address, 96, asid=asid) == text[:5] + b"part" + text[9:]
        assert board.read(private | address, 96, asid=1 - asid) != text
    with pytest.raises(RefusedError):
        board.read(private, 16, asid=2)
    assert board.identify().violation
