"""What is called a leak, and what is not, of accesses that are made up."""

import random

import pytest

from cbit_model.xts import XtsKey
from cbit_sim.beats import Address, WriteData
from cbit_sim.manager import Transaction
from cbit_sim.upset import Evidence

PAGE_BYTES = 4096
C_BIT = 31
SLOTS = [1, 2, None]
"""Whose the three pages are."""

RNG = random.Random(1)
KEYS = {slot: XtsKey(RNG.randbytes(16), RNG.randbytes(16)) for slot in (0, 1, 2)}
DRAM = RNG.randbytes(PAGE_BYTES * len(SLOTS))
OTHER, NOISE = RNG.randbytes(16), RNG.randbytes(16)
SLVERR = 2


def number(data):
    return int.from_bytes(data, "little")


def block_at(address):
    return DRAM[address:address + 16]


def plaintext(address, slot):
    return KEYS[slot].decrypt(block_at(address), address=address, data_unit_bytes=64)


def ciphertext(data, address, slot):
    return KEYS[slot].encrypt(data, address=address, data_unit_bytes=64)


@pytest.fixture
def evidence():
    made = Evidence(KEYS, data_unit_bytes=64, c_bit=C_BIT)
    for page, slot in enumerate(SLOTS):
        start = page * PAGE_BYTES
        made.page(start, DRAM[start:start + PAGE_BYTES], slot)
    return made


def read(evidence, address, got, *, slot=None, is_denied=False, response=0):
    transaction = Transaction(Address(0, address | (slot is not None) << C_BIT, 0))
    evidence.begin(transaction, slot=slot, is_denied=is_denied)
    transaction.read, transaction.responses = [number(got)], [response]


def write(evidence, address, data, *, slot=None, is_denied=False, strobe=0xFFFF, response=0):
    transaction = Transaction(Address(0, address, 0), [WriteData(number(data), strobe, 1)])
    evidence.begin(transaction, slot=slot, is_denied=is_denied)
    transaction.responses = [response]


def leaks(evidence, content=DRAM, expected=DRAM):
    return list(evidence.leaks(content, expected, SLOTS, PAGE_BYTES))


def changed(address, data):
    return DRAM[:address] + data + DRAM[address + 16:]


def test_right_answers_and_noise_are_no_leaks(evidence):
    read(evidence, 0x10, plaintext(0x10, 1), slot=1)
    read(evidence, 0x2010, block_at(0x2010))
    read(evidence, 0x1010, b"\xFF" * 16, slot=2, response=SLVERR)
    read(evidence, 0x20, OTHER, slot=1)
    read(evidence, 0x30, b"\xFF" * 16, is_denied=True, response=SLVERR)
    # The slot's own data from another place, and public ones, harm no secret.
    read(evidence, 0x40, plaintext(0x50, 1), slot=1)
    read(evidence, 0x60, block_at(0x2020), slot=1)
    evidence.show(number(NOISE))
    assert leaks(evidence, changed(0x70, NOISE)) == []


@pytest.mark.parametrize("response", [0, SLVERR])
def test_plaintext_of_another_slot_is_a_leak_whatever_the_response(evidence, response):
    read(evidence, 0x10, plaintext(0x1010, 2), slot=1, response=response)
    (leak,) = leaks(evidence)
    assert leak.endswith("under slot 1 shows plaintext of slot 2")


def test_real_data_for_a_denied_access_are_a_leak(evidence):
    read(evidence, 0x10, plaintext(0x10, 1), is_denied=True)
    read(evidence, 0x2010, block_at(0x2010), is_denied=True)
    read(evidence, 0x1010, block_at(0x1010), is_denied=True)
    assert [leak.partition(" shows ")[2] for leak in leaks(evidence)] == [
        "plaintext of slot 1", "what it asks for", "what DRAM holds as it is"]


def test_a_read_around_its_key_or_under_another_is_a_leak(evidence):
    read(evidence, 0x10, block_at(0x10), slot=1)
    read(evidence, 0x20, plaintext(0x20, 2), slot=1)
    read(evidence, 0x2010, plaintext(0x2010, 0))
    assert [leak.partition(" shows what DRAM holds ")[2] for leak in leaks(evidence)] == [
        "as it is", "under the key of slot 2", "under the key of slot 0"]


def test_noise_with_an_error_is_no_leak(evidence):
    read(evidence, 0x20, plaintext(0x20, 2), slot=1, response=SLVERR)
    assert leaks(evidence) == []


def test_private_data_at_drams_port_are_a_leak(evidence):
    evidence.show(number(plaintext(0x10, 1)))
    write(evidence, 0x20, OTHER, slot=1)
    evidence.show(number(OTHER))
    shown = {leak.rpartition(": ")[0] for leak in leaks(evidence)}
    assert shown == {"DRAM's port shows plaintext of slot 1"}


def test_what_a_denied_write_brings_is_nobodys(evidence):
    write(evidence, 0x2010, OTHER, is_denied=True, response=SLVERR)
    evidence.show(number(OTHER))
    assert [leak.rpartition(": ")[0] for leak in leaks(evidence)] == ["DRAM's port shows plaintext of nobody"]


@pytest.mark.parametrize(("under", "text"), [(2, "under the key of slot 2"), (None, "as it is")])
def test_a_block_written_under_another_key_is_a_leak(evidence, under, text):
    write(evidence, 0x10, OTHER, slot=1)
    content = changed(0x10, OTHER if under is None else ciphertext(OTHER, 0x10, under))
    assert leaks(evidence, content, changed(0x10, ciphertext(OTHER, 0x10, 1))) == [
        f"DRAM holds data of slot 1 at 0x10 {text}"]


def test_a_part_of_a_block_written_under_another_key_is_a_leak(evidence):
    write(evidence, 0x10, OTHER, slot=1, strobe=0x00F0)
    merged = bytes(4) + OTHER[4:8] + bytes(8)
    assert leaks(evidence, changed(0x10, ciphertext(merged, 0x10, 2))) == [
        "DRAM holds data of slot 1 at 0x10 under the key of slot 2"]


def test_a_block_encrypted_anew_under_another_key_is_a_leak(evidence):
    content = changed(0x10, ciphertext(plaintext(0x10, 1), 0x10, 0))
    assert leaks(evidence, content) == ["DRAM holds data of slot 1 at 0x10 under the key of slot 0"]


def test_a_write_under_another_key_that_answers_an_error_is_told(evidence):
    write(evidence, 0x10, OTHER, slot=1, response=SLVERR)
    assert leaks(evidence, changed(0x10, ciphertext(OTHER, 0x10, 2))) == []


def test_a_write_that_is_lost_or_goes_elsewhere_under_its_own_key_is_no_leak(evidence):
    write(evidence, 0x10, OTHER, slot=1)
    assert leaks(evidence, DRAM, changed(0x10, ciphertext(OTHER, 0x10, 1))) == []
    assert leaks(evidence, changed(0x1010, ciphertext(OTHER, 0x1010, 1))) == []
