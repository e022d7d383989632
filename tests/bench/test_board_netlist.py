# amaranth: UnusedElaboratable=no
"""The SoC of a board as the netlist that is placed, asked over its serial line as a host does."""

import contextlib
import random

import pytest

from cbit.config import preset
from cbit.soc.soc import Soc
from cbit_boards.board import board as catalog_board
from cbit_boards.host.board import Board, RefusedError
from cbit_boards.host.keys import open_engine
from cbit_boards.host.link import Link
from cbit_cli.boarding.platform import BoardPlatform
from cbit_fpga.devices import DEVICES
from cbit_fpga.elaboration import SOC, SOC_MEMORY_BYTES
from cbit_fpga.measurement import synthesized
from cbit_fpga.netlist import netlist_verilog
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_model.sev.constants import Command, PlatformState
from cbit_model.xts import XtsKey
from cbit_sim.compiled import CompiledComponent
from cbit_sim.firmware_build import firmware
from cbit_sim.gateware.board_top import BoardTop
from cbit_sim.gateware.module_instance import ModuleInstance
from cbit_sim.serial_model import SerialModel

pytestmark = pytest.mark.slow

SECONDS = 60
BOOT_SECONDS = 7200


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


@contextlib.contextmanager
def board_of(config, device, image=b""):
    """A board whose SoC is a netlist, with a security processor if there is an image of firmware."""
    store = Store()
    netlist = netlist_verilog(synthesized(Subject(config, SOC, image), device, store=store), device, store=store)
    secrets = {"firmware": image, "device_secret": bytes(32)} if image else {}
    top = BoardTop(Soc(config, memory_bytes=SOC_MEMORY_BYTES, **secrets), memory_bytes=SOC_MEMORY_BYTES)
    top.soc = ModuleInstance(top.soc, "cbit")
    # Vectors of a netlist are set in parts, which look like loops.
    modules = "/* verilator lint_off UNOPTFLAT */\n" + netlist.read_text().replace("(* top = 1 *)", "")
    model = SerialModel(CompiledComponent(top, modules=modules, seed=5))
    with contextlib.closing(model):
        yield Board(Link(ModelPort(model), seconds=SECONDS))


def blocks(data):
    return [data[start:start + 16] for start in range(0, len(data), 16)]


def test_a_netlist_serves_its_line():
    rng = random.Random(9)
    keys = {slot: (rng.randbytes(16), rng.randbytes(16)) for slot in (0, 1)}
    with board_of(preset("compact"), DEVICES["LFE5U-25F"]) as board:
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


def test_a_netlist_with_a_security_processor_boots_and_serves_its_line():
    ulx3s = catalog_board("ulx3s-85f")
    text = random.Random(10).randbytes(80)
    with board_of(ulx3s.config, ulx3s.fpga, firmware().image) as board:
        with pytest.raises(RefusedError):
            board.read(0, 16)
        board.wait_until_released(seconds=BOOT_SECONDS)
        assert board.identity.has_psp
        private = 1 << board.identity.c_bit
        board.write(0x1000, text)
        assert board.read_raw(0x1000, 80) == text
        # Under the key that the firmware has drawn.
        board.write(private | 0x2000, text)
        assert board.read(private | 0x2000, 80) == text
        assert not set(blocks(board.read_raw(0x2000, 80))) & set(blocks(text))
        reply = BoardPlatform(board).host.must(Command.PLATFORM_STATUS)
        assert PlatformState(reply.number("state")) is PlatformState.UNINIT
        with pytest.raises(RefusedError):
            board.read(private | 0x2000, 16, asid=1)
