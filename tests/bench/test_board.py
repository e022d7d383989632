# amaranth: UnusedElaboratable=no

"""A board of gateware at a pseudo-terminal, as its host sees it: with keys that the host holds, and with a PSP."""

import contextlib
import random

import pytest

from cbit_boards.host.board import Board, BoardError, RefusedError
from cbit_boards.host.frames import Attributes, Operation, Outcome, Request
from cbit_boards.host.keys import open_engine
from cbit_boards.host.link import Link
from cbit_boards.host.port import SerialPort
from cbit_cli.boarding.platform import BoardPlatform
from cbit_cli.main import main
from cbit_model.sev.constants import Command, PlatformState, Status
from cbit_model.xts import XtsKey
from cbit_sim.simulated_board import SimulatedBoard, board_model

pytestmark = pytest.mark.slow

SEED = 65
SECONDS = 120
BOOT_SECONDS = 3600
LINE_BYTES = 64


@contextlib.contextmanager
def board_at(simulated):
    with contextlib.closing(SerialPort(simulated.path, baud=115_200)) as port:
        yield Board(Link(port, seconds=SECONDS))


@pytest.fixture(scope="module")
def keys():
    rng = random.Random(SEED)
    return {slot: (rng.randbytes(16), rng.randbytes(16)) for slot in range(4)}


@pytest.fixture(scope="module")
def simulated(keys):
    with SimulatedBoard(board_model()) as simulated:
        with board_at(simulated) as board:
            with pytest.raises(RefusedError, match="the engine is not released") as refused:
                board.read(0, 16)
            assert refused.value.outcome == Outcome.NOT_RELEASED
            open_engine(board, keys)
        yield simulated


@pytest.fixture
def board(simulated):
    with board_at(simulated) as board:
        yield board


def test_an_attacker_at_the_dram_sees_what_the_golden_model_encrypts(board, keys):
    rng = random.Random(SEED)
    private = 1 << board.identity.c_bit
    for slot, halves in keys.items():
        address, data = 0x4000 * (1 + slot), rng.randbytes(1500)
        board.write(private | address, data, asid=slot)
        assert board.read(private | address, len(data), asid=slot) == data
        raw = board.read_raw(address, 1536)
        assert XtsKey(*halves).decrypt(raw, address=address, data_unit_bytes=LINE_BYTES)[:1500] == data
        # A partial write changes its bytes alone, and the engine decrypts what an attacker has put there.
        board.write(private | address + 77, b"partial", asid=slot)
        data = data[:77] + b"partial" + data[84:]
        assert board.read(private | address, 200, asid=slot) == data[:200]
        planted = XtsKey(*halves).encrypt(bytes(64), address=address, data_unit_bytes=LINE_BYTES)
        board.write_raw(address, planted)
        assert board.read(private | address, 64, asid=slot) == bytes(64)


def test_plain_memory_is_plain_and_others_see_noise(board):
    private = 1 << board.identity.c_bit
    board.write(0x20000, b"everyone may read this")
    assert board.read_raw(0x20000, 22) == b"everyone may read this"
    board.write(private | 0x21000, bytes(64), asid=1)
    assert board.read(private | 0x21000, 64, asid=2) not in (bytes(64), board.read_raw(0x21000, 64))
    assert board.read(0x21000, 64, attributes=Attributes.NPT_C) == board.read_raw(0x21000, 64)
    assert board.read(0x21000, 64, asid=1, attributes=Attributes.FETCH) == bytes(64)
    assert board.read(0x21000, 64, asid=1, attributes=Attributes.WALK) == bytes(64)


def test_what_is_denied_is_recorded(board):
    private = 1 << board.identity.c_bit
    board.write_key_register("VIOLATION_CLEAR", RECORD=1, COUNTS=1)
    assert not board.identify().violation
    for asid, attributes in ((9, Attributes(0)), (1, Attributes.DMA)):
        with pytest.raises(RefusedError, match="it is denied"):
            board.read(private | 0x1000, 16, asid=asid, attributes=attributes)
        with pytest.raises(RefusedError, match="it is denied"):
            board.write(private | 0x1000, bytes(16), asid=asid, attributes=attributes)
    assert board.identify().violation
    assert board.host_register("VIOLATION_ASID") == {"ASID": 9}
    assert board.host_register("VIOLATION_COUNT_SLOT_INACTIVE")["COUNT"] == 2
    assert board.host_register("VIOLATION_COUNT_DMA_PRIVATE")["COUNT"] == 2


def test_keys_are_set_once_and_can_not_be_read(board, keys):
    with pytest.raises(BoardError, match="the board is released"):
        open_engine(board, keys)
    with pytest.raises(RefusedError):
        board.key_register("KEY_DATA0")


def test_the_command_loads_a_file_that_an_attacker_can_not_read(simulated, capsys, tmp_path):
    content = bytes(range(256)) * 10
    (tmp_path / "in").write_bytes(content)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["board", "--timeout", str(SECONDS), "--port", simulated.path, *map(str, arguments)])
        assert not ended.value.code
        return capsys.readouterr().out

    assert run("load", tmp_path / "in", 0x8000, "--asid", 1, "--private") == "2560 bytes\n"
    assert run("dump", 0x8000, 2560, tmp_path / "out", "--asid", 1, "--private") == "2560 bytes\n"
    assert (tmp_path / "out").read_bytes() == content
    assert content[:16].hex(" ") in run("read", 0x8000, 16, "--asid", 1, "--private")
    assert content[:16].hex(" ") not in run("attack", 0x8000, 2560)
    assert "mode SME SEV" in run("status").splitlines()


def test_a_psp_behind_the_bridge_boots_and_answers_init():
    with SimulatedBoard(board_model(has_psp=True), has_psp=True) as simulated, board_at(simulated) as board:
        board.wait_until_released(seconds=BOOT_SECONDS)
        assert board.identity.has_psp
        for operation, data in ((Operation.READ_KEYS, b""), (Operation.WRITE_KEYS, bytes(4))):
            answer = board.ask(Request(operation=operation, address=0x40, length=4, data=data))
            assert answer.outcome == Outcome.OPERATION
        private = 1 << board.identity.c_bit
        board.write(private | 0x1000, b"the host's own key", asid=0)
        assert board.read(private | 0x1000, 18) == b"the host's own key"
        assert board.read_raw(0x1000, 18) != b"the host's own key"
        platform = BoardPlatform(board)
        assert platform.registers()["FEATURE"] == {"SEV": 1}
        assert platform.host.command(Command.INIT).status is Status.SUCCESS
        reply = platform.host.must(Command.PLATFORM_STATUS)
        assert PlatformState(reply.number("state")) is PlatformState.INIT
        assert platform.host.command(Command.INIT).status is Status.INVALID_PLATFORM_STATE
        platform.flush_caches()
