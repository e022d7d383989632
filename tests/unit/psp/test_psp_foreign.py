"""Tools that no one here wrote judge a launch of a real image by the firmware on the gateware, which judges theirs."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from sevsnpmeasure.guest import calc_launch_digest
from sevsnpmeasure.sev_mode import SevMode

from cbit_model.sev.certificate import public_point
from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import REPORT
from cbit_model.sev.owner.chain import verified_pdh, verified_pek
from cbit_model.sev.owner.launch import Secret, check_report, new_session
from cbit_sim.sev_model import development_trust
from cbit_sim.simulated_platform import SimulatedPlatform

C_BIT = 1 << 47
AT, SECRET_AT = 1 << 20, 2 << 20
PART_BYTES = 1 << 18
NONCE = bytes(range(16))
POLICY = 1
SYSTEM_PYTHON = "/usr/bin/python3"
VALIDATOR = shutil.which("virt-qemu-sev-validate")
OVMF = Path("/usr/share/OVMF/OVMF_CODE.fd")
INSTALL = "apt install libvirt-clients-qemu python3-lxml python3-libvirt python3-cryptography ovmf"


def validate(folder, measurement, image, *arguments):
    return subprocess.run(
        [SYSTEM_PYTHON, "-E", VALIDATOR, "--measurement", base64.b64encode(measurement).decode(), "--policy",
         str(POLICY), "--api-major", "0", "--api-minor", "24", "--build-id", "15", "--firmware", image, "--tk",
         "tk.bin", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(not OVMF.exists(), reason=f"no {OVMF}: {INSTALL}")
@pytest.mark.skipif(VALIDATOR is None, reason=f"no virt-qemu-sev-validate: {INSTALL}")
def test_others_judge_a_launch_of_ovmf_on_gateware(tmp_path):
    """OpenSSL verifies the chain and the report, virt-qemu-sev-validate the measurement, and sends a secret; the digest
    is what sev-snp-measure says. Both refuse what was tampered with."""
    image = OVMF.read_bytes()[-PART_BYTES:]
    (tmp_path / "part.fd").write_bytes(image)
    (tmp_path / "changed.fd").write_bytes(bytes([image[0] ^ 1]) + image[1:])
    (tmp_path / "secret.txt").write_text("a disk's passphrase")
    with SimulatedPlatform(7) as platform:
        host, memory = platform.host, platform.memory
        host.must(Command.INIT)
        pdh, chain = host.export()
        assert verified_pdh(development_trust(), chain, pdh) == public_point(pdh)
        session = new_session(public_point(pdh), POLICY)
        (tmp_path / "tk.bin").write_bytes(session.tek + session.tik)
        handle = host.start(POLICY, session, asid=1)
        memory.write(AT, image, 0)
        host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=AT, length=len(image))
        measurement = host.measure(handle)

        refused = validate(tmp_path, measurement, "changed.fd")
        assert refused.returncode == 1
        assert "Measurement does not match" in refused.stderr
        accepted = validate(tmp_path, measurement, "part.fd", "--inject-secret", "luks-key:secret.txt",
                            "--secret-header", "header.b64", "--secret-payload", "payload.b64")
        assert accepted.returncode == 0, accepted.stderr

        header, payload = (base64.b64decode((tmp_path / f"{name}.b64").read_bytes()) for name in ("header", "payload"))
        tampered = Secret(header, payload[:-1] + bytes([payload[-1] ^ 1]))
        reply = host.command(Command.LAUNCH_SECRET, **host.secret_fields(handle, tampered, SECRET_AT))
        assert reply.status is Status.BAD_MEASUREMENT
        host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, Secret(header, payload), SECRET_AT))
        host.must(Command.LAUNCH_FINISH, handle=handle)
        assert b"a disk's passphrase" in memory.read(C_BIT | SECRET_AT, len(payload), 1)
        assert b"a disk's passphrase" not in platform.dram(SECRET_AT, len(payload))
        report = host.attest(handle, NONCE)
    check_report(report, pek=verified_pek(development_trust(), chain), mnonce=NONCE, policy=POLICY, image=image)
    predicted = calc_launch_digest(SevMode.SEV, 1, 0, str(tmp_path / "part.fd"), "", "", "", 0)
    assert predicted == REPORT.string(report, "digest")
    print(f"cycles of the security processor: {platform.cycles}")
