"""``cbit model``: files encrypted as the engine does memory, and every refusal."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cbit_cli.model import model
from cbit_model.xts import XtsKey

KEY, TWEAK_KEY = "00112233445566778899aabbccddeeff", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder with a file IN of ten blocks."""
    monkeypatch.chdir(tmp_path)
    Path("IN").write_bytes(bytes(range(160)))
    return tmp_path


def run(command: str, *options: str, key: str = KEY, tweak_key: str = TWEAK_KEY, source: str = "IN",
        target: str = "OUT") -> Result:
    return CliRunner().invoke(model, [command, "--key", key, "--tweak-key", tweak_key, *options, source, target])


def refusal(result: Result, status: int = 2) -> str:
    """The line that says what is wrong; no traceback, nothing on standard output, no file left behind."""
    assert result.exit_code == status
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert not list(Path().glob(".*"))
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize(("address", "number"), [
    ("0", 0), ("4080", 4080), ("0xFF0", 0xFF0), ("0x7ffffffff0", 0x7FFFFFFFF0)])
@pytest.mark.parametrize("unit", [64, 4096])
def test_round_trip(factor, address, number, unit):
    key, tweak_key = KEY * factor, TWEAK_KEY * factor
    options = ["--address", address, "--data-unit-bytes", str(unit)]
    assert run("encrypt", *options, key=key, tweak_key=tweak_key).exit_code == 0
    xts = XtsKey(bytes.fromhex(key), bytes.fromhex(tweak_key))
    expected = xts.encrypt(bytes(range(160)), address=number, data_unit_bytes=unit)
    assert Path("OUT").read_bytes() == expected
    result = run("decrypt", *options, key=key, tweak_key=tweak_key, source="OUT", target="BACK")
    assert result.exit_code == 0
    assert result.output == ""
    assert Path("BACK").read_bytes() == bytes(range(160))


def test_defaults_are_address_0_and_units_of_64_bytes():
    run("encrypt")
    run("encrypt", "--address", "0", "--data-unit-bytes", "64", target="EXPLICIT")
    assert Path("OUT").read_bytes() == Path("EXPLICIT").read_bytes()


def test_file_of_several_chunks():
    data = bytes(range(256)) * 40_000
    Path("IN").write_bytes(data)
    assert run("encrypt", "--address", "0x10").exit_code == 0
    xts = XtsKey(bytes.fromhex(KEY), bytes.fromhex(TWEAK_KEY))
    assert Path("OUT").read_bytes() == xts.encrypt(data, address=0x10, data_unit_bytes=64)


def test_empty_file():
    Path("IN").write_bytes(b"")
    assert run("encrypt").exit_code == 0
    assert Path("OUT").read_bytes() == b""


def test_out_is_replaced():
    Path("OUT").write_text("old")
    assert run("encrypt").exit_code == 0
    assert Path("OUT").stat().st_size == 160


def test_out_that_is_a_link_stays_one():
    Path("real").write_text("old")
    Path("OUT").symlink_to("real")
    assert run("encrypt").exit_code == 0
    assert Path("OUT").is_symlink()
    assert Path("real").stat().st_size == 160


@pytest.mark.parametrize(("arguments", "text"), [
    ({"key": "zz" * 16}, "Invalid value for '--key': must be pairs of hexadecimal digits."),
    ({"key": KEY[:-1]}, "Invalid value for '--key': must be pairs of hexadecimal digits."),
    ({"key": KEY[:-2]}, "Invalid value for '--key': must be 16 or 32 bytes in hexadecimal, not 15."),
    ({"tweak_key": ""}, "Invalid value for '--tweak-key': must be 16 or 32 bytes in hexadecimal, not 0."),
    ({"tweak_key": TWEAK_KEY * 2}, "Tweak key must be as long as the key (16 bytes), not 32."),
    ({"tweak_key": KEY}, "Tweak key must be different from the key, not equal to it."),
    ({"target": "IN"}, "OUT must be another file than IN."),
    ({"target": "./IN"}, "OUT must be another file than IN."),
    ({"target": "hard"}, "OUT must be another file than IN."),
    ({"target": "none/OUT"}, "OUT must be in a folder that exists, and none does not."),
    ({"target": "/dev/null"}, "OUT must be a regular file, and /dev/null is not."),
    ({"target": "folder"}, "Invalid value for 'OUT': File 'folder' is a directory."),
    ({"source": "/dev/null"}, "IN must be a regular file, and /dev/null is not."),
    ({"source": "none"}, "Invalid value for 'IN': File 'none' does not exist."),
    ({"source": "odd"}, "IN must be a multiple of 16 bytes, and odd is of 17."),
])
def test_refusals(arguments, text):
    Path("odd").write_bytes(bytes(17))
    Path("hard").hardlink_to("IN")
    Path("folder").mkdir()
    line = refusal(run("encrypt", **arguments))
    assert line == f"Error: {text}"
    assert Path("IN").read_bytes() == bytes(range(160))
    assert not Path("OUT").exists()


@pytest.mark.parametrize("secret", [KEY[:-2], "q" + KEY[1:]])
def test_a_refused_key_is_not_repeated(secret):
    assert secret not in run("encrypt", key=secret).output


@pytest.mark.parametrize(("option", "value", "text"), [
    ("--address", "8", "Invalid value for '--address': must be a multiple of 16 from 0 to below 2^64, not 8."),
    ("--address", "-16", "Invalid value for '--address': must be a multiple of 16 from 0 to below 2^64, not -16."),
    ("--address", hex(1 << 64),
     "Invalid value for '--address': must be a multiple of 16 from 0 to below 2^64, not 0x10000000000000000."),
    ("--address", "top",
     "Invalid value for '--address': must be a number, decimal or hexadecimal after 0x, not 'top'."),
    ("--address", hex((1 << 64) - 16), "IN must end below 2^64, and IN at address 0xfffffffffffffff0 does not."),
    ("--data-unit-bytes", "512", "Invalid value for '--data-unit-bytes': '512' is not one of '64', '4096'."),
])
def test_option_refusals(option, value, text):
    assert refusal(run("encrypt", option, value)) == f"Error: {text}"


def test_failure_leaves_out_as_it_was(monkeypatch):
    Path("OUT").write_text("old")

    def fail(*_arguments: object, **_options: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(XtsKey, "encrypt", fail)
    assert refusal(run("encrypt"), status=1) == "Error: OUT: No space left on device."
    assert Path("OUT").read_text() == "old"


def test_in_that_shrinks_leaves_out_as_it_was(monkeypatch):
    Path("OUT").write_text("old")
    Path("IN").write_bytes(bytes(8 * 1024 * 1024))
    encrypt = XtsKey.encrypt

    def shrink(self: XtsKey, data: bytes, **options: int) -> bytes:
        Path("IN").write_bytes(b"")
        return encrypt(self, data, **options)

    monkeypatch.setattr(XtsKey, "encrypt", shrink)
    assert refusal(run("encrypt"), status=1) == "Error: IN became shorter while it was read."
    assert Path("OUT").read_text() == "old"


@pytest.mark.parametrize("arguments", [[], ["encrypt"], ["decrypt"]])
def test_help(arguments):
    result = CliRunner().invoke(model, [*arguments, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout
