"""The scoreboard accepts every legal outcome of overlapping accesses, and no other."""

import pytest

from cbit_model.access import Access
from cbit_model.memory import Memory
from cbit_sim.beats import Address, WriteData
from cbit_sim.manager import Transaction
from cbit_sim.scoreboard import MismatchError, Scoreboard
from cbit_sim.traffic import owner_mask, user_bits

_C_BIT = 1 << 47
_IDS = 4
_BYTE_LANES_LINE = 0x40 * 6
"""A line whose blocks the IDs share byte by byte."""


@pytest.fixture
def model() -> Memory:
    memory = Memory(size_bytes=8192)
    memory.dram.content[:] = bytes(range(256)) * 32
    for slot in (0, 1):
        memory.install(slot, bytes([slot + 1]) * 16, bytes([slot + 101]) * 16)
    memory.set_mode(sme=True, tsme=False, sev=True)
    memory.release()
    return memory


@pytest.fixture
def board(model) -> Scoreboard:
    return Scoreboard(model, owner_mask=lambda block, identifier: owner_mask(block, identifier, _IDS), asid_width=4,
                      ids=range(_IDS), replay="make it again")


def _read(start: int, *, identifier: int = 0, asid: int = 0, begun: int = 0, length: int = 1) -> Transaction:
    return Transaction(Address(identifier, start | _C_BIT, length - 1, user=user_bits(4, asid=asid)), begun=begun)


def _write(start: int, data: int, strobe: int = 0xFFFF, *, identifier: int = 0, begun: int = 0, lock: int = 0,
           c_bit: int = _C_BIT) -> Transaction:
    return Transaction(Address(identifier, start | c_bit, 0, lock=lock), [WriteData(data, strobe, 1)], begun=begun)


def _end(board: Scoreboard, transaction: Transaction, *, at: int = 1, read: int | None = None, resp: int = 0) -> None:
    transaction.ended = at
    transaction.responses = [resp]
    transaction.read = [] if read is None else [read]
    board.end(transaction)


def _plaintext(model: Memory, block: int) -> int:
    return int.from_bytes(model.read(Access(address=block | _C_BIT))[0].data, "little")


def test_right_answers_are_judged_right(board, model):
    write, read = _write(0, 0x1234), _read(0, begun=5)
    board.begin(write)
    _end(board, write, at=4)
    board.begin(read)
    _end(board, read, at=9, read=0x1234)
    board.settle(bytearray(model.dram.content))
    assert board.judged == 2


def test_wrong_data_is_named(board, model):
    read = _read(0x20, identifier=2)
    board.begin(read)
    expected = _plaintext(model, 0x20)
    with pytest.raises(MismatchError, match=rf"address 0x20, seen by read of .*id=2.*expected {expected:032x}, "
                                            rf"got {expected ^ 1:032x}; replay: make it again"):
        _end(board, read, read=expected ^ 1)


def test_wrong_responses_are_named(board):
    read, write = _read(0, asid=9), _write(0, 1)
    board.begin(read)
    with pytest.raises(MismatchError, match="expected SLVERR, got OKAY"):
        _end(board, read, read=(1 << 128) - 1)
    board.begin(write)
    with pytest.raises(MismatchError, match=r"seen by write of .*expected OKAY, got SLVERR"):
        _end(board, write, resp=2)


def test_denied_reads_are_all_ones(board):
    read = _read(0, asid=9)
    board.begin(read)
    with pytest.raises(MismatchError, match="got 00000000000000000000000000000000"):
        _end(board, read, read=0, resp=2)


def test_an_overlapping_read_sees_before_or_after(board, model):
    before = _plaintext(model, 0)
    for seen in (before, 77):
        write, read = _write(0, 77, begun=3), _read(0, identifier=1, begun=2)
        board.begin(read)
        board.begin(write)
        _end(board, read, at=5, read=seen)
        _end(board, write, at=6)


def test_a_read_after_a_write_sees_it(board, model):
    before = _plaintext(model, 0)
    write, read = _write(0, 77, begun=1), _read(0, identifier=1, begun=8)
    board.begin(write)
    _end(board, write, at=7)
    board.begin(read)
    with pytest.raises(MismatchError, match="recent writes"):
        _end(board, read, at=9, read=before)


def test_a_mixture_of_one_write_is_refused(board, model):
    before = _plaintext(model, 0)
    write, read = _write(0, 0), _read(0, identifier=1)
    board.begin(read)
    board.begin(write)
    with pytest.raises(MismatchError):
        _end(board, read, read=before & 0xFFFF)


def test_owners_are_independent(board, model):
    block = _BYTE_LANES_LINE
    masks = {identifier: owner_mask(block, identifier, _IDS) for identifier in range(2)}
    assert all(bin(mask).count("1") == 4 for mask in masks.values())
    before = _plaintext(model, block)
    writes = {identifier: _write(block, 0, mask, identifier=identifier) for identifier, mask in masks.items()}
    bytes_of = {identifier: sum(0xFF << 8 * lane for lane in range(16) if mask >> lane & 1)
                for identifier, mask in masks.items()}
    for write in writes.values():
        board.begin(write)
    for written in ((), (0,), (1,), (0, 1)):
        read = _read(block, identifier=3)
        board.begin(read)
        seen = before
        for identifier in written:
            seen &= ~bytes_of[identifier]
        _end(board, read, read=seen)


def test_lost_write_is_seen_in_dram(board, model):
    before = bytearray(model.dram.content)
    write = _write(0x30, 5)
    board.begin(write)
    _end(board, write)
    with pytest.raises(MismatchError, match="address 0x30, seen by DRAM"):
        board.settle(before)


def test_plain_exclusive_write_follows_its_response(board, model):
    for resp, expected in ((0, model.dram.content[0x50]), (1, 0xEE)):
        write = _write(0x50, 0xEE, 1, lock=1, c_bit=0)
        board.begin(write)
        _end(board, write, resp=resp)
        assert model.dram.content[0x50] == expected


def test_interrupted_accesses_may_fail(board, model):
    dram = bytearray(model.dram.content)
    read, write, other = _read(0x10), _write(0x20, 9), _read(0x10, asid=1)
    for transaction in (read, write, other):
        board.begin(transaction)
    board.interrupt(0)
    _end(board, read, read=(1 << 128) - 1, resp=2)
    _end(board, write, resp=2)
    board.settle(dram)
    assert bytes(model.dram.content[0x20:0x30]) == bytes(dram[0x20:0x30])
    with pytest.raises(MismatchError, match="expected OKAY, got SLVERR"):
        _end(board, other, read=(1 << 128) - 1, resp=2)


def test_a_guest_without_its_slot_is_denied_plain_memory_too(board, model):
    before = _plaintext(model, 0x10)
    write = Transaction(Address(0, 0x10, 0, user=user_bits(4, asid=1)), [WriteData(7, 0xFFFF, 1)])
    board.begin(write)
    board.interrupt(1)
    _end(board, write, at=3, resp=2)
    for seen in (model.dram.content[0x10:0x20], bytes(range(0x10, 0x20))):
        read = Transaction(Address(2, 0x10, 0), begun=5)
        board.begin(read)
        _end(board, read, at=9, read=int.from_bytes(seen, "little"))
    assert before != _plaintext(model, 0x10)


def test_the_host_keeps_plain_memory_without_its_slot(board):
    read = Transaction(Address(0, 0x10, 0))
    board.begin(read)
    board.interrupt(0)
    with pytest.raises(MismatchError, match="expected OKAY, got SLVERR"):
        _end(board, read, read=(1 << 128) - 1, resp=2)


def test_interrupted_read_never_leaks(board):
    read = _read(0x10)
    board.begin(read)
    board.interrupt(0)
    with pytest.raises(MismatchError, match="expected OKAY, got SLVERR"):
        _end(board, read, read=3, resp=2)


def test_reset_leaves_old_or_new_bytes_only(board, model):
    dram = bytearray(model.dram.content)
    key = model.slots.key(0)
    board.begin(_write(0x20, 9))
    dram[0x20:0x30] = key.encrypt((9).to_bytes(16, "little"), address=0x20, data_unit_bytes=64)
    board.abandon(dram)
    board.begin(_write(0x40, 9))
    dram[0x40] ^= 1
    with pytest.raises(MismatchError, match="DRAM after a slot's end"):
        board.abandon(dram)
