"""Tools that no one here wrote accept what the PSP's model emits, and the model accepts what they make."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from sevsnpmeasure.guest import calc_launch_digest
from sevsnpmeasure.sev_mode import SevMode

from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import REPORT
from cbit_model.sev.owner.launch import Secret, new_session
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
AT = 0x10000
SYSTEM_PYTHON = "/usr/bin/python3"
VALIDATOR = shutil.which("virt-qemu-sev-validate")
OVMF = Path("/usr/share/OVMF/OVMF_CODE.fd")
INSTALL = "apt install libvirt-clients-qemu python3-lxml python3-libvirt python3-cryptography ovmf"

needs_ovmf = pytest.mark.skipif(not OVMF.exists(), reason=f"no {OVMF}: {INSTALL}")
needs_validator = pytest.mark.skipif(VALIDATOR is None, reason=f"no virt-qemu-sev-validate: {INSTALL}")


class Launch:
    """A guest launched from a file up to its measurement."""

    def __init__(self, image: Path, folder: Path, *, policy: int = 1) -> None:
        self.content, self.folder, self.image = image.read_bytes(), folder, image
        self.platform = ModelPlatform(size_bytes=8 << 20)
        host = self.platform.host
        host.must(Command.INIT)
        session = new_session(self.platform.psp.state.keys.pdh.point, policy)
        self.handle = host.start(policy, session, asid=1)
        self.platform.memory.write(AT, self.content, 0)
        for start in range(0, len(self.content), 0x40000):
            length = min(0x40000, len(self.content) - start)
            host.must(Command.LAUNCH_UPDATE_DATA, handle=self.handle, address=AT + start, length=length)
        self.measurement = host.measure(self.handle)
        (folder / "tk.bin").write_bytes(session.tek + session.tik)

    def validate(self, *arguments: str, measurement: bytes | None = None, policy: int = 1,
                 image: Path | None = None) -> subprocess.CompletedProcess[str]:
        """What the validator says; the measurement, the policy and the image may be other than they were."""
        encoded = base64.b64encode(measurement or self.measurement).decode()
        return subprocess.run(
            [SYSTEM_PYTHON, "-E", VALIDATOR, "--measurement", encoded, "--policy", str(policy), "--api-major", "0",
             "--api-minor", "24", "--build-id", "15", "--firmware", str(image or self.image), "--tk", "tk.bin",
             *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False)


def reported_digest(image: bytes) -> bytes:
    platform = ModelPlatform(size_bytes=8 << 20)
    platform.host.must(Command.INIT)
    platform.memory.write(AT, image, 0)
    report = platform.host.attest(platform.host.launch(AT, len(image), asid=1), bytes(16))
    return REPORT.string(report, "digest")


def predicted_digest(image: Path) -> bytes:
    return calc_launch_digest(SevMode.SEV, 1, 0, str(image), "", "", "", 0)


def test_sev_snp_measure_predicts_the_digest(tmp_path):
    image = tmp_path / "image.fd"
    image.write_bytes(bytes(range(256)) * 300)
    assert predicted_digest(image) == reported_digest(image.read_bytes())


@needs_ovmf
def test_sev_snp_measure_predicts_the_digest_of_ovmf():
    assert predicted_digest(OVMF) == reported_digest(OVMF.read_bytes())


@needs_ovmf
@needs_validator
def test_virt_qemu_sev_validate_accepts_a_launch_and_sends_it_a_secret(tmp_path):
    launch = Launch(OVMF, tmp_path)
    host, memory = launch.platform.host, launch.platform.memory
    (tmp_path / "secret.txt").write_text("a disk's passphrase")
    result = launch.validate("--inject-secret", "luks-key:secret.txt", "--secret-header", "header.b64",
                             "--secret-payload", "payload.b64")
    assert (result.returncode, result.stdout) == (0, "OK: Looks good to me\nOK: Injected 1 secrets\n"), result.stderr
    header, payload = (base64.b64decode((tmp_path / f"{name}.b64").read_bytes()) for name in ("header", "payload"))
    tampered = payload[:-1] + bytes([payload[-1] ^ 1])
    fields = host.secret_fields(launch.handle, Secret(header, tampered), 0x400000)
    assert host.command(Command.LAUNCH_SECRET, **fields).status is Status.BAD_MEASUREMENT
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(launch.handle, Secret(header, payload), 0x400000))
    assert b"a disk's passphrase" in memory.read(C_BIT | 0x400000, len(payload), 1)
    assert b"a disk's passphrase" not in memory.dram


@needs_ovmf
@needs_validator
def test_virt_qemu_sev_validate_refuses_a_tampered_launch(tmp_path):
    launch = Launch(OVMF, tmp_path)
    changed = bytearray(launch.content)
    changed[0x12345] ^= 1
    (tmp_path / "changed.fd").write_bytes(changed)
    wrong = bytearray(launch.measurement)
    wrong[0] ^= 1
    assert launch.validate().returncode == 0
    for result in (launch.validate(image=tmp_path / "changed.fd"), launch.validate(measurement=bytes(wrong)),
                   launch.validate(policy=0)):
        assert result.returncode == 1
        assert "Measurement does not match" in result.stderr
