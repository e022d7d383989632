"""The model's AES-XTS against OpenSSL on random cases, and its refusals."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cbit_model.throughput import megabytes_per_second, memory_megabytes_per_second, microseconds_per_line
from cbit_model.xts import BLOCK_BYTES, XtsKey

SEED = 1619
CHUNK_BYTES = 1024 * 1024


def openssl_units(key: bytes, tweak_key: bytes, data: bytes, address: int, data_unit_bytes: int) -> bytes:
    """Encrypt ``data`` at ``address`` with OpenSSL, a whole data unit at a time."""
    lead = address % data_unit_bytes
    padded = bytes(lead) + data
    padded += bytes(-len(padded) % data_unit_bytes)
    encrypted = b""
    for offset in range(0, len(padded), data_unit_bytes):
        unit = (address - lead + offset) // data_unit_bytes
        encryptor = Cipher(algorithms.AES(key + tweak_key), modes.XTS(unit.to_bytes(16, "little"))).encryptor()
        encrypted += encryptor.update(padded[offset:offset + data_unit_bytes]) + encryptor.finalize()
    return encrypted[lead:lead + len(data)]


@pytest.mark.parametrize("key_bytes", [16, 32])
@pytest.mark.parametrize("data_unit_bytes", [16, 48, 64, 512, 4096])
def test_random_buffers(key_bytes, data_unit_bytes):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    for _ in range(150):
        key, tweak_key = rng.randbytes(key_bytes), rng.randbytes(key_bytes)
        address = rng.randrange(1 << rng.randrange(8, 52)) * BLOCK_BYTES
        data = rng.randbytes(BLOCK_BYTES * rng.choice([1, 2, 3, 4, 5, 16, 17, 255, 256, 257, rng.randrange(700)]))
        xts = XtsKey(key, tweak_key)
        expected = openssl_units(key, tweak_key, data, address, data_unit_bytes)
        assert xts.encrypt(data, address=address, data_unit_bytes=data_unit_bytes) == expected
        assert xts.decrypt(expected, address=address, data_unit_bytes=data_unit_bytes) == data


@pytest.mark.parametrize("key_bytes", [16, 32])
@pytest.mark.parametrize("data_unit_bytes", [64, 4096])
def test_random_lines_of_a_unit(key_bytes, data_unit_bytes):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    for _ in range(300):
        key, tweak_key = rng.randbytes(key_bytes), rng.randbytes(key_bytes)
        unit = rng.randrange(1 << rng.choice([8, 33, 58]))
        first_block = rng.randrange(data_unit_bytes // BLOCK_BYTES)
        data = rng.randbytes(rng.randrange(data_unit_bytes // BLOCK_BYTES - first_block + 1) * BLOCK_BYTES)
        address = unit * data_unit_bytes + first_block * BLOCK_BYTES
        expected = openssl_units(key, tweak_key, data, address, data_unit_bytes)
        xts = XtsKey(key, tweak_key)
        assert xts.encrypt_unit(data, unit=unit, first_block=first_block) == expected
        assert xts.decrypt_unit(expected, unit=unit, first_block=first_block) == data


@pytest.mark.parametrize("data_unit_bytes", [64, 4096])
def test_long_buffer_is_seamless(data_unit_bytes):
    """A buffer of several internal pieces, from the middle of a unit, equals its parts."""
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    xts = XtsKey(rng.randbytes(16), rng.randbytes(16))
    address = 5 * CHUNK_BYTES + 48
    data = rng.randbytes(2 * CHUNK_BYTES + 96)
    whole = xts.encrypt(data, address=address, data_unit_bytes=data_unit_bytes)
    assert xts.decrypt(whole, address=address, data_unit_bytes=data_unit_bytes) == data
    offset = 0
    while offset < len(data):
        end = min(len(data), offset + rng.randrange(1, 6000) * BLOCK_BYTES)
        part = xts.encrypt(data[offset:end], address=address + offset, data_unit_bytes=data_unit_bytes)
        assert part == whole[offset:end]
        offset = end


def test_top_of_the_address_space():
    key, tweak_key, data = bytes(16), bytes([1] * 16), bytes(512)
    address = (1 << 64) - len(data)
    encrypted = XtsKey(key, tweak_key).encrypt(data, address=address, data_unit_bytes=64)
    assert encrypted == openssl_units(key, tweak_key, data, address, 64)
    with pytest.raises(ValueError, match=r"^Address must be a multiple of 16 with its data below 2\^64, not 0x"):
        XtsKey(key, tweak_key).encrypt(data, address=address + BLOCK_BYTES, data_unit_bytes=64)


def test_empty_and_every_bytes_like():
    xts = XtsKey(bytes(16), bytes([1] * 16))
    assert xts.encrypt(b"", address=0, data_unit_bytes=64) == b""
    for size in (64, 1024):
        expected = xts.encrypt(bytes(size), address=0, data_unit_bytes=64)
        assert xts.encrypt(bytearray(size), address=0, data_unit_bytes=64) == expected
        assert xts.encrypt(memoryview(bytes(size)), address=0, data_unit_bytes=64) == expected


@pytest.mark.parametrize(("key", "tweak_key", "text"), [
    (bytes(24), bytes(24), "Key must be 16 or 32 bytes, not 24"),
    (bytes(0), bytes(16), "Key must be 16 or 32 bytes, not 0"),
    (bytes(16), bytes(32), r"Tweak key must be as long as the key \(16 bytes\), not 32"),
    (b"secret, secret!!", b"secret, secret!!", "Tweak key must be different from the key, not equal to it"),
])
def test_key_refusals(key, tweak_key, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        XtsKey(key, tweak_key)


@pytest.mark.parametrize(("size", "address", "data_unit_bytes", "text"), [
    (15, 0, 64, "Data must be a multiple of 16 bytes, not 15"),
    (1000, 0, 64, "Data must be a multiple of 16 bytes, not 1000"),
    (16, 8, 64, "Address must be a multiple of 16 with its data below 2\\^64, not 0x8"),
    (16, -16, 64, "Address must be a multiple of 16 with its data below 2\\^64, not -0x10"),
    (16, 0, 0, "Data unit must be a positive multiple of 16 bytes, not 0"),
    (16, 0, 40, "Data unit must be a positive multiple of 16 bytes, not 40"),
])
def test_buffer_refusals(size, address, data_unit_bytes, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        XtsKey(bytes(16), bytes([1] * 16)).encrypt(bytes(size), address=address, data_unit_bytes=data_unit_bytes)


@pytest.mark.parametrize(("unit", "first_block", "text"), [
    (-1, 0, "Data unit number must be from 0 to 2\\^128 - 1, not -1"),
    (1 << 128, 0, f"Data unit number must be from 0 to 2\\^128 - 1, not {1 << 128}"),
    (0, -1, "First block must be 0 or more, not -1"),
])
def test_unit_refusals(unit, first_block, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        XtsKey(bytes(16), bytes([1] * 16)).encrypt_unit(bytes(16), unit=unit, first_block=first_block)


def test_throughput_is_measured():
    assert megabytes_per_second(key_bits=128, data_unit_bytes=64, data_bytes=4096) > 0
    assert microseconds_per_line(key_bits=256, data_unit_bytes=4096, calls=10) > 0
    assert memory_megabytes_per_second(write=True, burst_bytes=4096, calls=3) > 0
    assert memory_megabytes_per_second(write=False, burst_bytes=64, calls=10) > 0
