"""The platform's commands: every row of the table in sim/cbit_model/sev/README.md."""

import pytest

from cbit_model.sev.certificate import SIGNED_BYTES, body_of, signature_slot, signed_certificate
from cbit_model.sev.constants import Algorithm, Command, PlatformState, Status, Usage
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.memory import EncryptedMemory
from cbit_model.sev.p384 import PrivateKey
from cbit_model.sev.ports import EntropyFailedError
from cbit_model.sev.psp import Psp
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
MEMORY_BYTES = 1 << 20
OWNER = PrivateKey(0x1234567)

ALLOWED = {
    PlatformState.UNINIT: {"INIT", "PLATFORM_RESET", "PLATFORM_STATUS", "GET_ID"},
    PlatformState.INIT: {"SHUTDOWN", "PLATFORM_STATUS", "PEK_GEN", "PEK_CSR", "PEK_CERT_IMPORT", "PDH_CERT_EXPORT",
                         "PDH_GEN", "DF_FLUSH", "GET_ID", "LAUNCH_START"},
    PlatformState.WORKING: {"SHUTDOWN", "PLATFORM_STATUS", "PDH_CERT_EXPORT", "PDH_GEN", "DF_FLUSH", "GET_ID",
                            "LAUNCH_START", "DECOMMISSION", "ACTIVATE", "DEACTIVATE", "GUEST_STATUS",
                            "LAUNCH_UPDATE_DATA", "LAUNCH_MEASURE", "LAUNCH_SECRET", "LAUNCH_FINISH", "ATTESTATION",
                            "DBG_DECRYPT", "DBG_ENCRYPT"},
}
UNSUPPORTED = {0x24, 0x32, *range(0x40, 0x45), *range(0x50, 0x54)}


@pytest.fixture
def platform():
    return ModelPlatform()


def bring_to(platform, state):
    if state is not PlatformState.UNINIT:
        platform.host.must(Command.INIT)
    if state is PlatformState.WORKING:
        platform.host.start()
    assert platform.host.must(Command.PLATFORM_STATUS).number("state") == state


def owned_certificates(platform, owner=OWNER):
    """PEK and OCA as an owner would sign them."""
    host = platform.host
    host.must(Command.PEK_CSR, address=host.area(0), length=0x824)
    body = platform.memory.read(host.area(0), SIGNED_BYTES, 0)
    oca = body_of(usage=Usage.OCA, algorithm=Algorithm.ECDSA_SHA256, point=owner.point)
    return (signed_certificate(body, signature_slot(Usage.OCA, owner.sign(body))),
            signed_certificate(oca, signature_slot(Usage.OCA, owner.sign(oca))))


def import_fields(platform, pek, oca):
    host = platform.host
    return {"pek_address": host.put(0, pek), "pek_length": len(pek),
            "oca_address": host.put(1, oca), "oca_length": len(oca)}


@pytest.mark.parametrize("state", PlatformState)
def test_commands_of_each_state(platform, state):
    bring_to(platform, state)
    known = {command.value: command.name for command in Command}
    for number in [*range(0x100), 0x3FF, 0x7FFF, 0xFFFF]:
        status = platform.host.execute(number, platform.host.scratch)
        if number not in known:
            assert status is Status.INVALID_COMMAND
        elif number in UNSUPPORTED:
            assert status is Status.UNSUPPORTED
        elif known[number] not in ALLOWED[state]:
            assert status is Status.INVALID_PLATFORM_STATE
        else:
            assert status not in {Status.INVALID_COMMAND, Status.UNSUPPORTED, Status.INVALID_PLATFORM_STATE}
            platform = ModelPlatform()
            bring_to(platform, state)


def test_other_bits_of_the_command_word_do_not_matter(platform):
    address = platform.host.scratch
    assert platform.psp.mailbox(Command.PLATFORM_STATUS << 16 | 0xFFFF, address) == 1 << 31
    assert platform.psp.mailbox(1 << 31 | Command.PLATFORM_STATUS << 16, address) == 1 << 31
    assert platform.psp.mailbox(1 << 30 | Command.PLATFORM_STATUS << 16, address) == 1 << 31 | Status.INVALID_COMMAND


@pytest.mark.parametrize("command", [command for command in COMMAND_BUFFERS if command is not Command.INIT])
def test_command_buffers_that_are_refused(platform, command):
    bring_to(platform, PlatformState.INIT if "PEK" in command.name else PlatformState.WORKING)
    before = bytes(platform.memory.dram)
    for address in (0x8, 0x1001, MEMORY_BYTES, MEMORY_BYTES + 0x10, C_BIT | MEMORY_BYTES, C_BIT | 0x1008, 1 << 46,
                    1 << 48, 2**64 - 16):
        assert platform.host.execute(command, address) is Status.INVALID_ADDRESS
        assert platform.memory.dram == before


def test_command_buffers_at_the_end_of_memory(platform):
    end = MEMORY_BYTES - 0x10
    assert platform.host.execute(Command.PLATFORM_STATUS, end) is Status.SUCCESS
    assert platform.host.execute(Command.INIT, end) is Status.INVALID_ADDRESS
    assert platform.host.execute(Command.INIT, end - 0x10) is Status.SUCCESS


def test_command_buffer_with_the_c_bit(platform):
    assert platform.host.execute(Command.PLATFORM_STATUS, C_BIT | 0x1000) is Status.SUCCESS
    assert platform.memory.read(C_BIT | 0x1000, 12, 0).hex() == "001800000000000f00000000"
    assert platform.memory.read(0x1000, 12, 0).hex() != "001800000000000f00000000"


def test_command_buffer_that_memory_refuses(platform):
    platform.memory.broken.append(range(0x3000, 0x3001))
    assert platform.host.execute(Command.PLATFORM_STATUS, 0x3000) is Status.INVALID_ADDRESS


@pytest.mark.parametrize(("command", "offset"), [
    (command, offset) for command, layout in COMMAND_BUFFERS.items() for begin, size in layout.reserved
    for offset in range(begin, begin + size) if command in (
        Command.INIT, Command.PEK_CERT_IMPORT, Command.PDH_CERT_EXPORT, Command.LAUNCH_START)])
def test_reserved_bytes_must_be_zero(platform, command, offset):
    bring_to(platform, PlatformState.UNINIT if command is Command.INIT else PlatformState.INIT)
    buffer = bytearray(COMMAND_BUFFERS[command].size)
    buffer[offset] = 0x10
    reply = platform.host.raw(command, bytes(buffer))
    assert reply.status is Status.INVALID_PARAM
    assert reply.buffer == buffer


@pytest.mark.parametrize("flags", [2, 0x100, 1 << 31, 3])
def test_init_refuses_unknown_flags(platform, flags):
    assert platform.host.command(Command.INIT, flags=flags).status is Status.INVALID_PARAM
    assert platform.host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.UNINIT


def test_init_takes_the_flag_for_encrypted_state_and_says_that_it_is_off(platform):
    platform.host.must(Command.INIT, flags=1, tmr_address=0x12345, tmr_length=7)
    status = platform.host.must(Command.PLATFORM_STATUS)
    assert status.buffer.hex() == "001801000000000f00000000"


def test_status_counts_guests_and_names_the_owner(platform):
    platform.host.must(Command.INIT)
    platform.host.must(Command.PEK_CERT_IMPORT, **import_fields(platform, *owned_certificates(platform)))
    platform.host.start()
    platform.host.start()
    status = platform.host.must(Command.PLATFORM_STATUS)
    assert status.buffer.hex() == "001802010000000f02000000"


def test_keys_last_from_init_to_platform_reset(platform):
    host = platform.host
    host.must(Command.INIT)
    pdh, chain = host.export()
    assert host.export() == (pdh, chain)
    host.must(Command.SHUTDOWN)
    host.must(Command.INIT)
    second_pdh, second_chain = host.export()
    assert second_chain == chain
    assert second_pdh != pdh
    host.must(Command.SHUTDOWN)
    host.must(Command.PLATFORM_RESET)
    host.must(Command.INIT)
    third_pdh, third_chain = host.export()
    assert third_pdh not in (pdh, second_pdh)
    pek, oca, cek = (slice(start, start + 0x824) for start in range(0, 3 * 0x824, 0x824))
    assert third_chain[pek] != chain[pek]
    assert third_chain[oca] != chain[oca]
    assert third_chain[cek] == chain[cek]


def test_pek_gen_and_pdh_gen(platform):
    host = platform.host
    host.must(Command.INIT)
    pdh, chain = host.export()
    host.must(Command.PDH_GEN)
    other_pdh, other_chain = host.export()
    assert other_pdh != pdh
    assert other_chain == chain
    host.must(Command.PEK_GEN)
    last_pdh, last_chain = host.export()
    assert last_pdh != other_pdh
    assert last_chain[:0x824] != chain[:0x824]
    assert last_chain[0x824:] == chain[0x824:]


@pytest.mark.parametrize(("command", "needed"), [
    (Command.PEK_CSR, {"length": 0x824}),
    (Command.PDH_CERT_EXPORT, {"pdh_length": 0x824, "chain_length": 0x186C}),
    (Command.GET_ID, {"length": 0x40}),
])
def test_lengths_that_are_short_are_answered_with_those_needed(platform, command, needed):
    host = platform.host
    host.must(Command.INIT)
    addresses = {name: host.area(index) for index, name in enumerate(
        name for name in COMMAND_BUFFERS[command].numbers if "address" in name)}
    for short in needed:
        for length in (0, needed[short] - 1):
            before = platform.memory.read(0, host.scratch, 0)
            reply = host.command(command, **{**addresses, **needed, short: length})
            assert reply.status is Status.INVALID_LENGTH
            assert {name: reply.number(name) for name in needed} == needed
            assert platform.memory.read(0, host.scratch, 0) == before
    assert host.command(command).status is Status.INVALID_LENGTH
    reply = host.must(command, **addresses, **{name: 0xFFFF_FFFF for name in needed})
    assert {name: reply.number(name) for name in needed} == needed


@pytest.mark.parametrize(("command", "lengths"), [
    (Command.PEK_CSR, {"address": 0x824}),
    (Command.PDH_CERT_EXPORT, {"pdh_address": 0x824, "chain_address": 0x186C}),
    (Command.GET_ID, {"address": 0x40}),
    (Command.PEK_CERT_IMPORT, {"pek_address": 0x824, "oca_address": 0x824}),
])
def test_buffers_must_lie_in_memory(platform, command, lengths):
    host = platform.host
    host.must(Command.INIT)
    good = {name: host.area(index) for index, name in enumerate(lengths)}
    good |= {name.replace("address", "length"): length for name, length in lengths.items()}
    for name, length in lengths.items():
        for address in (MEMORY_BYTES - length + 1, MEMORY_BYTES, 1 << 46, 2**64 - length, C_BIT | MEMORY_BYTES):
            before = platform.memory.read(0, host.scratch, 0)
            reply = host.command(command, **{**good, name: address})
            assert reply.status is Status.INVALID_ADDRESS
            assert platform.memory.read(0, host.scratch, 0) == before
            assert reply.buffer == COMMAND_BUFFERS[command].pack(**{**good, name: address})
    platform.memory.broken.append(range(0x3000, 0x3001))
    assert host.command(command, **{**good, next(iter(lengths)): 0x3000 - 4}).status is Status.INVALID_ADDRESS


def test_answers_come_to_where_they_are_wanted(platform):
    host = platform.host
    host.must(Command.INIT)
    platform.memory.write(0x2000, bytes([0xEE]) * 0x4000, 0)
    host.must(Command.GET_ID, address=0x2003, length=0x100)
    assert platform.memory.read(0x2000, 3, 0) == bytes([0xEE]) * 3
    assert platform.memory.read(0x2003, 0x40, 0) == platform.psp.state.chip.identifier
    assert platform.memory.read(0x2043, 0x100, 0) == bytes([0xEE]) * 0x100
    host.must(Command.PEK_CSR, address=C_BIT | 0x3001, length=0x824)
    request = platform.memory.read(C_BIT | 0x3001, 0x824, 0)
    assert request[:SIGNED_BYTES] == host.export()[1][:SIGNED_BYTES]
    assert request[SIGNED_BYTES:] == (b"\x00\x10" + bytes(0x206)) * 2


def test_id_is_of_the_device(platform):
    other = ModelPlatform(device_secret=bytes(32))
    assert other.psp.state.chip.identifier[:32] != platform.psp.state.chip.identifier[:32]
    assert platform.psp.state.chip.identifier[32:] == bytes(32)


def test_another_owner(platform):
    host = platform.host
    host.must(Command.INIT)
    pdh, before = host.export()
    pek, oca = owned_certificates(platform)
    host.must(Command.PEK_CERT_IMPORT, **import_fields(platform, pek, oca))
    after_pdh, after = host.export()
    assert after_pdh == pdh
    assert after[0x824:] == oca + before[2 * 0x824:]
    assert after[:0x61C] == pek[:0x61C]
    assert after[0x61C:0x824] == before[0x61C:0x824]
    assert host.command(Command.PEK_GEN).status is Status.ALREADY_OWNED
    assert host.command(Command.PEK_CERT_IMPORT).status is Status.ALREADY_OWNED
    host.must(Command.SHUTDOWN)
    assert host.must(Command.PLATFORM_STATUS).number("owner") == 1
    host.must(Command.PLATFORM_RESET)
    assert host.must(Command.PLATFORM_STATUS).number("owner") == 0


@pytest.mark.parametrize("slot", [0, 1])
def test_a_signature_counts_in_either_slot(platform, slot):
    host = platform.host
    host.must(Command.INIT)
    certificates = [certificate if slot == 0 else certificate[:0x414] + certificate[0x61C:] + certificate[0x414:0x61C]
                    for certificate in owned_certificates(platform)]
    host.must(Command.PEK_CERT_IMPORT, **import_fields(platform, *certificates))


@pytest.mark.parametrize(("which", "offsets", "status"), [
    ("PEK", (0x00, 0x05, 0x413, 0x414, 0x418), Status.INVALID_CERTIFICATE),
    ("PEK", (0x41C, 0x463, 0x464, 0x4AB), Status.BAD_SIGNATURE),
    ("PEK", (0x4AC, 0x700), Status.SUCCESS),
    ("OCA", (0x00, 0x06, 0x08, 0x0C, 0x10, 0x14, 0x44, 0x5C, 0xA4, 0x413, 0x414, 0x418), Status.INVALID_CERTIFICATE),
    ("OCA", (0x04, 0x41C, 0x464), Status.BAD_SIGNATURE),
    ("OCA", (0x4AC, 0x61C), Status.SUCCESS),
])
def test_an_owners_certificates_with_a_wrong_byte(which, offsets, status):
    for offset in offsets:
        platform = ModelPlatform()
        platform.host.must(Command.INIT)
        before = platform.host.export()
        certificates = dict(zip(("PEK", "OCA"), map(bytearray, owned_certificates(platform))))
        certificates[which][offset] ^= 0x40
        fields = import_fields(platform, *map(bytes, certificates.values()))
        assert platform.host.command(Command.PEK_CERT_IMPORT, **fields).status is status, hex(offset)
        assert (platform.host.export() == before) == (status is not Status.SUCCESS)


def test_a_pek_signed_by_another_than_the_oca(platform):
    host = platform.host
    host.must(Command.INIT)
    pek, _ = owned_certificates(platform, PrivateKey(5))
    _, oca = owned_certificates(platform)
    fields = import_fields(platform, pek, oca)
    assert host.command(Command.PEK_CERT_IMPORT, **fields).status is Status.BAD_SIGNATURE
    for name in ("pek_length", "oca_length"):
        for length in (0, 0x823, 0x825):
            assert host.command(Command.PEK_CERT_IMPORT, **{**fields, name: length}).status is Status.INVALID_LENGTH


@pytest.mark.parametrize("command", [Command.PEK_GEN, Command.PDH_GEN, Command.LAUNCH_START])
def test_failed_entropy_makes_no_keys(platform, command):
    host = platform.host
    host.must(Command.INIT)
    before = host.export()
    platform.entropy.failed = True
    assert host.command(command).status is Status.HARDWARE_ERROR_PLATFORM
    assert host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.INIT
    assert host.export() == before


@pytest.mark.parametrize("words", [0, 1, 63])
def test_entropy_that_fails_while_it_is_taken(platform, words):
    take = platform.entropy.take
    answers = iter(range(words))

    def failing():
        if next(answers, None) is None:
            platform.entropy.failed = True
        return take()

    platform.entropy.take = failing
    assert platform.host.command(Command.INIT).status is Status.HARDWARE_ERROR_PLATFORM
    assert platform.host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.UNINIT


@pytest.mark.parametrize("command", [Command.PEK_GEN, Command.INIT])
def test_entropy_that_fails_between_keys_leaves_none_of_them(platform, command):
    host = platform.host
    host.must(Command.INIT)
    before = platform.psp.state.identity
    if command is Command.INIT:
        host.must(Command.SHUTDOWN)
        host.must(Command.PLATFORM_RESET)
        before = None
    generate = platform.psp.state.drbg.generate

    def once(count):
        answer = generate(count)
        platform.entropy.failed = True
        return answer

    platform.psp.state.drbg.generate = once
    assert host.command(command).status is Status.HARDWARE_ERROR_PLATFORM
    assert platform.psp.state.identity is before


@pytest.mark.parametrize("size", [0, -4096, 4095, 4097])
def test_memory_is_of_whole_pages(platform, size):
    text = f"must be a positive multiple of 4096, not {size}$"
    with pytest.raises(ValueError, match=f"^size_bytes {text}"):
        EncryptedMemory(size_bytes=size)
    with pytest.raises(ValueError, match=f"^memory_bytes {text}"):
        Psp(memory=platform.memory, slots=EncryptedMemory(size_bytes=4096), entropy=platform.entropy,
            device_secret=bytes(32), memory_bytes=size)


def test_memory_ends_below_the_c_bit(platform):
    arguments = {"memory": platform.memory, "entropy": platform.entropy, "device_secret": bytes(32), "c_bit": 20}
    with pytest.raises(ValueError, match=r"^memory_bytes must be at most 2\^20, as the C-bit is bit 20, not 1052672$"):
        Psp(slots=EncryptedMemory(size_bytes=4096), memory_bytes=MEMORY_BYTES + 4096, **arguments)
    assert Psp(slots=EncryptedMemory(size_bytes=4096), memory_bytes=MEMORY_BYTES, **arguments)


def test_a_psp_does_not_boot_without_entropy(platform):
    platform.entropy.failed = True
    slots = EncryptedMemory(size_bytes=4096)
    with pytest.raises(EntropyFailedError):
        Psp(memory=platform.memory, slots=slots, entropy=platform.entropy, device_secret=bytes(32), memory_bytes=4096)
    assert not slots.slots.active


def test_a_psp_boots_with_a_fresh_key_for_the_host(platform):
    other = ModelPlatform(seed=2)
    for memory in (platform.memory, other.memory):
        assert memory.slots.active == {0}
        memory.write(C_BIT | 0x1000, bytes(64), 0)
    assert platform.memory.dram[0x1000:0x1040] != other.memory.dram[0x1000:0x1040]
