"""Random and malformed commands to the firmware and to the golden model: the same statuses and the same bytes."""

import collections

import pytest

from cbit_model.sev.certificate import SIGNED_BYTES, body_of, signature_slot, signed_certificate
from cbit_model.sev.constants import Algorithm, Command, Status, Usage
from cbit_model.sev.drbg import REQUEST_LIMIT
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.p384 import PrivateKey
from cbit_sim.emulated_firmware import EmulatedFirmware
from cbit_sim.firmware_build import firmware
from cbit_sim.native_firmware import NativeFirmware
from cbit_sim.psp_comparison import Comparison
from cbit_sim.psp_pair import PspPair
from cbit_sim.sev_fuzz.promises import STATUSES

BUFFER, DATA = 0x1000, 0x20000
STEPS_BETWEEN_SEARCHES = 20

PLATFORMS = [
    {"c_bit": 47, "asid_count": 16},
    {"c_bit": 51, "asid_count": 12},
    {"c_bit": 31, "asid_count": 1024},
]


DIRECTED = {(Command.PEK_CERT_IMPORT, Status.BAD_SIGNATURE)}
"""What chance seldom meets, and a test below provokes."""


def emulated(surroundings):
    return EmulatedFirmware(firmware(), surroundings)


def compare(pair, *, seed, steps):
    """Random commands and faults; now and then memory is searched for keys. Gives how often each ended how."""
    comparison = Comparison(pair, seed)
    for step in range(steps):
        try:
            comparison.step()
            assert step % STEPS_BETWEEN_SEARCHES or not pair.leaks()
        except AssertionError as error:
            error.add_note(f"step {step} of seed {seed}")
            raise
    return comparison.seen


def command(pair, name, **fields):
    """A command from its own buffer."""
    if Command[name] in COMMAND_BUFFERS:
        pair.memory.write(BUFFER, COMMAND_BUFFERS[Command[name]].pack(**fields), 0)
    return pair.command(Command[name], BUFFER)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_firmware_is_the_model(platform):
    seen = compare(PspPair(seed=1, **platform), seed=1, steps=1500)
    assert len({number for number, status in seen if status == Status.SUCCESS}) > 10


@pytest.mark.slow
def test_firmware_is_the_model_for_a_hundred_thousand_commands():
    seen = collections.Counter()
    for seed in range(2, 12):
        seen += compare(PspPair(seed=seed, **PLATFORMS[seed % len(PLATFORMS)]), seed=seed, steps=10_000)
    print(f"commands compared: {seen.total()}")
    wanted = {(command, status) for command, statuses in STATUSES.items() for status in statuses}
    missing = [(command.name, status.name) for command, status in sorted(wanted - set(seen) - DIRECTED)]
    print(f"ends not met: {missing}")
    assert not missing


def test_image_is_the_model():
    compare(PspPair(seed=2, start=emulated), seed=2, steps=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_image_is_the_model_for_long(seed):
    pair = PspPair(seed=seed, start=emulated, **PLATFORMS[seed])
    compare(pair, seed=seed, steps=3000)
    print(f"stack: {firmware().stack_used(pair.firmware.memory())} bytes")


@pytest.mark.parametrize(("which", "offset", "status"), [
    ("pek", None, Status.SUCCESS),
    ("pek", 0x41C, Status.BAD_SIGNATURE),
    ("oca", 0x41C, Status.BAD_SIGNATURE),
    ("oca", 0x41C + 0x48, Status.BAD_SIGNATURE),
    ("pek", 0x41C + 0x47, Status.BAD_SIGNATURE),
    ("pek", 0x414, Status.INVALID_CERTIFICATE),
    ("oca", 0x418, Status.INVALID_CERTIFICATE),
    ("pek", 0x413, Status.INVALID_CERTIFICATE),
    ("oca", 0x14, Status.INVALID_CERTIFICATE),
    ("oca", 0x8, Status.INVALID_CERTIFICATE),
    ("oca", 0x823, Status.SUCCESS),
])
def test_an_owners_certificates_with_a_changed_byte(which, offset, status):
    pair = PspPair(seed=6)
    owner = PrivateKey(6)
    assert command(pair, "INIT") == Status.SUCCESS
    assert command(pair, "PEK_CSR", address=DATA, length=0x824) == Status.SUCCESS
    body = pair.memory.read(DATA, SIGNED_BYTES, 0)
    oca = body_of(usage=Usage.OCA, algorithm=Algorithm.ECDSA_SHA256, point=owner.point)
    places = {"pek": DATA, "oca": DATA + 0x1000}
    for name, content in (("pek", body), ("oca", oca)):
        slot = signature_slot(Usage.OCA, owner.sign(content))
        pair.memory.write(places[name], signed_certificate(content, slot), 0)
    if offset is not None:
        old = pair.memory.read(places[which] + offset, 1, 0)
        pair.memory.write(places[which] + offset, bytes([old[0] ^ 1]), 0)
    fields = {"pek_address": DATA, "pek_length": 0x824, "oca_address": DATA + 0x1000, "oca_length": 0x824}
    assert command(pair, "PEK_CERT_IMPORT", **fields) == status
    chain = {"pdh_address": 0x4000, "pdh_length": 0x824, "chain_address": 0x8000, "chain_length": 0x186C}
    assert command(pair, "PDH_CERT_EXPORT", **chain) == Status.SUCCESS
    assert command(pair, "PLATFORM_STATUS") == Status.SUCCESS


@pytest.mark.parametrize("start", [NativeFirmware, emulated])
@pytest.mark.parametrize("hole", [DATA, BUFFER + 0x10])
def test_a_measurement_that_is_shown_is_the_last(start, hole):
    pair = PspPair(seed=7, start=start)
    assert command(pair, "INIT") == Status.SUCCESS
    assert command(pair, "LAUNCH_START") == Status.SUCCESS
    fields = {"handle": 1, "address": DATA, "length": 0x30}
    pair.memory.write(BUFFER, COMMAND_BUFFERS[Command.LAUNCH_MEASURE].pack(**fields), 0)
    pair.break_memory(read_only=[range(hole, hole + 16)])
    assert pair.command(Command.LAUNCH_MEASURE, BUFFER) == Status.INVALID_ADDRESS
    pair.break_memory()
    assert command(pair, "LAUNCH_MEASURE", **fields) == Status.INVALID_GUEST_STATE
    assert command(pair, "LAUNCH_FINISH", handle=1) == Status.SUCCESS


def test_data_that_can_not_be_written_is_measured():
    pair = PspPair(seed=8)
    assert command(pair, "INIT") == Status.SUCCESS
    assert command(pair, "LAUNCH_START") == Status.SUCCESS
    assert command(pair, "ACTIVATE", handle=1, asid=1) == Status.SUCCESS
    pair.break_memory(read_only=[range(DATA + 0x1800, DATA + 0x1810)])
    update = {"handle": 1, "address": DATA, "length": 0x3000}
    assert command(pair, "LAUNCH_UPDATE_DATA", **update) == Status.INVALID_ADDRESS
    pair.break_memory()
    assert command(pair, "LAUNCH_MEASURE", handle=1, address=DATA + 0x8000, length=0x30) == Status.SUCCESS


def test_bit_31_of_the_command_word_does_not_matter():
    pair = PspPair(seed=9, start=emulated)
    done = 1 << 31
    assert pair.mailbox(1 << 31 | Command.PLATFORM_STATUS << 16, BUFFER) == done
    assert pair.firmware.command(1 << 15 | Command.PLATFORM_STATUS, BUFFER) == Status.SUCCESS
    assert pair.firmware.command(1 << 14 | Command.PLATFORM_STATUS, BUFFER) == Status.INVALID_COMMAND


def test_private_ranges_are_limited():
    pair = PspPair(seed=3)
    assert command(pair, "INIT") == Status.SUCCESS
    for handle in (1, 2):
        assert command(pair, "LAUNCH_START") == Status.SUCCESS
        assert command(pair, "ACTIVATE", handle=handle, asid=handle) == Status.SUCCESS
    for index in range(64):
        fields = {"handle": 1 + index % 2, "address": DATA + 48 * index, "length": 16}
        assert command(pair, "LAUNCH_UPDATE_DATA", **fields) == Status.SUCCESS
    update = {"handle": 1, "address": DATA - 64, "length": 16}
    assert command(pair, "LAUNCH_UPDATE_DATA", **update) == Status.RESOURCE_LIMIT
    # Joined to a neighbor below, to one above, and across a gap that belongs to nobody.
    for address in (DATA + 16, DATA - 16, DATA + 96 - 16):
        assert command(pair, "LAUNCH_UPDATE_DATA", handle=1, address=address, length=16) == Status.SUCCESS
    assert command(pair, "LAUNCH_UPDATE_DATA", handle=1, address=DATA + 48, length=16) == Status.INVALID_ADDRESS
    assert command(pair, "DECOMMISSION", handle=2) == Status.SUCCESS
    assert command(pair, "LAUNCH_UPDATE_DATA", **update) == Status.SUCCESS
    assert command(pair, "LAUNCH_UPDATE_DATA", handle=1, address=DATA, length=64 * 48) == Status.SUCCESS


def test_generator_is_reseeded_after_a_number_of_requests():
    pair = PspPair(seed=4)
    assert command(pair, "INIT") == Status.SUCCESS
    for handle in range(1, REQUEST_LIMIT // 4 + 10):
        assert command(pair, "LAUNCH_START") == Status.SUCCESS
        assert command(pair, "DECOMMISSION", handle=handle) == Status.SUCCESS
    assert command(pair, "PDH_GEN") == Status.SUCCESS
    fields = {"pdh_address": 0x4000, "pdh_length": 0x1000, "chain_address": 0x8000, "chain_length": 0x2000}
    assert command(pair, "PDH_CERT_EXPORT", **fields) == Status.SUCCESS


def test_processor_forgets_keys():
    """No key that is no longer held, nor half of it, lies anywhere in the processor's memory, stack or units."""
    pair = PspPair(seed=5, start=emulated)
    comparison = Comparison(pair, 6)
    seen = set()
    for step in range(250):
        comparison.step()
        held = set(pair.model.secrets())
        seen |= held
        if step % 4:
            continue
        memory = pair.firmware.memory() + pair.firmware.memory_of_units()
        for secret in (seen - held) | {*pair.model._host_keys}:
            for part in (secret[:16], secret[-16:]):
                assert part not in memory
                assert part[::-1] not in memory
    assert len(seen) > 20
