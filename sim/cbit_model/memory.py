"""The executable specification: memory behind an encrypting AXI4 port, access by access."""

import dataclasses
from collections.abc import Sequence
from typing import Final, NamedTuple

from cbit_model.access import BLOCK_BYTES, Access, BeatLanes, Decision, Mode, Response, burst_beats, decide
from cbit_model.dram import LINE_BYTES, Dram
from cbit_model.slots import KeySlots, Tenancy
from cbit_model.violations import ViolationLog
from cbit_model.xts import Buffer, XtsKey

__all__ = ["ALL_LANES", "BusWaitsError", "Memory", "ReadBeat", "Transaction", "WriteBeat"]

ALL_LANES: Final = (1 << BLOCK_BYTES) - 1
"""Every byte of a block, and of a beat as wide as the narrowest bus."""


class BusWaitsError(RuntimeError):
    """An access came before release, where the bus waits."""


class ReadBeat(NamedTuple):
    """A beat of the answer to a read.

    Parameters
    ----------
    data : :class:`bytes`
        RDATA, lane 0 first: the bus's whole width.
    lanes : :class:`int`
        The lanes that mean something, as in WSTRB: the beat's own, or all where all ones are the answer.
    response : :class:`~cbit_model.access.Response`
        RRESP.
    """

    data: bytes
    lanes: int
    response: Response


class WriteBeat(NamedTuple):
    """A beat of a write.

    Parameters
    ----------
    data : :class:`bytes`
        WDATA, lane 0 first: the bus's whole width.
    strobe : :class:`int`
        WSTRB. It alone says which bytes of the place that the beat lies in are written.
    """

    data: bytes
    strobe: int = ALL_LANES


@dataclasses.dataclass(slots=True, eq=False)
class Transaction:
    """An access in flight, made by :meth:`Memory.accept`: its decision and its key are settled.

    Parameters
    ----------
    access : :class:`~cbit_model.access.Access`
        The access.
    write : :class:`bool`
        Whether it is a write.
    decision : :class:`~cbit_model.access.Decision`
        What is done with it.
    tenancy : :class:`~cbit_model.slots.Tenancy` or :data:`None`
        The key it is encrypted with.
    finished : :class:`bool`
        Whether it was answered.
    """

    access: Access
    write: bool
    decision: Decision
    tenancy: Tenancy | None
    finished: bool = False

    @property
    def key(self) -> XtsKey | None:
        """The key, or :data:`None` if it needs none or the key was erased."""
        return None if self.tenancy is None else self.tenancy.key


class Memory:
    """Memory as the managers see it through an engine, and DRAM as an attacker sees it.

    :meth:`read` and :meth:`write` are one step each. To command slots while accesses are in flight, :meth:`accept`
    an access and finish it later. It keeps the key it was accepted with; where that key was erased meanwhile, it is
    answered with SLVERR, a read with all ones, and a write changes nothing.

    DRAM answers for every line of a burst, whatever the strobes: also for one that is sent without any, because its
    read failed. It ignores AxLOCK, as AMBA AXI4, A7.2.5, allows.

    Parameters
    ----------
    size_bytes : :class:`int`
        Bytes of DRAM. A positive multiple of 64.
    base : :class:`int`
        Address of its first byte. A multiple of 64.
    addr_width : :class:`int`
        Bits of an address, the C-bit included.
    c_bit : :class:`int`
        Position of the C-bit. 12 to ``addr_width - 1``.
    asid_count : :class:`int`
        Number of ASIDs, the host's included, and of slots. 1 or more.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.
    data_unit_bytes : :class:`int`
        Bytes of an XTS data unit. 64 or 4096.
    data_width : :class:`int`
        Bits of the data bus. 128, 256 or 512.
    counter_bits : :class:`int`
        Bits of a counter of violations.

    Members
    -------
    dram : :class:`~cbit_model.dram.Dram`
        DRAM: its content and the errors it answers with.
    slots : :class:`~cbit_model.slots.KeySlots`
        The key slots.
    violations : :class:`~cbit_model.violations.ViolationLog`
        The accesses denied.
    mode : :class:`~cbit_model.access.Mode`
        What is switched on. Changed by :meth:`set_mode`.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    locked, released : :class:`bool`
        Whether :meth:`lock` and :meth:`release` were commanded since reset.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    mode: Mode
    locked: bool
    released: bool

    def __init__(self, *, size_bytes: int, base: int = 0, addr_width: int = 48, c_bit: int = 47, asid_count: int = 16,
                 key_bits: int = 128, data_unit_bytes: int = 64, data_width: int = 128,
                 counter_bits: int = 32) -> None:
        if not 12 <= c_bit < addr_width:
            raise ValueError(f"c_bit must be from 12 to {addr_width - 1}, not {c_bit}")
        if data_unit_bytes not in (64, 4096):
            raise ValueError(f"data_unit_bytes must be 64 or 4096, not {data_unit_bytes}")
        if data_width not in (128, 256, 512):
            raise ValueError(f"data_width must be 128, 256 or 512, not {data_width}")
        self.addr_width = addr_width
        self.c_bit = c_bit
        self.asid_count = asid_count
        self.key_bits = key_bits
        self.data_unit_bytes = data_unit_bytes
        self.bus_bytes = data_width // 8
        self.dram = Dram(size_bytes, base)
        self.slots = KeySlots(count=asid_count, key_bits=key_bits)
        self.violations = ViolationLog(counter_bits=counter_bits)
        self.reset()

    def reset(self) -> None:
        """Erase every key; forget mode, lock, release and violations. DRAM keeps its content."""
        self.slots.zeroize_all()
        self.violations.clear_record()
        self.violations.clear_counts()
        self.mode = Mode()
        self.locked = False
        self.released = False

    def set_mode(self, *, sme: bool, tsme: bool, sev: bool) -> None:
        """Set the mode bits.

        Raises
        ------
        ValueError
            If the mode is locked; it stays as it was.
        """
        if self.locked:
            raise ValueError("Mode must be set before it is locked, not after")
        self.mode = Mode(sme=sme, tsme=tsme, sev=sev)

    def lock(self) -> None:
        """Freeze the mode until reset."""
        self.locked = True

    def release(self) -> None:
        """Let accesses in, until reset."""
        self.released = True

    def install(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """Make an empty slot active: :meth:`.KeySlots.install`."""
        self.slots.install(slot, key, tweak_key)

    def retire(self, slot: int) -> None:
        """Drain an active slot, then erase it: :meth:`.KeySlots.retire`."""
        self.slots.retire(slot)

    def zeroize(self, slot: int) -> None:
        """Erase a slot at once: :meth:`.KeySlots.zeroize`."""
        self.slots.zeroize(slot)

    def ciphertext(self, slot: int, address: int, plaintext: Buffer) -> bytes:
        """What DRAM holds for whole blocks of ``plaintext`` at ``address``, C-bit or not, under the key of ``slot``.

        Raises
        ------
        ValueError
            If the slot is empty, or the address or the length is not a multiple of 16.
        """
        return self.slots.key(slot).encrypt(
            plaintext, address=self._dram_address(address), data_unit_bytes=self.data_unit_bytes)

    def read(self, access: Access) -> list[ReadBeat]:
        """The answer to a read: a :class:`ReadBeat` for each beat.

        Raises
        ------
        BusWaitsError
            If it comes before release.
        """
        return self.finish_read(self.accept(access, write=False))

    def write(self, access: Access, beats: Sequence[WriteBeat]) -> Response:
        """Carry out a write and return its response.

        Raises
        ------
        BusWaitsError
            If it comes before release.
        ValueError
            If there is not one :class:`WriteBeat` for each beat.
        """
        _require_beats(access, beats)
        return self.finish_write(self.accept(access, write=True), beats)

    def accept(self, access: Access, *, write: bool) -> Transaction:
        """Decide an access, log it if it is denied, and hold the key it needs.

        Raises
        ------
        BusWaitsError
            If it comes before release.
        ValueError
            If the address has more than ``addr_width`` bits.
        """
        if not self.released:
            raise BusWaitsError("Access must come after release, not before")
        if access.address >> self.addr_width:
            raise ValueError(f"Address must be of {self.addr_width} bits, not {access.address:#x}")
        decision = decide(
            access, mode=self.mode, active=self.slots.active, asid_count=self.asid_count, c_bit=self.c_bit,
            bus_bytes=self.bus_bytes)
        if decision.violation is not None:
            self.violations.record(decision.violation, access, write=write)
        tenancy = None if decision.slot is None else self.slots.begin(decision.slot)
        return Transaction(access, write, decision, tenancy)

    def finish_read(self, transaction: Transaction) -> list[ReadBeat]:
        """The answer to a read that :meth:`accept` returned and that is not finished."""
        assert not transaction.write
        access, key = transaction.access, transaction.key
        refusal = self._finish(transaction)
        if refusal is not None:
            return [self._all_ones(refusal)] * access.length
        beats = self._lanes(access)
        low, size = self._span(beats)
        content = self.dram.fetch(low, size)
        if key is not None:
            content = key.decrypt(content, address=low, data_unit_bytes=self.data_unit_bytes)
        answer = []
        for container, lanes in beats:
            response = self.dram.read_answer(container)
            if key is not None and response != Response.OKAY:
                answer.append(self._all_ones(response))
            else:
                offset = container - low
                answer.append(ReadBeat(content[offset:offset + self.bus_bytes], lanes, response))
        return answer

    def finish_write(self, transaction: Transaction, beats: Sequence[WriteBeat]) -> Response:
        """Carry out a write that :meth:`accept` returned and that is not finished.

        Raises
        ------
        ValueError
            If there is not one :class:`WriteBeat` for each beat.
        """
        assert transaction.write
        access, key = transaction.access, transaction.key
        _require_beats(access, beats)
        refusal = self._finish(transaction)
        if refusal is not None:
            return refusal
        lanes = self._lanes(access)
        if key is None:
            low, size = self._span(lanes)
            content = _merge(self.dram.fetch(low, size), low, lanes, beats)
            return self._store(low, content, _strobes(lanes, beats), unread=set())
        if access.lock:
            return Response.OKAY
        return max(self._write_encrypted(key, lanes[visit], beats[visit]) for visit in _visits(lanes))

    def _write_encrypted(self, key: XtsKey, lanes: Sequence[BeatLanes], beats: Sequence[WriteBeat]) -> Response:
        """Carry out the part of an encrypted write that one visit to a line makes."""
        strobes = _strobes(lanes, beats)
        low, size = self._span(lanes)
        partial = [block for block, strobe in strobes.items() if strobe not in (0, ALL_LANES)]
        unread = {block & -LINE_BYTES for block in partial if self.dram.read_answer(block) != Response.OKAY}
        old = bytes(size)
        if partial:
            old = key.decrypt(self.dram.fetch(low, size), address=low, data_unit_bytes=self.data_unit_bytes)
        content = _merge(old, low, lanes, beats)
        ciphertext = key.encrypt(content, address=low, data_unit_bytes=self.data_unit_bytes)
        return self._store(low, ciphertext, strobes, unread=unread)

    def _store(self, low: int, content: bytes | bytearray, strobes: dict[int, int], *, unread: set[int]) -> Response:
        """Write the blocks that have a strobe, but for the lines in ``unread``, and return the worst answer."""
        worst = Response.SLVERR if unread else Response.OKAY
        for block, strobe in strobes.items():
            if strobe and block & -LINE_BYTES not in unread:
                answer = self.dram.store(block, content[block - low:block - low + BLOCK_BYTES])
            else:
                answer = self.dram.write_answer(block)
            worst = max(worst, answer)
        return worst

    def _finish(self, transaction: Transaction) -> Response | None:
        """Let the key go; the response if the access is refused, because it is denied or its key was erased."""
        assert not transaction.finished
        transaction.finished = True
        decision, tenancy = transaction.decision, transaction.tenancy
        if decision.violation is not None:
            return decision.violation.response
        if decision.slot is None or tenancy is None:
            return None
        if tenancy.key is None:
            return Response.SLVERR
        self.slots.finish(decision.slot, tenancy)
        return None

    def _dram_address(self, address: int) -> int:
        return address & ~(1 << self.c_bit)

    def _lanes(self, access: Access) -> list[BeatLanes]:
        """The beats of a burst in DRAM."""
        return burst_beats(self._dram_address(access.address), access.length, access.size, access.burst, self.bus_bytes)

    def _all_ones(self, response: Response) -> ReadBeat:
        return ReadBeat(bytes([0xFF] * self.bus_bytes), (1 << self.bus_bytes) - 1, response)

    def _span(self, lanes: Sequence[BeatLanes]) -> tuple[int, int]:
        """The start and the size of what beats lie in."""
        containers = [beat.container for beat in lanes]
        low = min(containers)
        return low, max(containers) + self.bus_bytes - low


def _visits(lanes: Sequence[BeatLanes]) -> list[slice]:
    """The beats of a burst, cut where they enter another line and where a WRAP wraps.

    A visit is read, merged and written on its own: where a WRAP of narrow beats begins within a block and comes back
    to it in the end, each of the two visits is a partial write of that block.
    """
    starts = [0]
    for beat in range(1, len(lanes)):
        before, after = lanes[beat - 1], lanes[beat]
        if after.container & -LINE_BYTES != before.container & -LINE_BYTES or _place(after) < _place(before):
            starts.append(beat)
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(lanes)])]


def _place(beat: BeatLanes) -> tuple[int, int]:
    return beat.container, beat.lanes


def _require_beats(access: Access, beats: Sequence[WriteBeat]) -> None:
    if len(beats) != access.length:
        raise ValueError(f"Beats must be as many as the burst's length ({access.length}), not {len(beats)}")


def _strobes(lanes: Sequence[BeatLanes], beats: Sequence[WriteBeat]) -> dict[int, int]:
    """The address of each block in the beats of a burst, and which of its bytes the burst writes."""
    strobes: dict[int, int] = {}
    for (container, _), (data, strobe) in zip(lanes, beats):
        for offset in range(0, len(data), BLOCK_BYTES):
            block = container + offset
            strobes[block] = strobes.get(block, 0) | strobe >> offset & ALL_LANES
    return strobes


def _merge(old: bytes, low: int, lanes: Sequence[BeatLanes], beats: Sequence[WriteBeat]) -> bytearray:
    """``old``, which lies at ``low``, with the bytes that a burst writes; the last beat wins."""
    content = bytearray(old)
    for (container, _), (data, strobe) in zip(lanes, beats):
        offset = container - low
        if strobe == (1 << len(data)) - 1:
            content[offset:offset + len(data)] = data
        else:
            for lane in range(len(data)):
                if strobe >> lane & 1:
                    content[offset + lane] = data[lane]
    return content
