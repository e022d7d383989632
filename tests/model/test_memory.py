"""The model of memory: encryption in place, partial writes, errors, denials, keys in flight."""

import random

import pytest

from cbit_model.access import Access, Burst, Mode, Response, Violation, burst_beats
from cbit_model.memory import ALL_LANES, BusWaitsError, Memory, ReadBeat, WriteBeat
from cbit_model.slots import SlotState
from cbit_model.violations import FirstViolation
from cbit_model.xts import XtsKey

SEED = 55766
C = 1 << 47
SIZE_BYTES = 64 * 1024
ONES = bytes([0xFF] * 16)


def slot_keys(slot: int, key_bytes: int = 16) -> tuple[bytes, bytes]:
    """K1 and K2 of a slot in these tests."""
    return bytes([slot] * key_bytes), bytes([0x80 | slot] * key_bytes)


def make(*, key_bits: int = 128, data_unit_bytes: int = 64, data_width: int = 128, counter_bits: int = 32,
         released: bool = True) -> Memory:
    """SME and SEV on, slots 0 to 2 active, DRAM full of random bytes."""
    memory = Memory(size_bytes=SIZE_BYTES, key_bits=key_bits, data_unit_bytes=data_unit_bytes, data_width=data_width,
                    counter_bits=counter_bits)
    memory.dram.content[:] = random.Random(SEED).randbytes(SIZE_BYTES)
    for slot in range(3):
        memory.install(slot, *slot_keys(slot, key_bits // 8))
    memory.set_mode(sme=True, tsme=False, sev=True)
    if released:
        memory.release()
    return memory


def full(data: bytes) -> list[WriteBeat]:
    """Beats of whole blocks."""
    return [WriteBeat(data[offset:offset + 16]) for offset in range(0, len(data), 16)]


def line(address: int, **fields: int) -> Access:
    """An access to the 64-byte line at ``address``."""
    return Access(address=address, length=4, **fields)


def data_of(beats: list[ReadBeat]) -> bytes:
    """The data of whole beats that were answered with OKAY."""
    assert all(beat.response is Response.OKAY and beat.lanes == ALL_LANES for beat in beats)
    return b"".join(beat.data for beat in beats)


@pytest.fixture
def memory() -> Memory:
    return make()


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("data_unit_bytes", [64, 4096])
@pytest.mark.parametrize("asid", [0, 1, 2])
def test_encrypted_line(key_bits, data_unit_bytes, asid):
    memory = make(key_bits=key_bits, data_unit_bytes=data_unit_bytes)
    before = bytes(memory.dram.content)
    plaintext = random.Random(SEED).randbytes(64)
    assert memory.write(line(C | 0x1240, asid=asid), full(plaintext)) is Response.OKAY
    xts = XtsKey(*slot_keys(asid, key_bits // 8))
    first_block = 0x1240 % data_unit_bytes // 16
    expected = xts.encrypt_unit(plaintext, unit=0x1240 // data_unit_bytes, first_block=first_block)
    assert memory.dram.content == before[:0x1240] + expected + before[0x1280:]
    assert data_of(memory.read(line(C | 0x1240, asid=asid))) == plaintext
    assert memory.ciphertext(asid, C | 0x1240, plaintext) == memory.ciphertext(asid, 0x1240, plaintext) == expected


def test_plain_alias_and_other_keys_see_ciphertext(memory):
    plaintext = bytes(range(64))
    memory.write(line(C | 0x80, asid=1), full(plaintext))
    ciphertext = memory.ciphertext(1, 0x80, plaintext)
    assert data_of(memory.read(line(0x80))) == ciphertext
    assert data_of(memory.read(line(0x80, asid=1))) == ciphertext
    other = XtsKey(*slot_keys(2)).decrypt(ciphertext, address=0x80, data_unit_bytes=64)
    assert data_of(memory.read(line(C | 0x80, asid=2))) == other != plaintext


def test_corrupted_ciphertext_is_noise_of_its_block_without_an_error(memory):
    plaintext = random.Random(SEED).randbytes(64)
    memory.write(line(C | 0x80, asid=1), full(plaintext))
    memory.dram.content[0x9F] ^= 1
    seen = data_of(memory.read(line(C | 0x80, asid=1)))
    assert seen[:16] + seen[32:] == plaintext[:16] + plaintext[32:]
    assert sum(left == right for left, right in zip(seen[16:32], plaintext[16:32])) <= 2


def test_tsme_and_the_nested_c_bit_use_the_hosts_key(memory):
    plaintext = bytes(range(64))
    ciphertext = memory.ciphertext(0, 0x80, plaintext)
    memory.write(line(0x80, asid=1, npt_c=True), full(plaintext))
    assert memory.dram.content[0x80:0xC0] == ciphertext
    assert data_of(memory.read(line(0x80))) == ciphertext
    memory.set_mode(sme=True, tsme=True, sev=True)
    assert data_of(memory.read(line(0x80))) == plaintext
    assert data_of(memory.read(line(0x80, asid=2))) == plaintext


@pytest.mark.parametrize("fields", [{"prot": 0b100}, {"walk": True}])
def test_fetches_and_walks_of_a_guest_are_private(memory, fields):
    plaintext = bytes(range(64))
    memory.write(line(C | 0x80, asid=1), full(plaintext))
    assert data_of(memory.read(line(0x80, asid=1, **fields))) == plaintext


def random_strobe(rng: random.Random, bus_bytes: int) -> int:
    """All bytes, any of them, some of the blocks, or none."""
    everything = (1 << bus_bytes) - 1
    blocks = sum(0xFFFF << place for place in range(0, bus_bytes, 16) if rng.random() < 0.5)
    return rng.choice([everything, rng.randrange(1 << bus_bytes), blocks, 0])


def random_access(rng: random.Random, widest: int) -> Access:
    """A well-formed access, aligned or not, of any kind of burst and beat."""
    size = rng.randrange(widest + 1)
    burst = rng.choice([Burst.FIXED, Burst.INCR, Burst.WRAP])
    if burst == Burst.WRAP:
        length = rng.choice([2, 4, 8, 16])
        offset = rng.randrange(4096 >> size) << size
    else:
        length = rng.randrange(1, 17)
        offset = rng.randrange(4096 - (length << size) + 1)
    return Access(address=rng.choice([0, C]) | rng.randrange(SIZE_BYTES // 4096) * 4096 + offset,
                  asid=rng.randrange(3), length=length, size=size, burst=burst)


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("data_unit_bytes", [64, 4096])
@pytest.mark.parametrize("bus_bytes", [16, 32, 64])
def test_random_writes_change_their_bytes_and_no_others(bus_bytes, key_bits, data_unit_bytes):
    """After each write the block is decrypted byte by byte from DRAM: strobed bytes are new, all others as before."""
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    memory = make(key_bits=key_bits, data_unit_bytes=data_unit_bytes, data_width=8 * bus_bytes)
    keys = [XtsKey(*slot_keys(slot, key_bits // 8)) for slot in range(3)]
    for _ in range(400):
        access = random_access(rng, bus_bytes.bit_length() - 1)
        lanes = burst_beats(access.address & ~C, access.length, access.size, access.burst, bus_bytes)
        beats = [WriteBeat(rng.randbytes(bus_bytes), beat.lanes & random_strobe(rng, bus_bytes)) for beat in lanes]
        written = {}
        for (container, _), (data, strobe) in zip(lanes, beats):
            written |= {container + lane: data[lane] for lane in range(bus_bytes) if strobe >> lane & 1}
        before = bytes(memory.dram.content)
        assert memory.write(access, beats) is Response.OKAY
        after = memory.dram.content

        touched = {address & -16 for address in written}
        for block in sorted({container + place for container, _ in lanes for place in range(0, bus_bytes, 16)}):
            old, new = before[block:block + 16], bytes(after[block:block + 16])
            if block not in touched:
                assert new == old
                continue
            if access.address & C:
                old = keys[access.asid].decrypt(old, address=block, data_unit_bytes=data_unit_bytes)
                new = keys[access.asid].decrypt(new, address=block, data_unit_bytes=data_unit_bytes)
            assert list(new) == [written.get(block + lane, old[lane]) for lane in range(16)]
        low, high = min(lanes).container, max(lanes).container + bus_bytes
        assert after[:low] == before[:low]
        assert after[high:] == before[high:]

        for (container, lane_mask), beat in zip(lanes, memory.read(access)):
            assert beat.lanes == lane_mask
            for lane in range(bus_bytes):
                if container + lane in written:
                    assert beat.data[lane] == written[container + lane]


def test_fixed_burst_keeps_the_last_byte(memory):
    access = Access(address=C | 0x104, size=2, length=3, burst=Burst.FIXED)
    beats = [WriteBeat(bytes([value] * 16), strobe) for value, strobe in [(1, 0x00F0), (2, 0x0030), (3, 0x0010)]]
    assert memory.write(access, beats) is Response.OKAY
    assert memory.read(Access(address=C | 0x100))[0].data[4:8] == bytes([3, 2, 1, 1])


def test_wrap_begins_with_the_critical_word(memory):
    memory.write(line(C | 0x100), full(bytes(range(64))))
    beats = memory.read(line(C | 0x120, burst=Burst.WRAP))
    assert [beat.data[0] for beat in beats] == [0x20, 0x30, 0x00, 0x10]


DENIED = {
    Violation.MALFORMED: line(C | 0x100, burst=Burst.RESERVED),
    Violation.ADDRESS: line(1 << 48 | 0x100),
    Violation.ASID_RANGE: line(C | 0x100, asid=16),
    Violation.SEV_OFF: line(C | 0x100, asid=1),
    Violation.SLOT_INACTIVE: line(C | 0x100, asid=3),
    Violation.DMA_PRIVATE: line(C | 0x100, asid=1, dma=True),
    Violation.SME_OFF: line(C | 0x100),
}


@pytest.mark.parametrize("kind", Violation)
@pytest.mark.parametrize("lock", [False, True])
def test_denied(kind, lock):
    memory = Memory(size_bytes=SIZE_BYTES, addr_width=52)
    memory.dram.content[:] = random.Random(SEED).randbytes(SIZE_BYTES)
    for slot in range(3):
        memory.install(slot, *slot_keys(slot))
    memory.set_mode(sme=kind is not Violation.SME_OFF, tsme=False, sev=kind is not Violation.SEV_OFF)
    memory.release()
    before = bytes(memory.dram.content)
    given = DENIED[kind]
    access = Access(address=given.address, asid=given.asid, dma=given.dma, length=4, burst=given.burst, id=9, lock=lock)
    response = Response.DECERR if kind is Violation.ADDRESS else Response.SLVERR
    assert memory.read(access) == [ReadBeat(ONES, ALL_LANES, response)] * 4
    assert memory.write(access, full(bytes(64))) is response
    assert memory.dram.content == before
    assert memory.violations.counts == {each: 2 if each is kind else 0 for each in Violation}
    assert memory.violations.first == FirstViolation(
        kind, asid=access.asid, address=access.address, write=False, id=9)


def test_first_violation_stays_and_counters_saturate():
    memory = make(counter_bits=2)
    memory.write(line(C | 0x40, asid=7, id=3), full(bytes(64)))
    for _ in range(5):
        memory.read(line(C | 0x80, asid=1, dma=True))
    assert memory.violations.first == FirstViolation(
        Violation.SLOT_INACTIVE, asid=7, address=C | 0x40, write=True, id=3)
    assert memory.violations.counts[Violation.SLOT_INACTIVE] == 1
    assert memory.violations.counts[Violation.DMA_PRIVATE] == 3


def test_record_and_counts_are_cleared_apart(memory):
    memory.read(line(C | 0x40, asid=7))
    memory.violations.clear_record()
    assert memory.violations.counts[Violation.SLOT_INACTIVE] == 1
    memory.read(line(C | 0x80, asid=8))
    memory.violations.clear_counts()
    assert memory.violations.first == FirstViolation(
        Violation.SLOT_INACTIVE, asid=8, address=C | 0x80, write=False, id=0)
    assert not any(memory.violations.counts.values())


def test_reset_forgets_everything_but_dram(memory):
    memory.write(line(C | 0x40), full(bytes(64)))
    memory.read(line(C | 0x80, asid=7))
    memory.lock()
    before = bytes(memory.dram.content)
    memory.reset()
    assert memory.dram.content == before
    assert memory.mode == Mode()
    assert not memory.locked
    assert not memory.released
    assert memory.violations.first is None
    assert not any(memory.violations.counts.values())
    assert {memory.slots.state(slot) for slot in range(16)} == {SlotState.EMPTY}


def test_nothing_is_accepted_before_release():
    memory = make(released=False)
    with pytest.raises(BusWaitsError, match=r"^Access must come after release, not before$"):
        memory.read(line(0))
    with pytest.raises(BusWaitsError, match=r"^Access must come after release, not before$"):
        memory.write(line(0), full(bytes(64)))
    assert memory.violations.first is None


def test_lock_freezes_the_mode(memory):
    memory.lock()
    with pytest.raises(ValueError, match=r"^Mode must be set before it is locked, not after$"):
        memory.set_mode(sme=False, tsme=False, sev=False)
    assert memory.mode.sme


@pytest.mark.parametrize("error", [Response.SLVERR, Response.DECERR])
def test_dram_error_on_a_read(memory, error):
    memory.write(Access(address=C | 0x100, length=8), full(bytes(range(128))))
    memory.dram.read_errors[0x140] = error
    encrypted = memory.read(Access(address=C | 0x100, length=8))
    assert data_of(encrypted[:4]) == bytes(range(64))
    assert encrypted[4:] == [ReadBeat(ONES, ALL_LANES, error)] * 4
    narrow = memory.read(Access(address=C | 0x143, size=0))
    assert narrow == [ReadBeat(ONES, ALL_LANES, error)]
    plain = memory.read(Access(address=0x138, size=3, length=2))
    content = memory.dram.content
    assert plain == [ReadBeat(content[0x130:0x140], 0xFF00, Response.OKAY),
                     ReadBeat(content[0x140:0x150], 0x00FF, error)]


@pytest.mark.parametrize("error", [Response.SLVERR, Response.DECERR])
def test_dram_error_on_the_read_of_a_partial_write(memory, error):
    """Nothing of the line is written, whole blocks included; the burst's other lines are."""
    memory.dram.read_errors[0x140] = error
    before = bytes(memory.dram.content)
    plaintext = random.Random(SEED).randbytes(128)
    beats = full(plaintext)
    beats[5] = WriteBeat(beats[5].data, 0x7FFF)
    assert memory.write(Access(address=C | 0x100, length=8), beats) is Response.SLVERR
    assert memory.dram.content == before[:0x100] + memory.ciphertext(0, 0x100, plaintext[:64]) + before[0x140:]
    assert memory.write(line(C | 0x140), full(plaintext[64:])) is Response.OKAY
    assert memory.dram.content[0x140:0x180] == memory.ciphertext(0, 0x140, plaintext[64:])


def test_line_whose_read_failed_is_still_answered_by_dram(memory):
    before = bytes(memory.dram.content)
    memory.dram.read_errors[0x100] = Response.SLVERR
    memory.dram.write_errors[0x100] = Response.DECERR
    assert memory.write(Access(address=C | 0x100), [WriteBeat(bytes(16), 1)]) is Response.DECERR
    assert memory.write(Access(address=C | SIZE_BYTES), [WriteBeat(bytes(16), 1)]) is Response.DECERR
    assert memory.dram.content == before


def test_whole_and_unstrobed_blocks_need_no_read(memory):
    memory.dram.read_errors |= {0x100: Response.SLVERR, 0x140: Response.DECERR}
    before = bytes(memory.dram.content)
    beats = full(bytes(range(128)))
    beats[1] = WriteBeat(beats[1].data, 0)
    beats[4:] = [WriteBeat(bytes(16), 0)] * 4
    assert memory.write(Access(address=C | 0x100, length=8), beats) is Response.OKAY
    ciphertext = memory.ciphertext(0, 0x100, bytes(range(64)))
    assert memory.dram.content[0x100:0x140] == ciphertext[:16] + before[0x110:0x120] + ciphertext[32:]
    assert memory.dram.content[0x140:] == before[0x140:]


@pytest.mark.parametrize("c", [0, C])
def test_worst_dram_error_on_a_write(memory, c):
    before = bytes(memory.dram.content)
    memory.dram.write_errors[0x140] = Response.SLVERR
    assert memory.write(Access(address=c | 0x100, length=8), full(bytes(128))) is Response.SLVERR
    assert memory.dram.content[0x100:0x140] != before[0x100:0x140]
    assert memory.dram.content[0x140:] == before[0x140:]
    memory.dram.write_errors[0x100] = Response.DECERR
    assert memory.write(Access(address=c | 0x100, length=8), full(bytes(128))) is Response.DECERR


def test_dram_may_begin_anywhere():
    base = 0x1234_5678_0000
    memory = Memory(size_bytes=SIZE_BYTES, base=base)
    memory.release()
    data = bytes(range(64))
    assert memory.write(line(base + 0x40), full(data)) is Response.OKAY
    assert memory.dram.content[0x40:0x80] == memory.dram.fetch(base + 0x40, 64) == data
    assert data_of(memory.read(line(base + 0x40))) == data
    for outside in (0x40, base - 64, base + SIZE_BYTES):
        assert {beat.response for beat in memory.read(line(outside))} == {Response.DECERR}
        assert memory.write(line(outside), full(data)) is Response.DECERR
    assert bytes(memory.dram.content).count(0) == SIZE_BYTES - 63


@pytest.mark.parametrize("c", [0, C])
def test_beyond_the_end_of_dram(c):
    memory = Memory(size_bytes=64)
    memory.install(0, *slot_keys(0))
    memory.set_mode(sme=True, tsme=False, sev=False)
    memory.release()
    access = Access(address=c, length=8)
    assert memory.write(access, full(bytes(range(128)))) is Response.DECERR
    answer = memory.read(access)
    assert data_of(answer[:4]) == bytes(range(64))
    assert {beat.response for beat in answer[4:]} == {Response.DECERR}
    assert {beat.data for beat in answer[4:]} == {ONES if c else bytes(16)}
    assert len(memory.dram.content) == 64


def test_exclusive(memory):
    memory.write(line(C | 0x100), full(bytes(range(64))))
    before = bytes(memory.dram.content)
    assert data_of(memory.read(line(C | 0x100, lock=True))) == bytes(range(64))
    assert memory.write(line(C | 0x100, lock=True), full(bytes(64))) is Response.OKAY
    assert memory.dram.content == before
    assert memory.write(line(0x100, lock=True), full(bytes(64))) is Response.OKAY
    assert memory.dram.content[0x100:0x140] == bytes(64)


def test_retire_lets_accesses_in_flight_finish(memory):
    memory.write(line(C | 0x100, asid=1), full(bytes(range(64))))
    expected = memory.ciphertext(1, 0x140, bytes(64))
    read = memory.accept(line(C | 0x100, asid=1), write=False)
    write = memory.accept(line(C | 0x140, asid=1), write=True)
    memory.retire(1)
    assert memory.slots.state(1) is SlotState.RETIRING
    assert memory.read(line(C | 0x100, asid=1))[0].response is Response.SLVERR
    assert memory.violations.counts[Violation.SLOT_INACTIVE] == 1
    assert data_of(memory.finish_read(read)) == bytes(range(64))
    assert memory.slots.state(1) is SlotState.RETIRING
    assert memory.finish_write(write, full(bytes(64))) is Response.OKAY
    assert memory.dram.content[0x140:0x180] == expected
    assert memory.slots.state(1) is SlotState.EMPTY


@pytest.mark.parametrize("reinstalled", [False, True])
def test_zeroize_refuses_accesses_in_flight(memory, reinstalled):
    """Also where the slot has a new key by then; and none of it is a violation."""
    read = memory.accept(line(C | 0x100, asid=1), write=False)
    write = memory.accept(line(C | 0x140, asid=1), write=True)
    exclusive = memory.accept(line(C | 0x140, asid=1, lock=True), write=True)
    plain = memory.accept(line(0x180, asid=1), write=False)
    memory.zeroize(1)
    if reinstalled:
        memory.install(1, *slot_keys(9))
    before = bytes(memory.dram.content)
    assert memory.finish_read(read) == [ReadBeat(ONES, ALL_LANES, Response.SLVERR)] * 4
    assert memory.finish_write(write, full(bytes(64))) is Response.SLVERR
    assert memory.finish_write(exclusive, full(bytes(64))) is Response.SLVERR
    assert data_of(memory.finish_read(plain)) == before[0x180:0x1C0]
    assert memory.dram.content == before
    assert memory.violations.first is None
    assert memory.slots.state(1) is (SlotState.ACTIVE if reinstalled else SlotState.EMPTY)


def test_old_ciphertext_under_a_reused_slot_is_junk(memory):
    memory.write(line(C | 0x100, asid=1), full(bytes(64)))
    memory.retire(1)
    memory.install(1, *slot_keys(9))
    assert data_of(memory.read(line(C | 0x100, asid=1))) != bytes(64)


@pytest.mark.parametrize(("arguments", "text"), [
    ({"size_bytes": 0}, "size_bytes must be a positive multiple of 64, not 0"),
    ({"size_bytes": 96}, "size_bytes must be a positive multiple of 64, not 96"),
    ({"base": 32}, "base must be a multiple of 64, not 32"),
    ({"base": -64}, "base must be a multiple of 64, not -64"),
    ({"c_bit": 48}, "c_bit must be from 12 to 47, not 48"),
    ({"c_bit": 11}, "c_bit must be from 12 to 47, not 11"),
    ({"key_bits": 192}, "key_bits must be 128 or 256, not 192"),
    ({"data_width": 64}, "data_width must be 128, 256 or 512, not 64"),
    ({"data_unit_bytes": 512}, "data_unit_bytes must be 64 or 4096, not 512"),
    ({"counter_bits": 0}, "counter_bits must be 1 or more, not 0"),
])
def test_parameter_refusals(arguments, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        Memory(**({"size_bytes": 64} | arguments))


def test_call_refusals(memory):
    with pytest.raises(ValueError, match=r"^Address must be of 48 bits, not 0x1000000000000$"):
        memory.read(line(1 << 48))
    with pytest.raises(ValueError, match=r"^Beats must be as many as the burst's length \(4\), not 3$"):
        memory.write(line(C, asid=1), full(bytes(48)))
    memory.retire(1)
    assert memory.slots.state(1) is SlotState.EMPTY
    with pytest.raises(ValueError, match=r"^Slot 5 must be active or retiring, not empty$"):
        memory.ciphertext(5, 0, bytes(16))
