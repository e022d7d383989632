"""Frames of the serial bridge, as the README of `hdl/cbit/soc` describes them: bytes in, bytes out."""

import dataclasses
import enum
import zlib
from collections.abc import Iterator

__all__ = ["DATA_BYTES", "NO_ATTRIBUTES", "Answer", "AnswerParser", "Attributes", "Operation", "Outcome", "Request",
           "decoded", "encoded", "request_frame"]

DATA_BYTES = 1024
"""Most bytes of data in a frame."""

_PREAMBLE = b"\x00\x55"
_DELIMITER = b"\x00"
_RUN = 254
_CRC_BYTES = 4
_LEAST_ANSWER = 2 + _CRC_BYTES
_LONGEST_FRAME = 2 * DATA_BYTES


class Operation(enum.IntEnum):
    """What a request asks for."""

    IDENTIFY = 0
    READ_MEMORY = 1
    WRITE_MEMORY = 2
    READ_RAW = 3
    WRITE_RAW = 4
    READ_HOST = 5
    READ_MAILBOX = 6
    WRITE_MAILBOX = 7
    READ_KEYS = 8
    WRITE_KEYS = 9
    FLUSH = 10


class Outcome(enum.IntEnum):
    """How a request has ended."""

    OK = 0
    SLVERR = 1
    DECERR = 2
    OPERATION = 3
    LENGTH = 4
    ADDRESS = 5
    ATTRIBUTES = 6
    NOT_READY = 7
    NOT_RELEASED = 8
    NO_ANSWER = 9


class Attributes(enum.IntFlag):
    """What an access is beside its ASID and its C-bit."""

    NPT_C = 1
    DMA = 2
    WALK = 4
    FETCH = 8


NO_ATTRIBUTES = Attributes(0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What the host asks for.

    ``length`` is that of what is read, or of ``data``.
    """

    operation: Operation
    address: int = 0
    length: int = 0
    data: bytes = b""
    asid: int = 0
    attributes: Attributes = NO_ATTRIBUTES


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a board has answered."""

    sequence: int
    outcome: int
    data: bytes


def encoded(content: bytes) -> bytes:
    """Any bytes as bytes without a zero (COBS)."""
    result = bytearray()
    rest = content + _DELIMITER
    while rest:
        run = rest[:_RUN].partition(_DELIMITER)[0]
        result += bytes((len(run) + 1,)) + run
        has_zero = len(run) < _RUN
        rest = rest[len(run) + has_zero:]
        if rest == _DELIMITER and not has_zero:
            break
    return bytes(result)


def decoded(content: bytes) -> bytes | None:
    """The inverse; :data:`None` of what is not COBS."""
    result = bytearray()
    place = 0
    if not content or 0 in content:
        return None
    while place < len(content):
        code = content[place]
        run = content[place + 1:place + code]
        if len(run) != code - 1:
            return None
        place += code
        result += run
        if code <= _RUN and place < len(content):
            result += _DELIMITER
    return bytes(result)


def request_frame(sequence: int, request: Request) -> bytes:
    """The bytes on the wire of a request."""
    length = request.length or len(request.data)
    payload = (bytes((sequence, request.operation)) + request.address.to_bytes(8, "little")
               + request.asid.to_bytes(2, "little") + bytes((request.attributes,)) + length.to_bytes(2, "little")
               + request.data)
    return _PREAMBLE + encoded(payload + _crc(payload)) + _DELIMITER


class AnswerParser:
    """Finds answers in what comes over the wire, whatever else is there."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, content: bytes) -> Iterator[Answer]:
        """The answers that are complete with these bytes."""
        self._pending += content
        *frames, rest = self._pending.split(_DELIMITER)
        self._pending = rest[-_LONGEST_FRAME:]
        for frame in frames:
            answer = _answer(bytes(frame))
            if answer is not None:
                yield answer


def _answer(frame: bytes) -> Answer | None:
    payload = decoded(frame[1:]) if frame[:1] == _PREAMBLE[1:] else None
    if payload is None or len(payload) < _LEAST_ANSWER or _crc(payload[:-_CRC_BYTES]) != payload[-_CRC_BYTES:]:
        return None
    return Answer(payload[0], payload[-_CRC_BYTES - 1], payload[1:-_CRC_BYTES - 1])


def _crc(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CRC_BYTES, "little")
