"""Launching and attesting guests: every row of the table in sim/cbit_model/sev/README.md."""

import hashlib
import hmac

import pytest

from cbit_model.sev.constants import Command, GuestState, Status
from cbit_model.sev.identity import Chip
from cbit_model.sev.layouts import COMMAND_BUFFERS, REPORT, SECRET_HEADER, SESSION
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.owner.launch import check_measurement, check_report, new_session, package_secret
from cbit_model.sev.session import counter_mode
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
MEMORY_BYTES = 1 << 20
IMAGE = bytes(range(1, 256)) * 0x50 + bytes(16 - 255 * 0x50 % 16)
AT = 0x10000
SECRET_AT = 0x20000
KEYED = 2  # the policy bit of no key sharing


@pytest.fixture
def platform():
    platform = ModelPlatform()
    platform.host.must(Command.INIT)
    platform.memory.write(AT, IMAGE, 0)
    return platform


@pytest.fixture
def host(platform):
    return platform.host


def session_for(platform, policy=0):
    return new_session(platform.psp.state.keys.pdh.point, policy)


@pytest.fixture
def measured(platform, host):
    """A guest in LSECRET, its owner's session and its measurement."""
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=AT, length=len(IMAGE))
    return handle, session, host.measure(handle)


def test_a_whole_launch(platform, host, measured):
    handle, session, measurement = measured
    assert platform.memory.dram[AT:AT + len(IMAGE)] != IMAGE
    assert platform.memory.read(C_BIT | AT, len(IMAGE), 1) == IMAGE
    check_measurement(measurement, tik=session.tik, policy=0, image=IMAGE)
    words = bytes([4, 0, 24, 15, 0, 0, 0, 0]) + hashlib.sha256(IMAGE).digest() + measurement[32:]
    assert hmac.new(session.tik, words, "sha256").digest() == measurement[:32]
    secret = package_secret(b"open sesame", tek=session.tek, tik=session.tik, measurement=measurement)
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, SECRET_AT))
    assert platform.memory.read(C_BIT | SECRET_AT, 16, 1) == b"open sesame" + bytes(5)
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, C_BIT | AT))
    assert platform.memory.read(C_BIT | AT, 32, 1) == b"open sesame" + bytes(5) + IMAGE[16:32]
    host.must(Command.LAUNCH_FINISH, handle=handle)
    report = host.attest(handle, bytes(range(16)))
    check_report(report, pek=platform.psp.state.keys.pek.point, mnonce=bytes(range(16)), policy=0, image=IMAGE)
    assert report[0x3C:0x40] == bytes(4)


def test_the_same_entropy_gives_the_same_bytes():
    drams = []
    for _ in range(2):
        platform = ModelPlatform(seed=7)
        platform.host.must(Command.INIT)
        platform.memory.write(AT, IMAGE, 0)
        platform.host.attest(platform.host.launch(AT, len(IMAGE), asid=1), bytes(16))
        drams.append(bytes(platform.memory.dram))
    assert drams[0] == drams[1]


def test_a_launch_without_owner(platform, host):
    handle = host.launch(AT, len(IMAGE), asid=1)
    assert platform.memory.read(C_BIT | AT, len(IMAGE), 1) == IMAGE
    report = host.attest(handle, bytes(16))
    check_report(report, pek=platform.psp.state.keys.pek.point, mnonce=bytes(16), policy=0, image=IMAGE)


def test_a_launch_of_nothing_measures_nothing(platform, host):
    session = session_for(platform)
    handle = host.start(0, session)
    check_measurement(host.measure(handle), tik=session.tik, policy=0, image=b"")


@pytest.mark.parametrize("policy", [0, 0x3B, 0x1800_0000, 0x1700_0001])
def test_policies_that_are_kept(platform, host, policy):
    handle = host.start(policy, session_for(platform, policy))
    assert host.must(Command.GUEST_STATUS, handle=handle).number("policy") == policy


@pytest.mark.parametrize("policy", [4, 0x40, 0x8000, 0x1900_0000, 0x0001_0000, 0x00FF_0000])
def test_policies_that_can_not_be_kept(platform, host, policy):
    fields = host.start_fields(policy, session_for(platform, policy))
    assert host.command(Command.LAUNCH_START, **fields).status is Status.POLICY_FAILURE
    assert host.command(Command.LAUNCH_START, policy=policy).status is Status.POLICY_FAILURE


def test_launch_start_checks_in_order(platform, host):
    guest = host.start()
    keyed = host.start(KEYED)
    session = session_for(platform)
    good = host.start_fields(0, session)
    buffer = {"handle": 99, "policy": 4, "dh_address": MEMORY_BYTES, "dh_length": 0x823, "session_address": 1 << 46,
              "session_length": 0x81}
    reserved = True

    def status(**changes):
        buffer.update(changes)
        content = bytearray(COMMAND_BUFFERS[Command.LAUNCH_START].pack(**buffer))
        content[0x14] = reserved
        return host.raw(Command.LAUNCH_START, bytes(content)).status

    assert status() is Status.INVALID_GUEST
    assert status(handle=keyed, policy=0) is Status.POLICY_FAILURE
    assert status(handle=guest, policy=KEYED) is Status.POLICY_FAILURE
    assert status(handle=guest, policy=4) is Status.UNSUPPORTED
    assert status(handle=0) is Status.POLICY_FAILURE
    assert status(policy=1) is Status.INVALID_PARAM
    reserved = False
    assert status() is Status.INVALID_LENGTH
    assert status(dh_length=0x825) is Status.INVALID_LENGTH
    assert status(dh_length=0x824) is Status.INVALID_LENGTH
    assert status(session_length=0x7F) is Status.INVALID_LENGTH
    assert status(session_length=0x80) is Status.INVALID_ADDRESS
    assert status(dh_address=good["dh_address"]) is Status.INVALID_ADDRESS
    host.memory.write(host.area(0), bytes(0x824), 0)
    assert status(session_address=good["session_address"]) is Status.INVALID_CERTIFICATE
    host.put(0, session.dh_certificate)
    host.put(1, bytes(0x80))
    assert status() is Status.BAD_MEASUREMENT
    host.put(1, session.session)
    assert status() is Status.BAD_MEASUREMENT
    host.put(0, (other := session_for(platform, 1)).dh_certificate)
    assert status() is Status.BAD_MEASUREMENT
    host.put(1, other.session)
    full = [host.start() for _ in range(14)]
    host.put(0, other.dh_certificate)
    host.put(1, other.session)
    assert status() is Status.RESOURCE_LIMIT
    host.must(Command.DECOMMISSION, handle=full[0])
    platform.entropy.failed = True
    assert status() is Status.HARDWARE_ERROR_PLATFORM
    platform.entropy.failed = False
    assert status() is Status.SUCCESS


@pytest.mark.parametrize("present", ["dh_address", "dh_length", "session_address", "session_length"])
def test_half_an_owner_is_none(host, present):
    assert host.command(Command.LAUNCH_START, **{present: 0x80}).status is Status.INVALID_LENGTH


@pytest.mark.parametrize("offset", [0x0, 0x6, 0x8, 0xC, 0x10, 0x14, 0x30, 0x44, 0x5B, 0x5C, 0x8C, 0xA3, 0xA4, 0x413])
def test_dh_certificates_with_a_wrong_byte(platform, host, offset):
    session = session_for(platform)
    fields = host.start_fields(0, session)
    certificate = bytearray(session.dh_certificate)
    certificate[offset] ^= 1
    host.put(0, bytes(certificate))
    assert host.command(Command.LAUNCH_START, **fields).status is Status.INVALID_CERTIFICATE


@pytest.mark.parametrize("offset", [0x4, 0x5, 0x414, 0x41C, 0x61C, 0x823])
def test_dh_certificates_need_no_signature_nor_version(platform, host, offset):
    session = session_for(platform)
    fields = host.start_fields(0, session)
    certificate = bytearray(session.dh_certificate)
    certificate[offset] ^= 1
    host.put(0, bytes(certificate))
    host.must(Command.LAUNCH_START, **fields)


@pytest.mark.parametrize("offset", [0x0, 0xF, 0x10, 0x2F, 0x30, 0x3F, 0x40, 0x5F, 0x60, 0x7F])
def test_sessions_with_a_wrong_byte(platform, host, offset):
    session = session_for(platform)
    fields = host.start_fields(0, session)
    content = bytearray(session.session)
    content[offset] ^= 0x80
    host.put(1, bytes(content))
    assert host.command(Command.LAUNCH_START, **fields).status is Status.BAD_MEASUREMENT


def test_a_session_is_for_one_pdh(platform, host):
    fields = host.start_fields(0, session_for(platform))
    host.must(Command.PDH_GEN)
    assert host.command(Command.LAUNCH_START, **fields).status is Status.BAD_MEASUREMENT


@pytest.mark.parametrize("command", [Command.LAUNCH_UPDATE_DATA, Command.LAUNCH_MEASURE])
def test_updating_and_measuring_check_in_order(host, command):
    handle = host.start()
    content = bytearray(COMMAND_BUFFERS[command].pack(handle=handle, address=MEMORY_BYTES, length=0x18))
    content[7] = 1
    if command is Command.LAUNCH_UPDATE_DATA:
        assert host.raw(command, bytes(content)).status is Status.INACTIVE
        host.must(Command.ACTIVATE, handle=handle, asid=2)
    assert host.raw(command, bytes(content)).status is Status.INVALID_PARAM
    reply = host.command(command, handle=handle, address=MEMORY_BYTES, length=0x18)
    assert reply.status is Status.INVALID_LENGTH
    assert reply.number("length") == (0x30 if command is Command.LAUNCH_MEASURE else 0x18)
    assert host.command(command, handle=handle, address=MEMORY_BYTES, length=0x30).status is Status.INVALID_ADDRESS
    assert host.must(Command.GUEST_STATUS, handle=handle).number("state") == GuestState.LUPDATE


@pytest.mark.parametrize(("address", "length", "status"), [
    (AT, 0, Status.INVALID_LENGTH), (AT, 8, Status.INVALID_LENGTH), (AT, 0xFFFF_FFFF, Status.INVALID_LENGTH),
    (AT + 8, 16, Status.INVALID_ADDRESS), (AT, 0xFFFF_FFF0, Status.INVALID_ADDRESS),
    (MEMORY_BYTES - 16, 32, Status.INVALID_ADDRESS), (2**64 - 16, 16, Status.INVALID_ADDRESS),
    (1 << 46, 16, Status.INVALID_ADDRESS), (C_BIT | MEMORY_BYTES, 16, Status.INVALID_ADDRESS),
    (MEMORY_BYTES - 16, 16, Status.SUCCESS), (C_BIT | AT, 16, Status.SUCCESS), (AT, 0x1010, Status.SUCCESS),
])
def test_where_data_can_be_launched(platform, host, address, length, status):
    handle = host.start(asid=1)
    before = bytes(platform.memory.dram[:host.scratch])
    assert host.command(Command.LAUNCH_UPDATE_DATA, handle=handle, address=address, length=length).status is status
    if status is not Status.SUCCESS:
        assert platform.memory.dram[:host.scratch] == before


def test_the_digest_is_of_what_the_host_would_read(platform, host):
    platform.memory.write(C_BIT | AT, IMAGE, 0)
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=C_BIT | AT, length=len(IMAGE))
    assert platform.memory.read(C_BIT | AT, len(IMAGE), 1) == IMAGE
    shown = platform.memory.read(AT, 32, 0)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=AT, length=32)
    check_measurement(host.measure(handle), tik=session.tik, policy=0, image=IMAGE + shown)


def test_nothing_unmeasured_is_encrypted_when_memory_fails(platform, host):
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    platform.memory.broken.append(range(AT + 0x1800, AT + 0x1801))
    fields = {"handle": handle, "address": AT, "length": 0x3000}
    assert host.command(Command.LAUNCH_UPDATE_DATA, **fields).status is Status.INVALID_ADDRESS
    assert platform.memory.read(C_BIT | AT, 0x1000, 1) == IMAGE[:0x1000]
    assert platform.memory.dram[AT + 0x1000:AT + 0x3000] == IMAGE[0x1000:0x3000]
    assert platform.psp.state.ranges.overlaps(AT + 0x2FF0, AT + 0x3000)
    check_measurement(host.measure(handle), tik=session.tik, policy=0, image=IMAGE[:0x1000])


def test_data_that_can_not_be_written_is_measured(platform, host):
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    platform.memory.read_only.append(range(AT + 0x1800, AT + 0x1801))
    fields = {"handle": handle, "address": AT, "length": 0x3000}
    assert host.command(Command.LAUNCH_UPDATE_DATA, **fields).status is Status.INVALID_ADDRESS
    assert platform.memory.read(C_BIT | AT, 0x1000, 1) == IMAGE[:0x1000]
    assert platform.memory.dram[AT + 0x1000:AT + 0x3000] == IMAGE[0x1000:0x3000]
    platform.memory.read_only.clear()
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=AT + 0x1000, length=0x1000)
    measured = IMAGE[:0x2000] + IMAGE[0x1000:0x2000]
    check_measurement(host.measure(handle), tik=session.tik, policy=0, image=measured)


def test_a_measurement_is_made_once_and_needs_entropy(platform, host):
    handle = host.start()
    fields = {"handle": handle, "address": host.area(0), "length": 0x40}
    platform.entropy.failed = True
    assert host.command(Command.LAUNCH_MEASURE, **fields).status is Status.HARDWARE_ERROR_PLATFORM
    platform.entropy.failed = False
    assert host.must(Command.LAUNCH_MEASURE, **fields).number("length") == 0x30
    assert host.command(Command.LAUNCH_MEASURE, **fields).status is Status.INVALID_GUEST_STATE


@pytest.mark.parametrize("output", ["measurement", "length"])
def test_a_measurement_that_is_shown_is_the_last(platform, host, output):
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=AT, length=len(IMAGE))
    at = host.area(0)
    hole = {"measurement": at, "length": host.scratch + COMMAND_BUFFERS[Command.LAUNCH_MEASURE].numbers["length"][0]}
    platform.memory.write(host.scratch, COMMAND_BUFFERS[Command.LAUNCH_MEASURE].pack(
        handle=handle, address=at, length=0x30), 0)
    platform.memory.read_only.append(range(hole[output], hole[output] + 1))
    assert host.execute(Command.LAUNCH_MEASURE, host.scratch) is Status.INVALID_ADDRESS
    platform.memory.read_only.clear()
    if output == "length":
        check_measurement(host.memory.read(at, 0x30, 0), tik=session.tik, policy=0, image=IMAGE)
    assert host.must(Command.GUEST_STATUS, handle=handle).number("state") == GuestState.LSECRET
    fields = {"handle": handle, "address": SECRET_AT, "length": 16}
    assert host.command(Command.LAUNCH_UPDATE_DATA, **fields).status is Status.INVALID_GUEST_STATE
    assert host.command(Command.LAUNCH_MEASURE, **fields).status is Status.INVALID_GUEST_STATE


def test_macs_are_compared_in_constant_time(platform, host, monkeypatch):
    compared = []

    def spy(first, second):
        compared.append(bytes(first))
        return first == second

    monkeypatch.setattr("hmac.compare_digest", spy)
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    secret = package_secret(b"x", tek=session.tek, tik=session.tik, measurement=host.measure(handle))
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, SECRET_AT))
    wanted = {SESSION.string(session.session, "wrap_mac"), SESSION.string(session.session, "policy_mac"),
              SECRET_HEADER.string(secret.header, "mac")}
    assert wanted <= set(compared)


def test_a_measurement_does_not_say_where(platform, host):
    """A limit of the API: the same bytes in the same order at other places measure the same."""
    session = session_for(platform)
    handle = host.start(0, session, asid=1)
    for start, at in ((0, SECRET_AT), (0x1000, AT)):
        platform.memory.write(at, IMAGE[start:start + 0x1000], 0)
        host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=at, length=0x1000)
    measurement = host.measure(handle)
    check_measurement(measurement, tik=session.tik, policy=0, image=IMAGE[:0x2000])
    assert platform.memory.read(C_BIT | AT, 16, 1) == IMAGE[0x1000:0x1010]
    secret = package_secret(bytes(16), tek=session.tek, tik=session.tik, measurement=measurement)
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, AT + 0x800))
    assert platform.memory.read(C_BIT | AT + 0x800, 16, 1) == bytes(16)


def test_a_report_is_of_some_guest(platform, host, measured):
    """A limit of the API: a guest that the host has launched from the same image answers as well."""
    clone_at = 0x30000
    platform.memory.write(clone_at, IMAGE, 0)
    clone = host.launch(clone_at, len(IMAGE), asid=2)
    assert host.must(Command.GUEST_STATUS, handle=measured[0]).number("state") == GuestState.LSECRET
    pek = platform.psp.state.keys.pek.point
    check_report(host.attest(clone, bytes(16)), pek=pek, mnonce=bytes(16), policy=0, image=IMAGE)


def test_secrets_check_in_order(platform, host, measured):
    handle, session, measurement = measured
    secret = package_secret(bytes(range(40)), tek=session.tek, tik=session.tik, measurement=measurement)
    good = host.secret_fields(handle, secret, SECRET_AT)
    layout = COMMAND_BUFFERS[Command.LAUNCH_SECRET]
    buffer = {"handle": handle, "header_address": MEMORY_BYTES, "header_length": 0x30, "guest_address": 8,
              "guest_length": 0, "transport_address": 1 << 46, "transport_length": 1}
    reserved = {4, 0x14, 0x24}

    def status(**changes):
        buffer.update(changes)
        content = bytearray(layout.pack(**buffer))
        for offset in reserved:
            content[offset] = 1
        return host.raw(Command.LAUNCH_SECRET, bytes(content)).status

    host.must(Command.DEACTIVATE, handle=handle)
    assert status() is Status.INACTIVE
    host.must(Command.ACTIVATE, handle=handle, asid=2)
    for offset in sorted(reserved):
        assert status() is Status.INVALID_PARAM
        reserved.remove(offset)
    assert status() is Status.INVALID_LENGTH
    assert status(header_length=0x34) is Status.INVALID_LENGTH
    for length in (8, 0x1010, 0x38):
        assert status(guest_length=length, transport_length=length) is Status.INVALID_LENGTH
    assert status(guest_length=0x30) is Status.INVALID_LENGTH
    assert status(transport_length=0x40) is Status.INVALID_LENGTH
    assert status(transport_length=0x30) is Status.INVALID_ADDRESS
    assert status(header_address=AT) is Status.INVALID_ADDRESS
    assert status(header_address=good["header_address"]) is Status.INVALID_ADDRESS
    assert status(guest_address=SECRET_AT) is Status.INVALID_ADDRESS
    for wrong in (AT, C_BIT | AT, AT - 0x10, MEMORY_BYTES - 0x2F):
        assert status(transport_address=wrong) is Status.INVALID_ADDRESS
    host.put(0, b"\1" + bytes(0x33))
    assert status(transport_address=good["transport_address"]) is Status.INVALID_PARAM
    before = bytes(platform.memory.dram[:host.scratch])
    for offset in (0x4, 0x13, 0x14, 0x33):
        wrong = bytearray(secret.header)
        wrong[offset] ^= 1
        host.put(0, bytes(wrong))
        assert status() is Status.BAD_MEASUREMENT
    host.put(0, secret.header)
    for offset in (0, 0x2F):
        wrong = bytearray(secret.payload)
        wrong[offset] ^= 1
        host.put(1, bytes(wrong))
        assert status() is Status.BAD_MEASUREMENT
    assert platform.memory.dram[:host.scratch] == before
    host.put(1, secret.payload)
    for length in (0, 0x33, 0x35):
        assert status(header_length=length) is Status.INVALID_LENGTH
    assert status(header_length=0x34, guest_length=0, transport_length=0) is Status.INVALID_LENGTH
    assert status(guest_length=0x30, transport_length=0x30, header_address=AT) is Status.INVALID_ADDRESS
    assert status(header_address=MEMORY_BYTES - 0x33) is Status.INVALID_ADDRESS
    other = host.start(asid=3)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=other, address=SECRET_AT + 0x20, length=0x10)
    for wrong in (SECRET_AT, SECRET_AT + 0x48, MEMORY_BYTES - 0x20):
        assert status(header_address=good["header_address"], guest_address=wrong) is Status.INVALID_ADDRESS
    host.must(Command.DECOMMISSION, handle=other)
    assert status(guest_address=SECRET_AT) is Status.SUCCESS
    assert platform.memory.read(C_BIT | SECRET_AT, 0x30, 2) == bytes(range(40)) + bytes(8)


def test_secrets_of_another_launch_are_refused(platform, host, measured):
    handle, session, measurement = measured
    other = session_for(platform)
    for keys, of in ((other, measurement), (session, measurement[16:] + bytes(16))):
        secret = package_secret(b"x", tek=keys.tek, tik=keys.tik, measurement=of)
        fields = host.secret_fields(handle, secret, SECRET_AT)
        assert host.command(Command.LAUNCH_SECRET, **fields).status is Status.BAD_MEASUREMENT


def test_secrets_may_be_long(platform, host, measured):
    handle, session, measurement = measured
    secret = package_secret(IMAGE[:4096], tek=session.tek, tik=session.tik, measurement=measurement)
    host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, SECRET_AT))
    assert platform.memory.read(C_BIT | SECRET_AT, 4096, 1) == IMAGE[:4096]
    for length in (0, 4097):
        with pytest.raises(ValueError, match=f"^Secret must be 1 to 4096 bytes, not {length}$"):
            package_secret(bytes(length), tek=session.tek, tik=session.tik, measurement=measurement)


def test_transport_keys_end_with_the_launch(platform, host, measured):
    handle, session, _ = measured
    assert {session.tek, session.tik} <= set(platform.psp.secrets())
    host.must(Command.LAUNCH_FINISH, handle=handle)
    assert not {session.tek, session.tik} & set(platform.psp.secrets())


def test_attestation_checks_in_order(host):
    handle = host.launch(AT, len(IMAGE), asid=1)
    host.must(Command.DEACTIVATE, handle=handle)
    content = bytearray(COMMAND_BUFFERS[Command.ATTESTATION].pack(handle=handle, address=AT, length=1))
    content[4] = 1
    assert host.raw(Command.ATTESTATION, bytes(content)).status is Status.INVALID_PARAM
    for length in (0, 0xCF):
        reply = host.command(Command.ATTESTATION, handle=handle, address=AT, length=length)
        assert reply.status is Status.INVALID_LENGTH
        assert reply.number("length") == REPORT.size
    fields = {"handle": handle, "length": 0x1000}
    for address in (AT, AT - 0xC0, MEMORY_BYTES - 0xCF, 1 << 46):
        assert host.command(Command.ATTESTATION, address=address, **fields).status is Status.INVALID_ADDRESS
    assert host.must(Command.ATTESTATION, address=MEMORY_BYTES - 0xD0, **fields).number("length") == REPORT.size


def test_owners_do_not_take_what_is_not_theirs(platform, host, measured):
    handle, session, measurement = measured
    for wrong in ({"policy": 1}, {"image": IMAGE[:-16]}, {"tik": session.tek}, {"version": (0, 24, 14)}):
        with pytest.raises(DistrustError, match=r"must not be trusted$"):
            check_measurement(measurement, **{"tik": session.tik, "policy": 0, "image": IMAGE, **wrong})
    for length in (47, 49):
        with pytest.raises(DistrustError, match=f"^Measurement must be 48 bytes, not {length}$"):
            check_measurement(bytes(length), tik=session.tik, policy=0, image=IMAGE)
    host.must(Command.LAUNCH_FINISH, handle=handle)
    report = host.attest(handle, bytes(16))
    good = {"pek": platform.psp.state.keys.pek.point, "mnonce": bytes(16), "policy": 0, "image": IMAGE}
    check_report(report, **good)
    for wrong, text in (
            ({"pek": Chip(bytes(32)).key.point}, "the signature is wrong"), ({"mnonce": bytes([1] * 16)}, "nonce"),
            ({"policy": 1}, "of policy 0x1, not 0x0"), ({"image": IMAGE[16:]}, "from another")):
        with pytest.raises(DistrustError, match=text):
            check_report(report, **{**good, **wrong})
    for offset, text in ((0, "signature is wrong"), (0x34, "otherwise"), (0x38, "otherwise"),
                         (0x40, "signature is wrong"), (0xB0, "signature is wrong"), (0xCF, "signature is wrong")):
        wrong = bytearray(report)
        wrong[offset] ^= 1
        with pytest.raises(DistrustError, match=text):
            check_report(bytes(wrong), **good)
    with pytest.raises(DistrustError, match=r"^Report must be 208 bytes, not 207$"):
        check_report(report[:-1], **good)


def test_counter_mode_counts_through_the_whole_block():
    whole = counter_mode(bytes(16), bytes([0xFF] * 16), bytes(32))
    assert whole[16:] == counter_mode(bytes(16), bytes(16), bytes(16))
