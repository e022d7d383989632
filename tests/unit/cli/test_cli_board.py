# amaranth: UnusedElaboratable=no

"""`cbit board` at a pseudo-terminal: what is written is read; what goes wrong is one line and changes no file."""

import contextlib
import os
import select
import threading
import tty

import pytest
from PIL import Image

from cbit_boards.host.board import Board
from cbit_boards.host.link import Link
from cbit_boards.host.port import SerialPort
from cbit_cli.boarding import connecting
from cbit_cli.main import main
from cbit_sim.gateware.bridge_top import BridgeTop
from cbit_sim.serial_model import serial_model
from cbit_sim.simulated_board import SimulatedBoard

RELEASED = 2
C = 1 << 31


def run(capsys, *arguments):
    """Status, output and errors of a command."""
    with pytest.raises(SystemExit) as ended:
        main(["board", *map(str, arguments)])
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


@pytest.fixture(scope="module")
def simulated():
    """A bridge with memories and no engine, released."""
    model = serial_model(BridgeTop(cycles_a_bit=8))
    model.component.set("ready", 1)
    with SimulatedBoard(model) as board:
        with contextlib.closing(SerialPort(board.path, baud=115_200)) as port:
            opened = Board(Link(port, seconds=20))
            opened.write_key_register("STATUS", RELEASED=1)
        yield board


@pytest.fixture
def port(simulated):
    return "--timeout", 20, "--port", simulated.path


class Line:
    """A pseudo-terminal between a command and a board, where what the host sends goes through a function; nothing of
    it, and the cable is pulled. Without a board nobody answers."""

    def __init__(self, board, to_board, to_host):
        self.ours, self.theirs = os.openpty()
        tty.setraw(self.theirs)
        self.path = os.ttyname(self.theirs)
        self.board, self.to_board, self.to_host = board, to_board, to_host
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.ends.is_set():
            if select.select([self.ours], [], [], 0.01)[0]:
                content = self.to_board(os.read(self.ours, 4096))
                if content is None:
                    break
                if self.board:
                    self.board.write(content)
            if self.board and (content := self.board.read()):
                os.write(self.ours, self.to_host(content))
        os.close(self.ours)

    def close(self):
        self.ends.set()
        self.thread.join()
        os.close(self.theirs)
        if self.board:
            self.board.close()


@pytest.fixture
def line(simulated):
    """Makes a line to the simulated board, or to none."""
    def make(to_board=lambda content: content, to_host=lambda content: content, *, with_board=True):
        board = SerialPort(simulated.path, baud=115_200) if with_board else None
        lines.append(Line(board, to_board, to_host))
        return lines[-1].path

    lines = []
    yield make
    for made in lines:
        made.close()


def test_memory_is_written_read_loaded_and_dumped(port, capsys, tmp_path):
    assert run(capsys, *port, "write", "0x1003", "00112233") == (0, "4 bytes\n", "cbit: writing\n")
    status, shown, _ = run(capsys, *port, "read", "0x1003", 4)
    assert (status, shown) == (0, f"0x1003: {'00 11 22 33':<47} ..\"3\n")
    content = os.urandom(1500)
    (tmp_path / "in").write_bytes(content)
    assert run(capsys, *port, "load", tmp_path / "in", "0x2005", "--private", "--asid", 3)[:2] == (0, "1500 bytes\n")
    assert run(capsys, *port, "dump", "0x2005", 1500, tmp_path / "out", "--private")[:2] == (0, "1500 bytes\n")
    assert (tmp_path / "out").read_bytes() == content


def test_an_attacker_gets_another_memory_as_text_or_as_a_picture(port, capsys, tmp_path):
    run(capsys, *port, "write", "0x3000", "aa" * 16)
    status, shown, _ = run(capsys, *port, "attack", "0x3000", 20)
    assert status == 0
    assert "aa aa" not in shown
    assert [line.partition(":")[0] for line in shown.splitlines()] == ["0x3000", "0x3010"]
    pattern = tmp_path / "like.pgm"
    pattern.write_bytes(b"P5 10 5 255\n" + bytes(50))
    for options, size in (((), (7, 9)), (("--like", pattern), (10, 5))):
        picture = tmp_path / "dram.png"
        assert run(capsys, *port, "attack", "0x3000", 62, "--out", picture, *options)[:2] == (0, "62 bytes\n")
        with Image.open(picture) as image:
            assert image.size == size


def test_status_says_what_the_board_is(port, capsys):
    status, shown, _ = run(capsys, *port, "status")
    assert status == 0
    for line in ("memory 65536 bytes, ready", "c-bit 31", "guests 15", "keys 128 bits, held by whoever has this port",
                 "released yes", "self-test passed"):
        assert line in shown.splitlines()


def test_a_lost_or_spoiled_frame_is_sent_again(line, capsys):
    count = iter(range(100))

    def spoil(content):
        """Of what the host sends one part in three is lost, and one is changed."""
        match next(count) % 3:
            case 0:
                return b""
            case 1:
                return bytes((content[0], *content[1:-3], content[-3] ^ 1, *content[-2:]))
            case _:
                return content

    assert run(capsys, "--timeout", 2, "--port", line(spoil), "write", 0x4000, "abcd")[:2] == (0, "2 bytes\n")


def test_noise_on_the_line_is_no_answer(port, line, capsys):
    run(capsys, *port, "write", 0x4000, "abcd")
    noisy = line(to_host=lambda content: content.replace(b"\x00\x55", b"noise\x00\x55cut\x00\x55"))
    assert run(capsys, "--timeout", 20, "--port", noisy, "read", 0x4000, 2)[1].startswith("0x4000: ab cd")


@pytest.mark.parametrize(("name", "text"), [
    ("/nowhere/tty", "cbit: /nowhere/tty can not be opened: there is no such device\n"),
    ("/dev/null", "cbit: /dev/null can not be opened: it is no serial port\n"),
    ("/", "cbit: / can not be opened: it is a folder\n"),
])
def test_no_port_ends_with_status_2(capsys, name, text):
    assert run(capsys, "--port", name, "status") == (2, "", text)


def test_a_busy_port_ends_with_status_2(simulated, capsys):
    with contextlib.closing(SerialPort(simulated.path, baud=115_200)):
        status, shown, error = run(capsys, "--port", simulated.path, "status")
    assert (status, shown) == (2, "")
    assert error == f"cbit: {simulated.path} can not be opened: another program uses it\n"


def test_a_silent_board_ends_with_status_1(line, capsys):
    silent = line(with_board=False)
    status, shown, error = run(capsys, "--timeout", 0.1, "--port", silent, "status")
    assert (status, shown) == (1, "")
    assert error.startswith(f"cbit: {silent} does not answer at 1000000 baud, asked 4 times")
    assert error.count("\n") == 1


def test_a_board_that_goes_away_ends_with_status_1_and_leaves_the_file_as_it_was(line, capsys, tmp_path):
    frames = iter(range(100))
    cut = line(lambda content: content if next(frames) < 2 else None)
    (tmp_path / "out").write_bytes(b"before")
    status, shown, error = run(capsys, "--timeout", 20, "--port", cut, "dump", 0, 5000, tmp_path / "out")
    assert (status, shown) == (1, "")
    assert error.splitlines()[-1] == f"cbit: {cut} has gone in the middle of a transfer"
    assert "Traceback" not in error
    assert (tmp_path / "out").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_refusal_is_told_in_words(port, capsys, tmp_path):
    status, _, error = run(capsys, *port, "dump", 0, 1, tmp_path / "out", "--asid", 16)
    assert status == 1
    assert error.endswith("cbit: read of 1 bytes at 0x0 has failed: the board has no such ASID or attribute\n")
    assert not (tmp_path / "out").exists()
    assert run(capsys, *port, "open")[::2] == (
        1, "cbit: the board is released; its keys are set once after reset\n")


@pytest.mark.parametrize(("address", "length"), [(0xFFFF, 2), (0, 0), (0, 1 << 63), (1 << 63, 1)])
def test_what_is_not_all_in_memory_is_refused_before_any_access(port, capsys, tmp_path, address, length):
    text = f"cbit: Bytes must be at least one and within the 0x10000 of memory, not {length} at {address:#x}.\n"
    for command in ("read",), ("attack",), ("dump", tmp_path / "out"):
        name, *file = command
        status, shown, error = run(capsys, *port, name, address, length, *file)
        assert (status, shown, error) == (2, "", text)
    if address:
        assert run(capsys, *port, "write", address, "00" * (length + 1))[::2] == (2, text.replace(
            f"not {length}", f"not {length + 1}"))


@pytest.mark.parametrize(("arguments", "text"), [
    (("status",), "--port must be given before the command: a device, or sim."),
    (("--port", "x", "write", 0, "abc"), "HEX must be pairs of hexadecimal digits."),
    (("--port", "x", "attack", 0, 4, "--like", "/dev/null"), "--like must come with --out."),
    (("--port", "x", "attack", 0, 4, "--out", "a.jpg"), "--out must be a name that ends in .png, not 'a.jpg'."),
    (("--port", "x", "dump", 0, 4, "/nowhere/file"), "FILE must be in a folder that exists, and /nowhere does not"),
    (("--port", "x", "load", "/nowhere/file", 0), "Invalid value for 'FILE': File '/nowhere/file' does not exist."),
    (("--port", "x", "read", "zero", 4),
     "Invalid value for 'ADDRESS': must be a number of at most 64 bits, such as 4096 or 0x1000, not 'zero'."),
    (("--port", "x", "--baud", 1, "status"), "Invalid value for '--baud': 1 is not in the range 300<=x<=12000000."),
    (("fly",), "command must be one of attack, dump, load, open, read, sim, status, write, not 'fly'"),
])
def test_bad_input_is_refused_before_a_port_is_opened(capsys, arguments, text):
    assert run(capsys, *arguments) == (2, "", f"cbit: {text}\n")


def test_a_board_is_simulated_for_one_command(simulated, monkeypatch, capsys):
    monkeypatch.setattr(connecting, "board_model", lambda **_: None)
    monkeypatch.setattr(connecting, "SimulatedBoard", lambda *_, **__: contextlib.nullcontext(simulated))
    monkeypatch.setattr(connecting, "open_with_random_keys", lambda _board, **_: None)
    status, shown, error = run(capsys, "--port", "sim", "status")
    assert status == 0
    assert "memory 65536 bytes, ready" in shown
    assert error == "cbit: building the simulation (minutes, once)\ncbit: installing keys\n"


def test_a_simulation_that_can_not_be_built_ends_with_status_1(monkeypatch, capsys):
    def fail(**_):
        raise connecting.MissingToolError("g++ is not installed")

    monkeypatch.setattr(connecting, "board_model", fail)
    status, _, error = run(capsys, "--port", "sim", "status")
    assert (status, error.splitlines()[-1]) == (1, "cbit: g++ is not installed")
