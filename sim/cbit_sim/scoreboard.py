"""Judges accesses that overlap in time by the golden model.

Where accesses overlap there is more than one right answer. Each byte may be written by one AXI ID only, its *owner*,
whose writes are ordered, so that the final content is unique; a read may see, of the bytes of one owner in one beat,
the state after any write that was not surely overwritten before the read began.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from cbit_model.access import HOST_SLOT, Access, Burst, Response
from cbit_model.memory import Memory, WriteBeat
from cbit_model.memory import Transaction as ModelTransaction
from cbit_model.xts import XtsKey
from cbit_sim.beats import Address, lanes_of
from cbit_sim.manager import Transaction

__all__ = ["MismatchError", "Scoreboard", "access_of"]

OwnerMask = Callable[[int, int], int]
"""From the address of a place as wide as the bus and an ID to the byte lanes there that the ID may write."""


class MismatchError(AssertionError):
    """The design and the model disagree; the text says where, who has seen it, what was expected and what came."""


@dataclass(slots=True)
class _Version:
    """What one write makes of its bytes of a place."""

    write: Transaction
    data: int
    mask: int


@dataclass(slots=True)
class _Block:
    """The recent past of a place as wide as the bus: its plaintext at the last quiet moment, and the writes since."""

    base: int
    key: XtsKey | None
    versions: list[_Version] = field(default_factory=list)


def access_of(address: Address, asid_width: int) -> Access:
    """The golden model's view of an address beat; AxUSER is asid, npt_c, dma, walk from its least significant bit."""
    flags = address.user >> asid_width
    return Access(
        address=address.addr, asid=address.user & ((1 << asid_width) - 1), npt_c=bool(flags & 1), dma=bool(flags & 2),
        walk=bool(flags & 4), prot=address.prot, id=address.id, lock=bool(address.lock), length=address.len + 1,
        size=address.size, burst=Burst(address.burst))


@lru_cache(maxsize=1 << 16)
def _byte_mask(lanes: int) -> int:
    return int.from_bytes(bytes(0xFF * (lanes >> lane & 1) for lane in range(lanes.bit_length())), "little")


class Scoreboard:
    """Follows the transactions of a :class:`~cbit_sim.manager.Manager`.

    Parameters
    ----------
    model : :class:`~cbit_model.memory.Memory`
        The golden model. Its DRAM is compared with the design's at quiet moments.
    owner_mask : callable
        Which ID may write which byte.
    asid_width : :class:`int`
        Bits of the ASID in AxUSER.
    ids : iterable of :class:`int`
        The AXI IDs in use.
    replay : :class:`str`
        How to repeat the run, for the text of a mismatch.

    Attributes
    ----------
    judged : :class:`int`
        Transactions that have ended and agreed.
    """

    def __init__(self, model: Memory, *, owner_mask: OwnerMask, asid_width: int, ids: Iterable[int], replay: str):
        self.judged = 0
        self._model = model
        self._bus_bytes = model.bus_bytes
        self._all_ones = (1 << 8 * model.bus_bytes) - 1
        self._owner_mask = owner_mask
        self._asid_width = asid_width
        self._ids = tuple(ids)
        self._replay = replay
        self._c_bit_mask = ~(1 << model.c_bit)
        self._reads: dict[Transaction, ModelTransaction] = {}
        self._writes: dict[Transaction, tuple[Access, Response, list[WriteBeat]]] = {}
        self._slot_of: dict[Transaction, int | None] = {}
        self._guest_of: dict[Transaction, int] = {}
        self._interrupted: set[Transaction] = set()
        self._blocks: dict[int, _Block] = {}
        self._doubtful: set[int] = set()

    def begin(self, transaction: Transaction) -> None:
        """Takes note of an access that the manager begins to offer."""
        access = access_of(transaction.address, self._asid_width)
        accepted = self._model.accept(access, write=transaction.is_write)
        self._slot_of[transaction] = accepted.decision.slot
        self._guest_of[transaction] = access.asid
        if transaction.data is None:
            self._reads[transaction] = accepted
            return
        beats = [WriteBeat(beat.data.to_bytes(self._bus_bytes, "little"), beat.strb) for beat in transaction.data]
        slot = accepted.decision.slot
        changes = accepted.decision.violation is None and not (access.lock and slot is not None)
        if changes:
            self._note_versions(transaction, slot)
        # Whether a plain exclusive write happens is DRAM's word, which its response tells.
        is_open = access.lock and changes
        response = Response.OKAY if is_open else self._model.finish_write(accepted, beats)
        self._writes[transaction] = (access, response, beats)

    def end(self, transaction: Transaction) -> None:
        """Judges an access that has ended.

        Raises
        ------
        MismatchError
            If its answer is not one that the model allows.
        """
        if transaction.is_write:
            self._judge_write(transaction)
        else:
            self._judge_read(transaction)
        del self._slot_of[transaction]
        del self._guest_of[transaction]
        if transaction.responses[0] == Response.OKAY:
            self._interrupted.discard(transaction)
        self.judged += 1

    def interrupt(self, slot: int) -> None:
        """Marks the accesses that have not ended and use a slot, by key or as the guest whose slot it is: its
        retirement or erasure now meets them.

        Call it when the command starts, and for each access that begins before the command is done.
        """
        interrupted = {transaction for transaction, used in self._slot_of.items()
                       if used == slot or self._guest_of[transaction] == slot != HOST_SLOT}
        self._interrupted |= interrupted
        for transaction in interrupted:
            if transaction.is_write:
                self._doubtful |= {container & self._c_bit_mask for container, _ in self._beats(transaction.address)}

    def abandon(self, dram: bytearray) -> None:
        """Looks at DRAM after a reset has ended everything: of each write since the last quiet moment each byte may be
        there or not; nothing else may have changed.

        Raises
        ------
        MismatchError
            If something else has.
        """
        self._doubtful.update(self._blocks)
        for of_transaction in (self._reads, self._writes, self._slot_of, self._guest_of):
            of_transaction.clear()
        self.settle(dram)

    def settle(self, dram: bytearray) -> None:
        """Compares DRAM with the model's, when nothing is in flight, and forgets the past.

        Raises
        ------
        MismatchError
            If they differ.
        """
        for block in self._doubtful:
            self._settle_doubtful(block, dram)
        self._doubtful.clear()
        self._interrupted.clear()
        if dram != self._model.dram.content:
            width, content = self._bus_bytes, self._model.dram.content
            place = next(start for start in range(0, len(dram), width)
                         if dram[start:start + width] != content[start:start + width])
            block = self._model.dram.base + place
            writers = [version.write for version in self._blocks[block].versions] if block in self._blocks else []
            self._fail(block, "DRAM", content[place:place + width].hex(), dram[place:place + width].hex(),
                       f"; written since by {writers}")
        self._blocks.clear()

    def _beats(self, address: Address) -> list[tuple[int, int]]:
        return [(container & self._c_bit_mask, lanes) for container, lanes in lanes_of(address, self._bus_bytes)]

    def _note_versions(self, transaction: Transaction, slot: int | None) -> None:
        assert transaction.data is not None
        for beat, (block, lanes) in zip(transaction.data, self._beats(transaction.address), strict=True):
            strobe = lanes & beat.strb
            if not strobe or self._model.dram.write_answer(block) != Response.OKAY:
                continue
            if block not in self._blocks:
                self._blocks[block] = self._block_of(block, slot)
            self._blocks[block].versions.append(_Version(transaction, beat.data, _byte_mask(strobe)))

    def _block_of(self, block: int, slot: int | None) -> _Block:
        stored = self._model.dram.fetch(block, self._bus_bytes)
        key = None if slot is None else self._model.slots.key(slot)
        return _Block(int.from_bytes(self._plaintext(key, block, stored), "little"), key)

    def _plaintext(self, key: XtsKey | None, block: int, stored: bytes) -> bytes:
        if key is None:
            return stored
        return key.decrypt(stored, address=block, data_unit_bytes=self._model.data_unit_bytes)

    def _judge_write(self, transaction: Transaction) -> None:
        access, expected, beats = self._writes.pop(transaction)
        got = transaction.responses[0]
        if access.lock and self._slot_of[transaction] is None and got == Response.EXOKAY:
            self._model.write(access, beats)
            return
        if access.lock and got == expected:
            for block, _ in self._beats(transaction.address):
                if past := self._blocks.get(block):
                    past.versions = [version for version in past.versions if version.write is not transaction]
            return
        if got != expected and not (transaction in self._interrupted and got == Response.SLVERR):
            self._fail(access.address, self._observer(transaction), expected.name, Response(got).name)

    def _judge_read(self, transaction: Transaction) -> None:
        accepted = self._reads.pop(transaction)
        expected = self._model.finish_read(accepted)
        beats = self._beats(transaction.address)
        for index, beat in enumerate(expected):
            got, response = transaction.read[index], transaction.responses[index]
            mask = _byte_mask(beat.lanes)
            if transaction in self._interrupted and (response, got) == (Response.SLVERR, self._all_ones):
                continue
            is_exclusive = response == Response.EXOKAY and accepted.access.lock and accepted.decision.slot is None
            if response != beat.response and not is_exclusive:
                self._fail(beats[index][0], self._observer(transaction), beat.response.name,
                           Response(response).name, f" at beat {index}")
            if (got ^ int.from_bytes(beat.data, "little")) & mask:
                self._judge_past(transaction, index, *beats[index], got, beat.data)

    def _judge_past(self, transaction: Transaction, index: int, block: int, lanes: int, got: int,
                    current: bytes) -> None:
        past = self._blocks.get(block)
        if past is not None and all(
                self._is_legal(past, block, owner, lanes, got, transaction.begun) for owner in self._ids):
            return
        self._fail(block, self._observer(transaction), current[::-1].hex(), f"{got:0{2 * self._bus_bytes}x}",
                   f" at beat {index}, lanes {lanes:#06x}, begun {transaction.begun}; recent writes: "
                   f"{past.versions if past is not None else 'none'}")

    def _is_legal(self, past: _Block, block: int, owner: int, lanes: int, got: int, begun: int) -> bool:
        mask = _byte_mask(self._owner_mask(block, owner) & lanes)
        states = {past.base & mask}
        legal = got & mask in states
        for version in past.versions:
            write = version.write
            if write.address.id != owner:
                continue
            after = {(state & ~version.mask | version.data & version.mask) & mask for state in states}
            if write in self._interrupted:
                states |= after
            else:
                legal = legal and not 0 <= write.ended <= begun
                states = after
            legal = legal or got & mask in states
        return legal

    def _settle_doubtful(self, block: int, dram: bytearray) -> None:
        """Of a write that the loss of its key has met, each byte may be there or not."""
        place = block - self._model.dram.base
        stored = bytes(dram[place:place + self._bus_bytes])
        past = self._blocks.get(block)
        if past is None:
            return
        plaintext = int.from_bytes(self._plaintext(past.key, block, stored), "little")
        unexplained = (plaintext ^ past.base) & self._all_ones
        for version in past.versions:
            unexplained &= ~(self._same_bytes(plaintext, version.data) & version.mask)
        changed = self._all_ones & ~self._same_bytes(plaintext, past.base)
        if unexplained & changed:
            width = 2 * self._bus_bytes
            self._fail(block, "DRAM after a slot's end", f"bytes of {past.base:0{width}x} or of {past.versions}",
                       f"{plaintext:0{width}x}")
        self._model.dram.content[place:place + self._bus_bytes] = stored

    def _same_bytes(self, left: int, right: int) -> int:
        """A mask of the bytes in which two places agree."""
        difference = (left ^ right).to_bytes(self._bus_bytes, "little")
        return int.from_bytes(bytes(0 if byte else 0xFF for byte in difference), "little")

    def _observer(self, transaction: Transaction) -> str:
        access = access_of(transaction.address, self._asid_width)
        return f"{'write' if transaction.is_write else 'read'} of {access}"

    def _fail(self, address: int, observer: str, expected: str, got: str, more: str = "") -> None:
        raise MismatchError(f"address {address:#x}, seen by {observer}{more}: expected {expected}, got {got}; "
                            f"replay: {self._replay}")
