"""`cbit owner`: a launch from files, and every refusal."""

import os
from pathlib import Path

import pytest

from cbit.psp.platform import DEVELOPMENT_SECRET
from cbit_cli.main import main
from cbit_cli.owner import owner
from cbit_model.sev.constants import Command
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET, DevelopmentRoot
from cbit_model.sev.owner.launch import OwnerSession, Secret
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
IMAGE = bytes(range(256)) * 20
NONCE = bytes(range(16))
VERIFY = ("verify", "--tk", "tk.bin", "--policy", "no-debug", "measurement.bin", "image.bin")
SECRET = ("secret", "--tk", "tk.bin", "--policy", "no-debug", "measurement.bin", "image.bin", "secret.txt", ".")
REPORT = ("verify-report", "--root", "root", "--policy", "1", "--mnonce", NONCE.hex(), "report.bin", "chain.cert",
          "image.bin")
SESSION = ("session", "--root", "root", "--policy", "no-debug", "pdh.cert", "chain.cert", ".")
DEVELOPMENT = "cbit: the device secret is the one for development: anyone can sign for this device\n"
CHAIN = ("chain", "--root", "root", "pdh.cert", "chain.cert")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of a launch, from the root to the report, and the commands' own output."""
    folder = tmp_path_factory.mktemp("launch")
    platform = ModelPlatform()
    host = platform.host
    host.must(Command.INIT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("root").mkdir()
        Path("image.bin").write_bytes(IMAGE)
        Path("secret.txt").write_bytes(b"a secret of 23 bytes...")
        for name, content in zip(("pdh.cert", "chain.cert"), host.export()):
            Path(name).write_bytes(content)
        succeed("root", "root")
        succeed(*SESSION)
        keys = Path("tk.bin").read_bytes()
        session = OwnerSession(Path("dh.cert").read_bytes(), Path("session.bin").read_bytes(), keys[:16], keys[16:])
        handle = host.start(1, session, asid=1)
        platform.memory.write(0x10000, IMAGE, 0)
        host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=0x10000, length=len(IMAGE))
        Path("measurement.bin").write_bytes(host.measure(handle))
        succeed(*SECRET)
        secret = Secret(Path("header.bin").read_bytes(), Path("payload.bin").read_bytes())
        host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, 0x20000))
        host.must(Command.LAUNCH_FINISH, handle=handle)
        Path("report.bin").write_bytes(host.attest(handle, NONCE))
    assert platform.memory.read(C_BIT | 0x20000, 32, 1) == b"a secret of 23 bytes..." + bytes(9)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """The files of a launch, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("root").mkdir()
    for name, content in made.items():
        name.write_bytes(content)
    return tmp_path


def succeed(*arguments):
    owner.main(arguments, standalone_mode=False)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["owner", *arguments])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(capsys, folder, *arguments):
    """The one line of a refusal that left all files as they were."""
    before = contents(folder)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert contents(folder) == before
    return err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("arguments", "text", "told"), [
    (CHAIN, "ARK, ASK, CEK, OCA, PEK and PDH are good\n", DEVELOPMENT),
    (VERIFY, "measurement is good\n", ""),
    ((*VERIFY[:5], "--api", "0.24.15", *VERIFY[5:]), "measurement is good\n", ""),
    (SECRET, "32 bytes for the guest\n", ""),
    (SESSION, "policy no-debug\n", DEVELOPMENT),
    (REPORT, "report is good\n", DEVELOPMENT),
])
def test_what_proves_itself(capsys, arguments, text, told):
    assert run(capsys, *arguments) == (0, text, told)


@pytest.mark.usefixtures("folder")
def test_the_root_is_said_to_be_for_development(capsys):
    Path("mine").mkdir()
    status, out, err = run(capsys, "root", "--device-secret", "5A" * 32, "mine")
    assert (status, out) == (0, "")
    assert err == "cbit: development keys: they prove nothing about hardware\n"
    root = DevelopmentRoot()
    assert Path("mine/ark.cert").read_bytes() == Path("root/ark.cert").read_bytes() == root.ark
    assert Path("mine/cek.cert").read_bytes() == root.signed_cek(bytes([0x5A] * 32))


@pytest.mark.usefixtures("folder")
def test_a_device_with_a_secret_of_its_own(capsys):
    platform = ModelPlatform(device_secret=bytes(range(32)))
    platform.host.must(Command.INIT)
    for name, content in zip(("pdh.cert", "chain.cert"), platform.host.export()):
        Path(name).write_bytes(content)
    run(capsys, "root", "--device-secret", bytes(range(32)).hex(), "root")
    assert run(capsys, *CHAIN) == (0, "ARK, ASK, CEK, OCA, PEK and PDH are good\n", "")


@pytest.mark.usefixtures("folder")
def test_keys_are_for_their_owners_eyes(capsys):
    Path("tk.bin").unlink()
    run(capsys, *SESSION)
    assert Path("tk.bin").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("arguments", "changed", "text"), [
    (CHAIN, "pdh.cert", "PDH must be signed by the key of PEK: the signature is wrong or missing"),
    (CHAIN, "chain.cert", "PEK must be signed by the key of OCA: the signature is wrong or missing"),
    (CHAIN, "root/ask.cert", "ASK must be signed by the key of ARK: the signature is wrong"),
    (SESSION, "pdh.cert", "PDH must be signed by the key of PEK: the signature is wrong or missing"),
    (VERIFY, "measurement.bin", "the guest must not be trusted"),
    (VERIFY, "image.bin", "the guest must not be trusted"),
    (SECRET, "image.bin", "the guest must not be trusted"),
    (REPORT, "image.bin", "Report must be of a guest launched from this image, not from another"),
    (REPORT, "report.bin", "Report must be signed by the platform's PEK: the signature is wrong"),
    (REPORT, "chain.cert", "PEK must be signed by the key of OCA: the signature is wrong or missing"),
])
def test_tampered_files(capsys, folder, arguments, changed, text):
    content = bytearray(Path(changed).read_bytes())
    content[5] ^= 1
    Path(changed).write_bytes(content)
    assert text in refusal(capsys, folder, *arguments)


@pytest.mark.parametrize(("arguments", "missing"), [
    (CHAIN, "pdh.cert"), (SESSION, "chain.cert"), (VERIFY, "image.bin"), (VERIFY, "tk.bin"), (SECRET, "secret.txt"),
    (REPORT, "report.bin")])
def test_missing_files(capsys, folder, arguments, missing):
    Path(missing).unlink()
    assert f"'{missing}' does not exist" in refusal(capsys, folder, *arguments)


@pytest.mark.parametrize("name", ["ark.cert", "ask.cert", "cek.cert"])
def test_roots_that_are_not_whole(capsys, folder, name):
    (Path("root") / name).unlink()
    text = f"Root must hold ark.cert, ask.cert, cek.cert, and root/{name} is not there."
    assert text in refusal(capsys, folder, *CHAIN)


@pytest.mark.parametrize(("arguments", "name", "length", "text"), [
    (VERIFY, "image.bin", 17, "IMAGE must be a positive multiple of 16 bytes, and image.bin is of 17."),
    (VERIFY, "image.bin", 0, "IMAGE must be a positive multiple of 16 bytes, and image.bin is of 0."),
    (REPORT, "image.bin", 8, "IMAGE must be a positive multiple of 16 bytes, and image.bin is of 8."),
    (VERIFY, "measurement.bin", 47, "Measurement must be 48 bytes, not 47."),
    (VERIFY, "tk.bin", 31, "TEK and TIK must be 32 bytes, and tk.bin is of 31."),
    (SECRET, "secret.txt", 4097, "Secret must be 1 to 4096 bytes, not 4097."),
    (SECRET, "secret.txt", 0, "Secret must be 1 to 4096 bytes, not 0."),
    (REPORT, "report.bin", 0, "Report must be 208 bytes, not 0."),
    (CHAIN, "chain.cert", 3, "Chain must be 6252 bytes, PEK, OCA and CEK, not 3."),
    (CHAIN, "root/ark.cert", 64, "ARK must be a certificate of version 1 with a key of 2048 or 4096 bits."),
])
def test_files_of_another_size(capsys, folder, arguments, name, length, text):
    Path(name).write_bytes(bytes(length))
    assert text in refusal(capsys, folder, *arguments)


@pytest.mark.parametrize(("arguments", "text"), [
    (("nothing",), "command must be one of chain, root, secret, session, verify, verify-report, not 'nothing'"),
    ((*SESSION[:4], "sometimes", *SESSION[5:]), "Policy must be a number, or some of no-debug, no-key-sharing, "),
    ((*SESSION[:4], "api=0.8,api=0.16", *SESSION[5:]),
     "Policy must have at most one api=MAJOR.MINOR, not 'api=0.8,api=0.16'."),
    ((*SESSION[:4], "0x100000000", *SESSION[5:]), "Policy must be below 2^32, not 0x100000000."),
    ((*VERIFY[:4], "2", *VERIFY[5:]), "the guest must not be trusted"),
    ((*VERIFY[:5], "--api", "0.24.14", *VERIFY[5:]), "the guest must not be trusted"),
    ((*VERIFY[:5], "--api", "0.24", *VERIFY[5:]), "must be MAJOR.MINOR.BUILD, each below 256, not '0.24'."),
    ((*VERIFY[:5], "--api", "0.24.256", *VERIFY[5:]), "must be MAJOR.MINOR.BUILD, each below 256, not '0.24.256'."),
    ((*REPORT[:6], "00" * 16, *REPORT[7:]), "Report must answer this nonce, not another."),
    ((*REPORT[:6], "00" * 15, *REPORT[7:]), "must be 16 bytes, 32 hexadecimal digits."),
    ((*REPORT[:4], "0", *REPORT[5:]), "Report must be of a guest of policy 0x0, not 0x1."),
    (("root", "--device-secret", "secret", "root"), "must be 32 bytes, 64 hexadecimal digits."),
    (("root", "nowhere"), "'nowhere' does not exist"),
    (("root", "image.bin"), "'image.bin' is a file"),
    ((*SESSION[:-1], "nowhere"), "'nowhere' does not exist"),
])
def test_bad_arguments(capsys, folder, arguments, text):
    message = refusal(capsys, folder, *arguments)
    assert text in message
    assert "'secret'" not in message


@pytest.mark.parametrize(("command", "text"), [
    ("verify", "the same bytes in the same order at other places measure the same"),
    ("verify", "The version that you accept: with another the measurement is refused."),
    ("secret", "The host chooses where in the guest's memory LAUNCH_SECRET puts it."),
    ("verify-report", "Check that some guest on the platform of CHAIN was launched from IMAGE under POLICY."),
    ("verify-report", "A report names no guest"),
])
def test_help_tells_what_is_not_proven(capsys, command, text):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert text in " ".join(out.split())


def test_the_default_secret_is_that_of_the_gateware():
    assert DEVELOPMENT_DEVICE_SECRET == DEVELOPMENT_SECRET


def test_folders_that_can_not_be_written(capsys, folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda _path, mode, **_: not mode & os.W_OK)
    text = "FOLDER's files must be in a folder that can be written to, and . can not"
    assert text in refusal(capsys, folder, *SESSION)
