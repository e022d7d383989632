"""`cbit psp`: a host and an owner from certificates to a report, on platforms that take no time, and every refusal."""

import io
from pathlib import Path

import pytest

from cbit_cli.main import main
from cbit_cli.owner import owner
from cbit_cli.psp import psp
from cbit_model.sev.constants import Command
from cbit_sim.simulated_platform import SimulatedPlatform
from cbit_sim.simulators import MissingToolError

IMAGE = bytes(range(256)) * 20
NONCE = "000102030405060708090a0b0c0d0e0f"
QUICK = ["model", "firmware"]
SECRET_LINE = "secret 32 bytes at 0x102000\n"
SESSION = ("session", "--root", "p", "--policy", "no-debug", "p/pdh.cert", "p/chain.cert", "o")
LAUNCH = ("launch", "--policy", "no-debug", "--session", "o/session.bin", "--dh-cert", "o/dh.cert", "--out", "p",
          "image.bin")
WITH_SECRET = (*LAUNCH, "--secret-header", "o/header.bin", "--secret", "o/payload.bin", "--mnonce", NONCE)
CERTS = ("certs", "--out", "p")
ATTEST = ("attest", "--policy", "no-debug", "--mnonce", NONCE, "image.bin")


def succeed(command, *arguments):
    command.main(arguments, standalone_mode=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of host and owner after a launch without a secret, and the secret that the owner packaged then."""
    folder = tmp_path_factory.mktemp("launch")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("p", "o"):
            Path(name).mkdir()
        Path("image.bin").write_bytes(IMAGE)
        Path("secret.txt").write_bytes(b"a secret of 23 bytes...")
        succeed(psp, *CERTS, "--on", "model")
        succeed(owner, *SESSION)
        succeed(psp, *LAUNCH, "--on", "model")
        succeed(owner, "secret", "--tk", "o/tk.bin", "--policy", "no-debug", "p/measurement.bin", "image.bin",
                "secret.txt", "o")
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """These files, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("p", "o"):
        Path(name).mkdir()
    for name, content in made.items():
        name.write_bytes(content)
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["psp", *arguments])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def shell(capsys, monkeypatch, text, kind="model"):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return run(capsys, "shell", "--on", kind)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(capsys, folder, *arguments):
    """The one line of a refusal that left all files as they were."""
    before = contents(folder)
    status, out, err = run(capsys, *arguments, *([] if "--on" in arguments else ["--on", "model"]))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert contents(folder) == before
    return err


@pytest.mark.parametrize("kind", QUICK)
def test_status(capsys, kind):
    status, out, err = run(capsys, "status", "--on", kind)
    assert (status, err) == (0, "")
    assert out.startswith("api 0.24.15\nstate uninit\nowner itself\nguests 0\nid ")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", QUICK)
def test_an_owner_whose_secret_is_for_the_next_run(capsys, made, kind):
    """The same seed is the same platform: a secret for one measurement serves in a launch that is the same."""
    status, out, err = run(capsys, *WITH_SECRET, "--on", kind)
    assert (status, err) == (0, "")
    assert out.startswith(f"policy no-debug\nmeasurement {Path('p/measurement.bin').read_bytes().hex()}\n{SECRET_LINE}")
    assert Path("p/measurement.bin").read_bytes() == made[Path("p/measurement.bin")]
    succeed(owner, "verify-report", "--root", "p", "--policy", "no-debug", "--mnonce", NONCE, "p/report.bin",
            "p/chain.cert", "image.bin")


@pytest.mark.slow
def test_an_owner_and_a_host_with_gateware(capsys, tmp_path, monkeypatch):
    """Three runs of the simulation: certificates; a launch, which gives the measurement; the same with the secret."""
    monkeypatch.chdir(tmp_path)
    for name in ("p", "o"):
        Path(name).mkdir()
    Path("image.bin").write_bytes(IMAGE)
    Path("secret.txt").write_bytes(b"a secret of 23 bytes...")
    succeed(psp, *CERTS)
    succeed(owner, *SESSION)
    succeed(psp, *LAUNCH)
    succeed(owner, "secret", "--tk", "o/tk.bin", "--policy", "no-debug", "p/measurement.bin", "image.bin", "secret.txt",
            "o")
    measurement = Path("p/measurement.bin").read_bytes()
    capsys.readouterr()
    status, out, err = run(capsys, *WITH_SECRET)
    assert status == 0
    assert out.startswith(f"policy no-debug\nmeasurement {measurement.hex()}\n{SECRET_LINE}")
    assert "cbit: PSP: INIT\n" in err
    succeed(owner, "verify-report", "--root", "p", "--policy", "no-debug", "--mnonce", NONCE, "p/report.bin",
            "p/chain.cert", "image.bin")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", QUICK)
def test_attest(capsys, kind):
    Path("q").mkdir()
    status, out, err = run(capsys, *ATTEST, "--out", "q", "--on", kind)
    assert (status, err) == (0, "")
    assert out.startswith(f"mnonce {NONCE}\ndigest ")
    assert Path("q/report.bin").read_bytes().hex() in out
    succeed(owner, "verify-report", "--root", "p", "--policy", "no-debug", "--mnonce", NONCE, "q/report.bin",
            "q/chain.cert", "image.bin")


@pytest.mark.usefixtures("folder")
def test_another_seed_is_another_platform(capsys, made):
    assert run(capsys, *CERTS, "--on", "model", "--seed", "2")[0] == 0
    assert Path("p/pdh.cert").read_bytes() != made[Path("p/pdh.cert")]
    assert Path("p/cek.cert").read_bytes() == made[Path("p/cek.cert")]


@pytest.mark.usefixtures("folder")
def test_no_policy_is_a_policy(capsys):
    status, out, _ = run(capsys, "launch", "--policy", "0", "image.bin", "--on", "model")
    assert status == 0
    assert out.startswith("policy 0x0\nmeasurement ")


@pytest.mark.parametrize(("arguments", "text"), [
    ((*LAUNCH, "--seed", "2"), "LAUNCH_START ended with BAD_MEASUREMENT: the session is not for this platform's PDH"),
    ((*LAUNCH[:2], "no-send", *LAUNCH[3:]), "LAUNCH_START ended with BAD_MEASUREMENT: the session is not for this"),
    (("launch", "--policy", "encrypted-state", "image.bin"), "LAUNCH_START ended with POLICY_FAILURE: the platform"),
])
def test_what_the_psp_or_the_host_refuses(capsys, folder, arguments, text):
    assert text in refusal(capsys, folder, *arguments)


def test_secrets_of_another_launch(capsys, folder):
    header = bytearray(Path("o/header.bin").read_bytes())
    header[5] ^= 1
    Path("o/header.bin").write_bytes(header)
    text = refusal(capsys, folder, *WITH_SECRET)
    assert "LAUNCH_SECRET ended with BAD_MEASUREMENT: the secret is not for this launch" in text


@pytest.mark.parametrize("name", ["image.bin", "o/session.bin", "o/dh.cert", "o/header.bin", "o/payload.bin"])
def test_missing_files(capsys, folder, name):
    Path(name).unlink()
    assert f"'{name}' does not exist" in refusal(capsys, folder, *WITH_SECRET)


@pytest.mark.parametrize(("name", "length", "text"), [
    ("image.bin", 17, "IMAGE must be a positive multiple of 16 bytes, and image.bin is of 17."),
    ("image.bin", 0, "IMAGE must be a positive multiple of 16 bytes, and image.bin is of 0."),
    ("image.bin", 32 << 20, "IMAGE must be of at most 32489472 bytes, not 33554432."),
    ("o/session.bin", 127, "Session must be 128 bytes, and o/session.bin is of 127."),
    ("o/dh.cert", 64, "DH certificate must be 2084 bytes, and o/dh.cert is of 64."),
    ("o/dh.cert", 2084, "DH certificate must be of a key for ECDH on P-384, and o/dh.cert is not."),
    ("o/header.bin", 0, "Secret header must be 52 bytes, and o/header.bin is of 0."),
    ("o/payload.bin", 17, "Secret must be a positive multiple of 16 bytes up to 4096, and o/payload.bin is of 17."),
    ("o/payload.bin", 4112, "Secret must be a positive multiple of 16 bytes up to 4096, and o/payload.bin is of 4112."),
])
def test_files_of_another_size(capsys, folder, name, length, text):
    Path(name).write_bytes(bytes(length))
    assert text in refusal(capsys, folder, *WITH_SECRET)


@pytest.mark.parametrize(("arguments", "text"), [
    (("nothing",), "command must be one of attest, certs, launch, shell, status, not 'nothing'"),
    (("status", "--on", "silicon"), "'silicon' is not one of 'model', 'firmware', 'rtl'"),
    (("status", "--seed", "-1"), "-1 is not in the range 0<=x<=4294967294"),
    (("certs", "--out", "nowhere"), "'nowhere' does not exist"),
    (("launch", "--policy", "sometimes", "image.bin"), "Policy must be a number, or some of no-debug, no-key-sh"),
    (("launch", "--policy", "0x100000000", "image.bin"), "Policy must be below 2^32, not 0x100000000."),
    (("launch", "--policy", "1", "nowhere"), "'nowhere' does not exist"),
    (("launch", "--policy", "1", "p"), "'p' is a directory"),
    (("launch", "image.bin"), "Missing option '--policy'"),
    (("launch", "--policy", "1", "--session", "o/session.bin", "image.bin"), "--session and --dh-cert must be given"),
    ((*WITH_SECRET[:-4], "--mnonce", NONCE), "--secret-header and --secret must be given together."),
    ((*WITH_SECRET, "--guest-address", "0x100008"), "Guest address must be a multiple of 16 and leave room for the"),
    ((*WITH_SECRET, "--guest-address", "0x1ffbff0"), "leave room for the secret below 0x1ffc000, not be 0x1ffbff0."),
    ((*WITH_SECRET, "--guest-address", "here"), "must be a number of at most 64 bits, such as 4096 or 0x1000, not 'he"),
    ((*ATTEST[:4], "00" * 15, "image.bin"), "must be 16 bytes, 32 hexadecimal digits."),
])
def test_bad_arguments(capsys, folder, arguments, text):
    assert text in refusal(capsys, folder, *arguments)


def test_outputs_do_not_take_the_place_of_inputs(capsys, folder):
    Path("p/measurement.bin").write_bytes(IMAGE)
    text = refusal(capsys, folder, *LAUNCH[:-1], "p/measurement.bin")
    assert "FOLDER must not have an input where an output goes, and p/measurement.bin is one." in text


def test_what_can_not_be_simulated(capsys, folder, monkeypatch):
    """One line, and status 1: the input was good."""
    def missing(_platform, _seed, *, progress):
        del progress
        raise MissingToolError("g++ must be installed")

    monkeypatch.setattr(SimulatedPlatform, "__init__", missing)
    before = contents(folder)
    assert run(capsys, *LAUNCH) == (1, "", "cbit: g++ must be installed\n")
    assert contents(folder) == before


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", QUICK)
def test_shell(capsys, monkeypatch, kind):
    """A guest's life, line by line."""
    status, out, err = shell(capsys, monkeypatch, """
        status                                   # and what comes after this sign
        init
        write 0x100000 image.bin
        launch-start policy=1
        activate handle=1 asid=3
        launch-update-data handle=1 address=0x100000 length=0x1400
        launch-measure handle=1 address=0x200000 length=0x10
        launch-measure handle=1 address=0x200000 length=0x30
        read 0x200000 48 > measurement.bin
        launch-finish handle=1
        attestation handle=1 address=0x200000 length=0xd0 mnonce=000102030405060708090a0b0c0d0e0f
        read 0x200000 16
        read 0x800000100000 16 3
        write 0x800000100000 00112233 3
        read 0x800000100000 16 3
        dram 0x100000 16 > dram.bin
        deactivate handle=1
        df-flush
        wbinvd
        df-flush
        send-start
        quit
        this is never read
    """, kind)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "SUCCESS", "  api_minor 0x18", "  config 0xf000000", "SUCCESS", "5120 bytes", "SUCCESS", "  handle 0x1",
        "SUCCESS", "SUCCESS", "INVALID_LENGTH (0x4)", "  length 0x30", "SUCCESS", "48 bytes", "SUCCESS", "SUCCESS",
        "0x200000: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        "0x800000100000: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", "4 bytes",
        "0x800000100000: 00 11 22 33 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", "16 bytes", "SUCCESS",
        "WBINVD_REQUIRED (0xe)", "SUCCESS", "UNSUPPORTED (0x15)"]
    assert Path("dram.bin").read_bytes() not in IMAGE
    assert len(Path("measurement.bin").read_bytes()) == 48


def test_shell_helps(capsys, monkeypatch):
    status, out, err = shell(capsys, monkeypatch, "help\nhelp attestation shutdown\n")
    assert (status, err) == (0, "")
    assert out.endswith("attestation handle= address= length= mnonce=\nshutdown\n")
    assert all(command.name.lower().replace("_", "-") in out for command in Command)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("line", "text"), [
    ("reboot", "command must be one that help lists, not 'reboot'"),
    ("init handle=1", "field of INIT must be one of flags, tmr_address, tmr_length, as NAME=VALUE, not 'handle=1'"),
    ("shutdown now=1", "field of SHUTDOWN must be absent, not 'now=1'"),
    ("activate handle=one", "number must be as 4096 or 0x1000, not 'one'"),
    ("activate handle=0x100000000", "handle must be from 0 to below 2^32, not 4294967296"),
    ("activate handle=-1", "handle must be from 0 to below 2^32, not -1"),
    ("attestation mnonce=00", "mnonce must be 16 bytes, not 1"),
    ("attestation mnonce=0x00", "mnonce must be hexadecimal digits, not '0x00'"),
    ("help reboot", "command must be one of init, "),
    ("write 0x1000", "line must be write ADDRESS FILE|HEX [ASID]"),
    ("write 0x1000 nowhere", "nowhere: No such file or directory"),
    ("write 0x1000 p", "p: Is a directory"),
    ("write 0x10000000 00", "No memory answers at 0x10000000"),
    ("read 0x1000 0", "length must be from 1 to 33554432, not 0"),
    ("read 0x1000 16 2", "No key is active under ASID 2"),
    ("read 0x1000 16 >", "one file must follow >"),
    ("dram 0x1000 16 > nowhere/file", "FILE must be in a folder that exists, and nowhere does not"),
    ("init 'flags=1", "No closing quotation"),
])
def test_shell_refuses_lines(capsys, monkeypatch, line, text):
    before = contents(Path())
    status, out, err = shell(capsys, monkeypatch, f"\n{line}\nstatus\n")
    assert (status, out) == (2, "")
    assert err.startswith(f"cbit: line 2: {text}")
    assert err.count("\n") == 1
    assert contents(Path()) == before
