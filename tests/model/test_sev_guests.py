"""The life of guests: handles, ASIDs, private memory, and debugging where the owner allows it."""

import pytest

from cbit_model.sev.constants import Command, GuestState, PlatformState, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.memory import EncryptedMemory, SeededEntropy
from cbit_model.sev.owner.launch import new_session
from cbit_model.sev.ports import SlotError
from cbit_model.sev.psp import Psp
from cbit_model.sev.ranges import PrivateRanges
from cbit_sim.sev_host import SevHost
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
MEMORY_BYTES = 1 << 20
IMAGE = bytes(range(256)) * 0x40

ALLOWED = {
    GuestState.LUPDATE: {"LAUNCH_UPDATE_DATA", "LAUNCH_MEASURE"},
    GuestState.LSECRET: {"LAUNCH_SECRET", "LAUNCH_FINISH"},
    GuestState.RUNNING: {"ATTESTATION", "DBG_DECRYPT", "DBG_ENCRYPT"},
}
OF_GUESTS = ["DECOMMISSION", "ACTIVATE", "DEACTIVATE", "GUEST_STATUS", *sorted(set().union(*ALLOWED.values()))]


@pytest.fixture
def platform():
    platform = ModelPlatform()
    platform.host.must(Command.INIT)
    return platform


@pytest.fixture
def host(platform):
    return platform.host


def bring_to(host, state, *, policy=0, asid=0):
    """A guest in a state; its handle."""
    handle = host.start(policy, asid=asid)
    if state is not GuestState.LUPDATE:
        host.measure(handle)
    if state is GuestState.RUNNING:
        host.must(Command.LAUNCH_FINISH, handle=handle)
    return handle


@pytest.mark.parametrize("state", ALLOWED)
def test_commands_of_each_state(platform, host, state):
    handle = bring_to(host, state, asid=1)
    for name in OF_GUESTS[4:]:
        status = host.command(Command[name], handle=handle).status
        assert (status is Status.INVALID_GUEST_STATE) == (name not in ALLOWED[state]), name
        if status is Status.SUCCESS:
            host.must(Command.DECOMMISSION, handle=handle)
            platform.psp.flush_caches()
            host.must(Command.DF_FLUSH)
            handle = bring_to(host, state, asid=1)
    reply = host.must(Command.GUEST_STATUS, handle=handle)
    assert [reply.number(name) for name in ("policy", "asid", "state")] == [0, 1, state]
    host.must(Command.DEACTIVATE, handle=handle)
    assert host.must(Command.GUEST_STATUS, handle=handle).number("asid") == 0
    host.must(Command.ACTIVATE, handle=handle, asid=2)
    host.must(Command.DECOMMISSION, handle=handle)


@pytest.mark.parametrize("name", OF_GUESTS)
def test_handles_of_no_guest(host, name):
    handle = host.start()
    gone = host.start()
    host.must(Command.DECOMMISSION, handle=gone)
    for wrong in (0, gone, handle + 0x100, 0xFFFF_FFFF, handle << 8):
        assert host.command(Command[name], handle=wrong).status is Status.INVALID_GUEST


def test_status_writes_nothing_but_what_it_says(host):
    handle = host.start(0x18000023)
    host.memory.write(host.scratch, bytes([0xEE]) * 0x20, 0)
    reply = host.raw(Command.GUEST_STATUS, handle.to_bytes(4, "little") + bytes([0xEE]) * 9)
    assert reply.status is Status.SUCCESS
    assert reply.buffer.hex() == handle.to_bytes(4, "little").hex() + "23000018" + "00000000" + "01"
    assert host.memory.read(host.scratch + 0x0D, 0x13, 0) == bytes([0xEE]) * 0x13


def test_handles_count_up_and_platform_works_while_there_are_guests(host):
    assert [host.start() for _ in range(3)] == [1, 2, 3]
    for handle in (2, 1, 3):
        assert host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.WORKING
        host.must(Command.DECOMMISSION, handle=handle)
    assert host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.INIT
    assert host.start() == 4
    host.must(Command.SHUTDOWN)
    host.must(Command.INIT)
    assert host.start() == 5


def test_sixteen_guests_and_no_more(host):
    handles = [host.start() for _ in range(16)]
    assert host.must(Command.PLATFORM_STATUS).number("guests") == 16
    assert host.command(Command.LAUNCH_START).status is Status.RESOURCE_LIMIT
    host.must(Command.DECOMMISSION, handle=handles[7])
    assert host.start() == 17


def test_asids(platform, host):
    first, second = host.start(), host.start()
    for asid in (0, 16, 0x101, 0xFFFF_FFFF):
        assert host.command(Command.ACTIVATE, handle=first, asid=asid).status is Status.INVALID_ASID
    host.must(Command.ACTIVATE, handle=first, asid=15)
    assert host.command(Command.ACTIVATE, handle=first, asid=0).status is Status.INVALID_ASID
    assert host.command(Command.ACTIVATE, handle=first, asid=15).status is Status.ACTIVE
    assert host.command(Command.ACTIVATE, handle=first, asid=3).status is Status.ACTIVE
    assert host.command(Command.ACTIVATE, handle=second, asid=15).status is Status.ASID_OWNED
    assert platform.memory.slots.active == {0, 15}
    assert host.command(Command.DEACTIVATE, handle=second).status is Status.INACTIVE
    host.must(Command.DEACTIVATE, handle=first)
    assert platform.memory.slots.active == {0}
    assert host.command(Command.DEACTIVATE, handle=first).status is Status.INACTIVE


@pytest.mark.parametrize("ending", [Command.DEACTIVATE, Command.DECOMMISSION, Command.SHUTDOWN])
def test_an_asid_is_flushed_before_its_next_guest(platform, host, ending):
    handle = host.start(asid=4)
    platform.psp.flush_caches()
    host.must(ending, **({} if ending is Command.SHUTDOWN else {"handle": handle}))
    if ending is Command.SHUTDOWN:
        host.must(Command.INIT)
    following = host.start()
    assert host.command(Command.ACTIVATE, handle=following, asid=4).status is Status.DF_FLUSH_REQUIRED
    assert host.command(Command.DF_FLUSH).status is Status.WBINVD_REQUIRED
    assert host.command(Command.ACTIVATE, handle=following, asid=4).status is Status.DF_FLUSH_REQUIRED
    host.must(Command.ACTIVATE, handle=following, asid=5)
    platform.psp.flush_caches()
    assert host.command(Command.ACTIVATE, handle=host.start(), asid=4).status is Status.DF_FLUSH_REQUIRED
    host.must(Command.DEACTIVATE, handle=following)
    assert host.command(Command.DF_FLUSH).status is Status.WBINVD_REQUIRED
    platform.psp.flush_caches()
    host.must(Command.DF_FLUSH)
    host.must(Command.DF_FLUSH)
    host.must(Command.ACTIVATE, handle=following, asid=4)


def test_nothing_to_flush(host):
    host.must(Command.DF_FLUSH)


def test_an_engine_that_refuses(platform, host):
    handle = host.start()
    platform.memory.install(3, bytes(16), bytes([1]) * 16)
    assert host.command(Command.ACTIVATE, handle=handle, asid=3).status is Status.HARDWARE_ERROR_PLATFORM
    assert host.must(Command.GUEST_STATUS, handle=handle).number("asid") == 0
    host.must(Command.ACTIVATE, handle=handle, asid=2)

    def refuse(_slot):
        raise SlotError

    platform.memory.retire = refuse
    for command in (Command.DEACTIVATE, Command.DECOMMISSION):
        assert host.command(command, handle=handle).status is Status.HARDWARE_ERROR_UNSAFE
        assert host.must(Command.GUEST_STATUS, handle=handle).number("asid") == 2
    assert host.command(Command.SHUTDOWN).status is Status.HARDWARE_ERROR_UNSAFE
    assert host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.WORKING


def test_private_memory_is_no_ones_buffer(platform, host):
    handle = bring_to(host, GuestState.LUPDATE, asid=1)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=0x8000, length=0x100)
    other = bring_to(host, GuestState.LUPDATE, asid=2)
    before = bytes(platform.memory.dram)
    for address in (0x8000, 0x80F0, C_BIT | 0x8010):
        assert host.execute(Command.PDH_CERT_EXPORT, address) is Status.INVALID_ADDRESS
    assert host.execute(Command.PDH_CERT_EXPORT, 0x7FF0) is Status.INVALID_ADDRESS
    assert platform.memory.dram == before
    fields = {"pdh_address": host.area(0), "pdh_length": 0x824, "chain_address": host.area(1), "chain_length": 0x186C}
    for name in ("pdh_address", "chain_address"):
        for address in (0x8000, 0x7F00, 0x80FF, C_BIT | 0x80FF):
            assert host.command(Command.PDH_CERT_EXPORT, **{**fields, name: address}).status is Status.INVALID_ADDRESS
    host.must(Command.PDH_CERT_EXPORT, **{**fields, "pdh_address": 0x8100})
    host.must(Command.PDH_CERT_EXPORT, **{**fields, "pdh_address": 0x8000 - 0x824})
    for address in (0x8000 - 0x3F, 0x80FF, C_BIT | 0x8000):
        assert host.command(Command.GET_ID, address=address, length=0x40).status is Status.INVALID_ADDRESS
    session = new_session(platform.psp.state.keys.pdh.point, 0)
    for name in ("dh_address", "session_address"):
        start = {**host.start_fields(0, session), name: 0x80FF}
        assert host.command(Command.LAUNCH_START, **start).status is Status.INVALID_ADDRESS
    measure = {"handle": other, "length": 0x30}
    assert host.command(Command.LAUNCH_MEASURE, address=0x80F8, **measure).status is Status.INVALID_ADDRESS
    update = {"handle": other, "address": 0x80F0, "length": 0x20}
    assert host.command(Command.LAUNCH_UPDATE_DATA, **update).status is Status.INVALID_ADDRESS
    host.must(Command.LAUNCH_UPDATE_DATA, **{**update, "handle": handle})
    host.must(Command.DECOMMISSION, handle=handle)
    host.must(Command.LAUNCH_UPDATE_DATA, **update)


def test_nothing_beyond_the_stated_memory_is_touched():
    memory = EncryptedMemory(size_bytes=2 * MEMORY_BYTES)
    psp = Psp(memory=memory, slots=memory, entropy=SeededEntropy(1), device_secret=bytes(32), memory_bytes=MEMORY_BYTES)
    host = SevHost(memory, psp.mailbox, scratch=MEMORY_BYTES - 0x4000)
    host.must(Command.INIT)
    handle = host.launch(0x1000, 0x1000, asid=1)
    launching = host.start(asid=2)
    before = bytes(memory.dram[MEMORY_BYTES:])
    for end in (MEMORY_BYTES, C_BIT | MEMORY_BYTES):
        assert host.execute(Command.PLATFORM_STATUS, end) is Status.INVALID_ADDRESS
        update = {"handle": launching, "length": 0x20}
        assert host.command(Command.LAUNCH_UPDATE_DATA, address=end, **update).status is Status.INVALID_ADDRESS
        assert host.command(Command.LAUNCH_UPDATE_DATA, address=end - 16, **update).status is Status.INVALID_ADDRESS
        for source, destination in ((0x1000, end), (end, 0x1000), (0x1000, end - 16), (end - 16, 0x1000)):
            for command in (Command.DBG_DECRYPT, Command.DBG_ENCRYPT):
                fields = {"handle": handle, "source": source, "destination": destination, "length": 0x20}
                assert host.command(command, **fields).status is Status.INVALID_ADDRESS
    assert memory.dram[MEMORY_BYTES:] == before


def test_ranges_join_and_are_limited():
    ranges = PrivateRanges()
    for index in range(64):
        assert ranges.add(index % 2, 0x100 * index, 0x100 * index + 0x10)
    assert not ranges.add(0, 0x10010 * 16, 0x10010 * 16 + 0x10)
    assert ranges.add(0, 0x10, 0x20)
    assert ranges.add(1, 0x110, 0x300)
    assert ranges.overlaps(0x110, 0x111)
    assert ranges.add(1, 0x200, 0x310)
    assert not ranges.overlaps(0x310, 0x400, besides=0)
    assert ranges.add(0, 0x10010 * 16, 0x10010 * 16 + 0x10)
    assert not ranges.add(0, 0x20010 * 16, 0x20010 * 16 + 0x10)
    ranges.forget(1)
    assert ranges.overlaps(0, 1, besides=1)
    assert not ranges.overlaps(0, 1, besides=0)
    assert not ranges.overlaps(0x100, 0x110)


def test_too_many_ranges_touch_nothing(platform, host):
    handle = bring_to(host, GuestState.LUPDATE, asid=1)
    for index in range(64):
        host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=0x1000 + 0x20 * index, length=0x10)
    digest, before = platform.psp.state.guests[handle].digest, platform.memory.read(0, host.scratch, 0)
    fields = {"handle": handle, "address": 0x9000, "length": 0x10}
    assert host.command(Command.LAUNCH_UPDATE_DATA, **fields).status is Status.RESOURCE_LIMIT
    assert platform.psp.state.guests[handle].digest == digest
    assert platform.memory.read(0, host.scratch, 0) == before
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=0x1010, length=0x10)
    host.must(Command.LAUNCH_UPDATE_DATA, **fields)


@pytest.fixture
def running(platform, host):
    """A guest that runs from an image, and its handle."""
    platform.memory.write(0x10000, IMAGE, 0)
    return host.launch(0x10000, len(IMAGE), asid=1)


def test_debugging_shows_and_changes_memory(platform, host, running):
    assert platform.memory.read(0x10000, len(IMAGE), 0) != IMAGE
    host.must(Command.DBG_DECRYPT, handle=running, source=0x10010, destination=0x30000, length=0x3000)
    assert platform.memory.read(0x30000, 0x3000, 0) == IMAGE[0x10:0x3010]
    host.must(Command.DBG_DECRYPT, handle=running, source=C_BIT | 0x10000, destination=C_BIT | 0x30000, length=0x10)
    assert platform.memory.read(C_BIT | 0x30000, 0x10, 0) == IMAGE[:0x10]
    platform.memory.write(0x30000, b"debugger's words" * 0x101, 0)
    digest = platform.psp.state.guests[running].digest
    host.must(Command.DBG_ENCRYPT, handle=running, source=0x30000, destination=0x10020, length=0x1010)
    assert platform.memory.read(C_BIT | 0x10000, 0x20, 1) == IMAGE[:0x20]
    assert platform.memory.read(C_BIT | 0x10020, 0x1010, 1) == b"debugger's words" * 0x101
    assert platform.memory.read(C_BIT | 0x11030, 0x100, 1) == IMAGE[0x1030:0x1130]
    assert platform.psp.state.guests[running].digest == digest


@pytest.mark.parametrize("command", [Command.DBG_DECRYPT, Command.DBG_ENCRYPT])
def test_debugging_checks_in_order(platform, host, running, command):
    other = bring_to(host, GuestState.RUNNING, policy=1, asid=2)
    guests, hosts = (("source", "destination") if command is Command.DBG_DECRYPT else ("destination", "source"))
    buffer = {"handle": 99, guests: 0x10008, hosts: 0x10000, "length": 0}
    dirty = {"reserved": True}

    def status():
        content = bytearray(COMMAND_BUFFERS[command].pack(**buffer))
        content[4:8] = b"\0\0\0\1" if dirty["reserved"] else bytes(4)
        return host.raw(command, bytes(content)).status

    before = platform.memory.read(0, host.scratch, 0)
    assert status() is Status.INVALID_GUEST
    buffer["handle"] = other
    assert status() is Status.POLICY_FAILURE
    host.must(Command.DEACTIVATE, handle=running)
    buffer["handle"] = running
    assert status() is Status.INACTIVE
    host.must(Command.ACTIVATE, handle=running, asid=3)
    assert status() is Status.INVALID_PARAM
    dirty["reserved"] = False
    assert status() is Status.INVALID_LENGTH
    buffer["length"] = 0x18
    assert status() is Status.INVALID_LENGTH
    buffer["length"] = 0x10
    assert status() is Status.INVALID_ADDRESS
    for wrong in (0x10008, MEMORY_BYTES, MEMORY_BYTES | C_BIT, 2**64 - 0x10, 1 << 46):
        buffer |= {guests: wrong, hosts: 0x30000}
        assert status() is Status.INVALID_ADDRESS
    for wrong in (0x10000, C_BIT | 0x10000, 0x30008, MEMORY_BYTES):
        buffer |= {guests: 0x10000, hosts: wrong}
        assert status() is Status.INVALID_ADDRESS
    assert platform.memory.read(0, host.scratch, 0) == before
    buffer[hosts] = 0x30000
    assert status() is Status.SUCCESS


@pytest.mark.parametrize("command", [Command.DBG_DECRYPT, Command.DBG_ENCRYPT])
def test_debugging_reaches_no_other_guest(platform, host, running, command):
    platform.memory.write(0x20000, IMAGE, 0)
    other = host.launch(0x20000, len(IMAGE), asid=2)
    for handle, address in ((running, 0x20000), (other, 0x10000)):
        guests, hosts = (("source", "destination") if command is Command.DBG_DECRYPT else ("destination", "source"))
        fields = {"handle": handle, guests: address, hosts: 0x30000, "length": 0x10}
        assert host.command(command, **fields).status is Status.INVALID_ADDRESS
        fields |= {guests: address ^ 0x30000, hosts: address}
        assert host.command(command, **fields).status is Status.INVALID_ADDRESS


def test_debugging_memory_that_fails(platform, host, running):
    platform.memory.broken.append(range(0x31800, 0x31801))
    fields = {"handle": running, "source": 0x10000, "destination": 0x30000, "length": 0x3000}
    assert host.command(Command.DBG_DECRYPT, **fields).status is Status.INVALID_ADDRESS
    assert platform.memory.read(0x30000, 0x1000, 0) == IMAGE[:0x1000]


def test_what_ends_a_guest_erases_it(platform, host, running):
    guest = platform.psp.state.guests[running]
    assert guest.secrets() == [guest.key, guest.tweak_key]
    held = platform.psp.secrets()
    assert all(secret in held for secret in guest.secrets())
    host.must(Command.DECOMMISSION, handle=running)
    assert not any(secret in platform.psp.secrets() for secret in guest.secrets())
    assert not platform.psp.state.ranges.overlaps(0, MEMORY_BYTES)
