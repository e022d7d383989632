"""AES-XTS (IEEE Std 1619-2018) over buffers of whole blocks, from any block of a data unit."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from Crypto.Cipher import AES
from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "Buffer", "XtsKey"]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""What the model takes as bytes."""

BLOCK_BYTES: Final = 16
"""Bytes of an AES block."""

_ADDRESS_LIMIT = 1 << 64
_UNIT_LIMIT = 1 << 128

_SMALL_BYTES = 256
"""Up to here, within one data unit, whole-number arithmetic is quicker than numpy's set-up."""

_CHUNK_BYTES = 1024 * 1024
"""Longer buffers are worked on in pieces of this size: fewer calls, while the processor's cache still helps."""

_MAX_STEP = 32
"""Powers of alpha that :func:`_times_alpha` takes at once; its carry then stays within 64 bits."""

_Cipher: TypeAlias = Callable[[Any], bytes]


class XtsKey:
    """The two AES keys of XTS, expanded.

    A data unit is numbered; its number, as 16 little-endian bytes, is the tweak (IEEE 1619, 5.1).
    Block ``j`` of a unit is whitened by ``E(K2, number) * alpha^j``.

    Parameters
    ----------
    key : :class:`bytes`
        K1, for the data. 16 or 32 bytes.
    tweak_key : :class:`bytes`
        K2, for the tweak. As long as ``key`` and different from it.

    Raises
    ------
    ValueError
        If a length is wrong or the keys are equal. No text ever holds a byte of a key.
    """

    def __init__(self, key: bytes, tweak_key: bytes) -> None:
        if len(key) not in (16, 32):
            raise ValueError(f"Key must be 16 or 32 bytes, not {len(key)}")
        if len(tweak_key) != len(key):
            raise ValueError(f"Tweak key must be as long as the key ({len(key)} bytes), not {len(tweak_key)}")
        if key == tweak_key:
            raise ValueError("Tweak key must be different from the key, not equal to it")
        self._data_cipher = AES.new(key, AES.MODE_ECB)
        self._tweak_cipher = AES.new(tweak_key, AES.MODE_ECB)

    def encrypt(self, data: Buffer, *, address: int, data_unit_bytes: int) -> bytes:
        """Encrypt what lies at ``address``, across as many data units as it covers.

        Parameters
        ----------
        data : bytes-like
            Whole blocks: a multiple of 16 bytes.
        address : :class:`int`
            Where ``data`` begins. A multiple of 16; the end is at most 2^64.
        data_unit_bytes : :class:`int`
            Bytes of a data unit, a multiple of 16. Unit ``n`` begins at ``n * data_unit_bytes``.

        Raises
        ------
        ValueError
            If an argument is outside its range.
        """
        return self._crypt(self._data_cipher.encrypt, data, address, data_unit_bytes)

    def decrypt(self, data: Buffer, *, address: int, data_unit_bytes: int) -> bytes:
        """The inverse of :meth:`encrypt`, with the same arguments."""
        return self._crypt(self._data_cipher.decrypt, data, address, data_unit_bytes)

    def encrypt_unit(self, data: Buffer, *, unit: int, first_block: int = 0) -> bytes:
        """Encrypt blocks of one data unit.

        Parameters
        ----------
        data : bytes-like
            Whole blocks: a multiple of 16 bytes.
        unit : :class:`int`
            Number of the data unit. 0 to 2^128 - 1.
        first_block : :class:`int`
            The block of the unit that ``data`` begins with. Not negative.

        Raises
        ------
        ValueError
            If an argument is outside its range.
        """
        return self._crypt_unit(self._data_cipher.encrypt, data, unit, first_block)

    def decrypt_unit(self, data: Buffer, *, unit: int, first_block: int = 0) -> bytes:
        """The inverse of :meth:`encrypt_unit`, with the same arguments."""
        return self._crypt_unit(self._data_cipher.decrypt, data, unit, first_block)

    def _crypt(self, cipher: _Cipher, data: Buffer, address: int, data_unit_bytes: int) -> bytes:
        size = len(data)
        if data_unit_bytes <= 0 or data_unit_bytes % BLOCK_BYTES:
            raise ValueError(f"Data unit must be a positive multiple of {BLOCK_BYTES} bytes, not {data_unit_bytes}")
        if address % BLOCK_BYTES or not 0 <= address <= _ADDRESS_LIMIT - size:
            raise ValueError(f"Address must be a multiple of {BLOCK_BYTES} with its data below 2^64, not {address:#x}")
        unit, offset = divmod(address, data_unit_bytes)
        if size <= _SMALL_BYTES and offset + size <= data_unit_bytes:
            return self._crypt_unit(cipher, data, unit, offset // BLOCK_BYTES)
        _require_whole_blocks(size)
        view = memoryview(data)
        result = bytearray(size)
        for begin in range(0, size, _CHUNK_BYTES):
            end = min(size, begin + _CHUNK_BYTES)
            tweaks = self._tweaks(address + begin, (end - begin) // BLOCK_BYTES, data_unit_bytes)
            whitened = np.frombuffer(view[begin:end], dtype="<u8") ^ tweaks
            crypted = np.frombuffer(cipher(whitened.view(np.uint8).data), dtype="<u8")
            result[begin:end] = (crypted ^ tweaks).view(np.uint8).data
        return bytes(result)

    def _crypt_unit(self, cipher: _Cipher, data: Buffer, unit: int, first_block: int) -> bytes:
        size = len(data)
        _require_whole_blocks(size)
        if not 0 <= unit < _UNIT_LIMIT:
            raise ValueError(f"Data unit number must be from 0 to 2^128 - 1, not {unit}")
        if first_block < 0:
            raise ValueError(f"First block must be 0 or more, not {first_block}")
        encrypted = self._tweak_cipher.encrypt(unit.to_bytes(BLOCK_BYTES, "little"))
        tweak = _times_alpha_power(int.from_bytes(encrypted, "little"), first_block)
        tweaks = 0
        for position in range(0, 8 * size, 128):
            tweaks |= tweak << position
            tweak = _times_alpha_power(tweak, 1)
        whitened = int.from_bytes(data, "little") ^ tweaks
        crypted = cipher(whitened.to_bytes(size, "little"))
        return (int.from_bytes(crypted, "little") ^ tweaks).to_bytes(size, "little")

    def _tweaks(self, address: int, blocks: int, data_unit_bytes: int) -> NDArray[np.uint64]:
        """The tweaks of ``blocks`` blocks from ``address`` on, two little-endian halves each, end to end."""
        unit_blocks = data_unit_bytes // BLOCK_BYTES
        first_unit, skipped = divmod(address // BLOCK_BYTES, unit_blocks)
        units = -(-(skipped + blocks) // unit_blocks)
        numbers = np.zeros((units, 2), dtype="<u8")
        numbers[:, 0] = np.arange(units, dtype="<u8") + np.uint64(first_unit)
        encrypted = self._tweak_cipher.encrypt(numbers.view(np.uint8).reshape(-1).data)
        tweaks = np.empty((units, unit_blocks, 2), dtype="<u8")
        tweaks[:, 0] = np.frombuffer(encrypted, dtype="<u8").reshape(units, 2)
        known = 1
        while known < unit_blocks:
            step = min(known, _MAX_STEP)
            count = min(step, unit_blocks - known)
            _times_alpha(tweaks[:, known - step:known - step + count], step, tweaks[:, known:known + count])
            known += count
        return tweaks.reshape(-1)[2 * skipped:2 * (skipped + blocks)]


def _require_whole_blocks(size: int) -> None:
    if size % BLOCK_BYTES:
        raise ValueError(f"Data must be a multiple of {BLOCK_BYTES} bytes, not {size}")


def _times_alpha_power(tweak: int, power: int) -> int:
    """``tweak * alpha^power``, where bit ``i`` of a number is the coefficient of x^i (IEEE 1619, 5.2)."""
    tweak <<= power
    while overflow := tweak >> 128:
        tweak = (tweak & (_UNIT_LIMIT - 1)) ^ overflow ^ overflow << 1 ^ overflow << 2 ^ overflow << 7
    return tweak


def _times_alpha(tweaks: NDArray[np.uint64], power: int, products: NDArray[np.uint64]) -> None:
    """Write ``tweaks * alpha^power`` into ``products``, for ``power`` from 1 to ``_MAX_STEP``."""
    low, high = tweaks[..., 0], tweaks[..., 1]
    overflow = high >> (64 - power)
    products[..., 1] = high << power | low >> (64 - power)
    products[..., 0] = low << power ^ overflow ^ overflow << 1 ^ overflow << 2 ^ overflow << 7
