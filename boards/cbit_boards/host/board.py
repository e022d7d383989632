"""A board as its host uses it."""

import dataclasses
import time
from collections.abc import Callable, Iterator

from cbit.csr.map import Register, register
from cbit_boards.host.frames import DATA_BYTES, NO_ATTRIBUTES, Answer, Attributes, Operation, Outcome, Request
from cbit_boards.host.link import Link

__all__ = ["Board", "BoardError", "Identity", "Progress", "RefusedError"]

Progress = Callable[[int], None]
"""Called with how many bytes have gone."""

_MAGIC = b"CBIT"
_VERSION = 1
_IDENTITY_BYTES = 20
_WORD_BYTES = 4
_WORD = 0xFFFF_FFFF
_DONE = 1 << 31
_POLL_SECONDS = 0.02

_REASONS = {
    Outcome.SLVERR: "it is denied, or memory has answered with an error",
    Outcome.DECERR: "nothing is there",
    Outcome.OPERATION: "this board has no such operation",
    Outcome.LENGTH: "the board does not take this length",
    Outcome.ADDRESS: "the board has no such address",
    Outcome.ATTRIBUTES: "the board has no such ASID or attribute",
    Outcome.NOT_READY: "the board's DRAM is not initialized",
    Outcome.NOT_RELEASED: "the engine is not released",
    Outcome.NO_ANSWER: "the board has got no answer, and gets none until its reset",
}


class BoardError(Exception):
    """A board is not what it should be, or has not done what it was to do."""


class RefusedError(BoardError):
    """A board has ended a request with another outcome than OK.

    Attributes
    ----------
    outcome : :class:`int`
        Which.
    """

    def __init__(self, what: str, outcome: int) -> None:
        known = Outcome(outcome) if outcome in set(Outcome) else None
        reason = f"outcome {outcome}" if known is None else _REASONS[known]
        super().__init__(f"{what} has failed: {reason}")
        self.outcome = outcome


@dataclasses.dataclass(frozen=True)
class Identity:
    """What a board says of itself."""

    has_psp: bool
    memory_ready: bool
    released: bool
    violation: bool
    self_test_failed: bool
    c_bit: int
    addr_width: int
    asid_count: int
    key_bits: int
    memory_bytes: int

    @classmethod
    def of(cls, data: bytes) -> "Identity":
        """Of the answer to IDENTIFY. Raises :class:`BoardError` if it is none that this program knows."""
        if len(data) != _IDENTITY_BYTES or data[:4] != _MAGIC or data[4] != _VERSION:
            raise BoardError(f"board must be one of Cbit, protocol {_VERSION}, and it says {data.hex()}")
        has_psp, memory_ready, released, violation, self_test_failed = (bool(data[5] >> bit & 1) for bit in range(5))
        asid_count, key_bits, memory_bytes = (int.from_bytes(part, "little")
                                              for part in (data[8:10], data[10:12], data[12:20]))
        return cls(has_psp, memory_ready, released, violation, self_test_failed, data[6], data[7], asid_count, key_bits,
                   memory_bytes)


class Board:
    """Memory, DRAM and registers of a board that answers.

    Parameters
    ----------
    link : :class:`~cbit_boards.host.link.Link`
        To it.

    Attributes
    ----------
    identity : :class:`Identity`
        As it was when it was asked last.

    Raises
    ------
    BoardError
        If it is none of Cbit. All methods raise :class:`RefusedError`, and the errors of
        :class:`~cbit_boards.host.link.Link`.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self.identity = self.identify()

    def identify(self) -> Identity:
        """Asks anew."""
        answer = self._ask("IDENTIFY", Request(operation=Operation.IDENTIFY))
        self.identity = Identity.of(answer.data)
        return self.identity

    def read(self, address: int, length: int, *, asid: int = 0, attributes: Attributes = NO_ATTRIBUTES,
             progress: Progress | None = None) -> bytes:
        """Bytes by way of the engine, as software under an ASID sees them; the C-bit is part of the address."""
        return self._read(Operation.READ_MEMORY, address, length, asid, attributes, progress)

    def write(self, address: int, data: bytes, *, asid: int = 0, attributes: Attributes = NO_ATTRIBUTES,
              progress: Progress | None = None) -> None:
        """The inverse."""
        self._write(Operation.WRITE_MEMORY, address, data, asid, attributes, progress)

    def read_raw(self, address: int, length: int, *, progress: Progress | None = None) -> bytes:
        """Bytes of DRAM, as an attacker there sees them."""
        return self._read(Operation.READ_RAW, address, length, 0, NO_ATTRIBUTES, progress)

    def write_raw(self, address: int, data: bytes, *, progress: Progress | None = None) -> None:
        """The inverse."""
        self._write(Operation.WRITE_RAW, address, data, 0, NO_ATTRIBUTES, progress)

    def host_register(self, name: str) -> dict[str, int]:
        """The fields of one of the engine's registers for the host."""
        return self._fields(Operation.READ_HOST, register("host", name))

    def key_register(self, name: str) -> dict[str, int]:
        """The fields of one of the engine's registers for the security processor, where there is none."""
        return self._fields(Operation.READ_KEYS, register("psp", name))

    def write_key_register(self, name: str, **fields: int) -> None:
        """The inverse; fields that are not given are zero."""
        self._write_fields(Operation.WRITE_KEYS, register("psp", name), fields)

    def mailbox_register(self, name: str) -> dict[str, int]:
        """The fields of a register of the mailbox."""
        return self._fields(Operation.READ_MAILBOX, register("mailbox", name))

    def write_mailbox_register(self, name: str, **fields: int) -> None:
        """The inverse; fields that are not given are zero."""
        self._write_fields(Operation.WRITE_MAILBOX, register("mailbox", name), fields)

    def flush_caches(self) -> None:
        """Tells the security processor that the host's caches are written back and invalidated."""
        self._ask("FLUSH", Request(operation=Operation.FLUSH))

    def command(self, word: int, buffer: int, *, seconds: float) -> int:
        """Gives the security processor a command, and waits for the response, as a driver that polls.

        Raises
        ------
        BoardError
            If it does not come in time.
        """
        offset = register("mailbox", "COMMAND").offset
        self.write_mailbox_register("BUFFER_LOW", ADDRESS=buffer & _WORD)
        self.write_mailbox_register("BUFFER_HIGH", ADDRESS=buffer >> 32)
        self._write_word(Operation.WRITE_MAILBOX, "COMMAND", offset, word)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            response = self._word(Operation.READ_MAILBOX, "COMMAND", offset)
            if response & _DONE:
                return response
            time.sleep(_POLL_SECONDS)
        raise BoardError(f"command {word >> 16 & 0x7FFF:#x} has not been answered within {seconds:.0f} s")

    def wait_until_released(self, *, seconds: float) -> None:
        """Waits until accesses of memory are let. Raises :class:`BoardError` if that takes longer."""
        deadline = time.monotonic() + seconds
        while not self.identify().released:
            if self.identity.self_test_failed:
                raise BoardError("the board has failed a self-test, and does nothing until its reset")
            if time.monotonic() > deadline:
                raise BoardError(f"the board has not released its host within {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def ask(self, request: Request) -> Answer:
        """The answer to any request, whatever its outcome."""
        return self._link.ask(request)

    def _ask(self, what: str, request: Request) -> Answer:
        answer = self.ask(request)
        if answer.outcome != Outcome.OK:
            raise RefusedError(what, answer.outcome)
        return answer

    def _read(self, operation: Operation, address: int, length: int, asid: int, attributes: Attributes,
              progress: Progress | None) -> bytes:
        content = bytearray()
        for begin, end in _pieces(length):
            request = Request(operation=operation, address=address + begin, length=end - begin, asid=asid,
                              attributes=attributes)
            answer = self._ask(f"read of {end - begin} bytes at {address + begin:#x}", request)
            if len(answer.data) != end - begin:
                raise BoardError(f"board must answer with {end - begin} bytes, not {len(answer.data)}")
            content += answer.data
            if progress is not None:
                progress(end)
        return bytes(content)

    def _write(self, operation: Operation, address: int, data: bytes, asid: int, attributes: Attributes,
               progress: Progress | None) -> None:
        for begin, end in _pieces(len(data)):
            request = Request(operation=operation, address=address + begin, data=data[begin:end], asid=asid,
                              attributes=attributes)
            self._ask(f"write of {end - begin} bytes at {address + begin:#x}", request)
            if progress is not None:
                progress(end)

    def _fields(self, operation: Operation, found: Register) -> dict[str, int]:
        word = self._word(operation, found.name, found.offset)
        return {field.name: word >> field.lsb & (1 << field.width) - 1 for field in found.fields}

    def _write_fields(self, operation: Operation, found: Register, fields: dict[str, int]) -> None:
        places = {field.name: field.lsb for field in found.fields}
        word = sum(value << places[name] for name, value in fields.items())
        self._write_word(operation, found.name, found.offset, word)

    def _word(self, operation: Operation, name: str, offset: int) -> int:
        answer = self._ask(f"read of {name}", Request(operation=operation, address=offset, length=_WORD_BYTES))
        return int.from_bytes(answer.data, "little")

    def _write_word(self, operation: Operation, name: str, offset: int, word: int) -> None:
        data = word.to_bytes(_WORD_BYTES, "little")
        self._ask(f"write of {name}", Request(operation=operation, address=offset, data=data))


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Begin and end of what goes into each frame."""
    return ((begin, min(begin + DATA_BYTES, length)) for begin in range(0, length, DATA_BYTES))
