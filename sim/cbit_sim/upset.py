"""What an upset has made of an engine: whether data are right, and whether anything was shown to who must not see it.

The judge is the golden model with all keys at hand. Data are random: sixteen bytes that are the same are the same data.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cbit_model.access import BLOCK_BYTES, Response
from cbit_model.xts import XtsKey
from cbit_sim.beats import lanes_of
from cbit_sim.manager import Transaction

__all__ = ["Evidence", "Outcome", "Owner"]

_OKAY = (Response.OKAY, Response.EXOKAY)
_LEAST_BYTES = 4
"""So many bytes that are the same are not so by chance."""


class Outcome(enum.Enum):
    """What became of a trial, the worst that is true of it; ``LEAKING`` is the worst.

    ``MASKED``
        Everything is as the golden model says.
    ``SILENT``
        Data or the log are wrong, and nothing says so.
    ``DETECTED``
        The engine says that something is wrong, or breaks off.
    ``LEAKING``
        Private data are shown, or a key was used that is not the access's own, with OKAY.
    """

    MASKED = "masked"
    SILENT = "silent"
    DETECTED = "detected"
    LEAKING = "leaking"


class Owner(NamedTuple):
    """Whose data some are: the ``slot`` that they are private to, :data:`None` if they are not; the write that has
    brought them, if one has; and the block that they were meant for. What a denied write has brought belongs to nobody:
    ``is_denied``."""

    slot: int | None
    write: Transaction | None = None
    is_denied: bool = False
    block: int = -1

    @property
    def is_private(self) -> bool:
        """Whether only one slot may read them."""
        return self.slot is not None or self.is_denied

    def is_of(self, slot: int | None) -> bool:
        """Whether data under a slot's key, or plain ones, may be these."""
        return not self.is_denied and self.slot == slot


class _Part(NamedTuple):
    """Some bytes that a write gives a block."""

    value: int
    mask: int
    owner: Owner


@dataclass
class Evidence:
    """All of a trial that its judgment needs.

    Parameters
    ----------
    keys : mapping
        Slot to key, of all that have had one.
    data_unit_bytes : :class:`int`
        Bytes of an XTS data unit.
    c_bit : :class:`int`
        Position of the C-bit.
    """

    keys: Mapping[int, XtsKey]
    data_unit_bytes: int
    c_bit: int
    _owners: dict[int, Owner] = field(default_factory=dict)
    _parts: dict[int, list[_Part]] = field(default_factory=dict)
    _stored: set[int] = field(default_factory=set)
    _shown: set[int] = field(default_factory=set)
    _asked: dict[Transaction, Owner] = field(default_factory=dict)

    def page(self, address: int, content: bytes, slot: int | None) -> None:
        """Takes note of what DRAM holds at first, under the key of ``slot``."""
        plaintext = self._plaintext(content, address, slot)
        for start in range(0, len(content), BLOCK_BYTES):
            self._stored.add(_value(content[start:start + BLOCK_BYTES]))
            self._owners[_value(plaintext[start:start + BLOCK_BYTES])] = Owner(slot, block=address + start)

    def begin(self, transaction: Transaction, *, slot: int | None, is_denied: bool) -> None:
        """Takes note of an access and of what the model has decided on it."""
        owner = Owner(slot, transaction if transaction.is_write else None, is_denied)
        self._asked[transaction] = owner
        for beat, block, lanes in zip(transaction.data or (), *self._beats(transaction, is_denied), strict=False):
            self._owners[beat.data] = owner._replace(block=block)
            mask = _mask(beat.strb & lanes)
            self._parts.setdefault(block, []).append(_Part(beat.data, mask, owner))

    def show(self, value: int) -> None:
        """Takes note of a beat of write data that DRAM's port has shown."""
        self._shown.add(value)
        self._stored.add(value)

    def leaks(self, content: bytes, expected: bytes, slots: Sequence[int | None], page_bytes: int) -> Iterator[str]:
        """Each leak in words, given what DRAM holds in the end and should hold, and whose its pages are."""
        for value in self._shown:
            owner = self._owners.get(value)
            if owner is not None and owner.is_private:
                yield f"DRAM's port shows plaintext of {_whose(owner)}: {value:032x}"
        for transaction, asked in self._asked.items():
            if not transaction.is_write:
                yield from self._leaks_of_read(transaction, asked)
        for block in range(0, len(content), BLOCK_BYTES):
            holds, should = (memory[block:block + BLOCK_BYTES] for memory in (content, expected))
            if holds != should:
                yield from self._leaks_in_dram(block, holds, should, slots[block // page_bytes])

    def _leaks_of_read(self, transaction: Transaction, asked: Owner) -> Iterator[str]:
        blocks, _ = self._beats(transaction, asked.is_denied)
        for index, (value, response) in enumerate(zip(transaction.read, transaction.responses)):
            where = f"beat {index} of the read of {transaction.address} under {_whose(asked)}"
            owner = self._owners.get(value)
            if owner is not None and owner.is_private and (asked.is_denied or not owner.is_of(asked.slot)):
                yield f"{where} shows plaintext of {_whose(owner)}"
            elif owner is not None and not owner.is_private:
                if asked.is_denied and owner.block == blocks[index]:
                    yield f"{where} shows what it asks for"
            elif response in _OKAY:
                for slot in (None, *self.keys):
                    is_own = not asked.is_denied and slot == asked.slot
                    if not is_own and self._ciphertext(value, blocks[index], slot) in self._stored:
                        yield f"{where} shows what DRAM holds {_under(slot)}"

    def _leaks_in_dram(self, block: int, content: bytes, expected: bytes, slot: int | None) -> Iterator[str]:
        wanted = _value(self._plaintext(expected, block, slot))
        for other in (None, *self.keys):
            value = _value(self._plaintext(content, block, other))
            owner = self._owners.get(value)
            parts = [part for part in self._parts.get(block, []) if part.mask.bit_count() >= 8 * _LEAST_BYTES]
            found = [part.owner for part in parts if not (part.value ^ value) & part.mask]
            if owner is not None:
                found.append(owner)
            if value == wanted:
                found.append(Owner(slot))
            for owner in found:
                if not owner.is_of(other) and not self._has_failed(owner):
                    yield f"DRAM holds data of {_whose(owner)} at {block:#x} {_under(other)}"
                    break

    def _has_failed(self, owner: Owner) -> bool:
        return owner.write is not None and any(response not in _OKAY for response in owner.write.responses)

    def _beats(self, transaction: Transaction, is_denied: bool) -> tuple[list[int], list[int]]:
        """The blocks and the lanes of an access's beats. Of a denied one, which may be no burst at all, each block is
        taken for the one after the other."""
        address = transaction.address
        if is_denied:
            first = address.addr & ~(1 << self.c_bit) & -BLOCK_BYTES
            return [first + BLOCK_BYTES * index for index in range(address.len + 1)], [-1] * (address.len + 1)
        beats = lanes_of(address, BLOCK_BYTES)
        return [beat.container & ~(1 << self.c_bit) for beat in beats], [beat.lanes for beat in beats]

    def _plaintext(self, content: bytes, address: int, slot: int | None) -> bytes:
        if slot is None:
            return content
        return self.keys[slot].decrypt(content, address=address, data_unit_bytes=self.data_unit_bytes)

    def _ciphertext(self, value: int, address: int, slot: int | None) -> int:
        if slot is None:
            return value
        return _value(self.keys[slot].encrypt(value.to_bytes(BLOCK_BYTES, "little"), address=address,
                                              data_unit_bytes=self.data_unit_bytes))


def _value(block: bytes) -> int:
    return int.from_bytes(block, "little")


def _mask(strobe: int) -> int:
    return sum(0xFF << 8 * lane for lane in range(BLOCK_BYTES) if strobe >> lane & 1)


def _whose(owner: Owner) -> str:
    if owner.is_denied:
        return "nobody"
    return "all" if owner.slot is None else f"slot {owner.slot}"


def _under(slot: int | None) -> str:
    return "as it is" if slot is None else f"under the key of slot {slot}"
