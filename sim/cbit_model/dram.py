"""DRAM of the model: bytes that answer by the line, with errors where wanted."""

from typing import Final

from cbit_model.access import Response

__all__ = ["LINE_BYTES", "Dram"]

LINE_BYTES: Final = 64
"""Bytes of a line."""


class Dram:
    """DRAM from an address on.

    A line before it or beyond the end is answered with DECERR, another as ``read_errors`` and ``write_errors`` say,
    else with OKAY. A line whose write is answered with an error is not written; one whose read is, still shows its
    content.

    Parameters
    ----------
    size_bytes : :class:`int`
        A positive multiple of 64.
    base : :class:`int`
        Address of the first byte. A multiple of 64, not negative.

    Members
    -------
    base : :class:`int`
        As given.
    content : :class:`bytearray`
        Every byte, as an attacker at the DRAM sees it. May be changed at any time, but not its length.
    read_errors, write_errors : :class:`dict`
        Address of a line to the answer to its reads, and to its writes. May be changed at any time.

    Raises
    ------
    ValueError
        If one of them is not such.
    """

    def __init__(self, size_bytes: int, base: int = 0) -> None:
        if size_bytes <= 0 or size_bytes % LINE_BYTES:
            raise ValueError(f"size_bytes must be a positive multiple of {LINE_BYTES}, not {size_bytes}")
        if base < 0 or base % LINE_BYTES:
            raise ValueError(f"base must be a multiple of {LINE_BYTES}, not {base}")
        self.base = base
        self.content = bytearray(size_bytes)
        self.read_errors: dict[int, Response] = {}
        self.write_errors: dict[int, Response] = {}

    def read_answer(self, address: int) -> Response:
        """The answer to a read of the line that ``address`` lies in."""
        return self._answer(self.read_errors, address)

    def write_answer(self, address: int) -> Response:
        """The answer to a write of the line that ``address`` lies in."""
        return self._answer(self.write_errors, address)

    def fetch(self, address: int, size: int) -> bytes:
        """The content from ``address`` on, within a line; zeros where there is none."""
        place = address - self.base
        content = self.content[place:place + size] if place >= 0 else b""
        return bytes(content).ljust(size, b"\0")

    def store(self, address: int, data: bytes | bytearray) -> Response:
        """Write within a line, unless the answer is an error, and return the answer."""
        answer = self.write_answer(address)
        if answer == Response.OKAY:
            place = address - self.base
            self.content[place:place + len(data)] = data
        return answer

    def _answer(self, errors: dict[int, Response], address: int) -> Response:
        if not self.base <= address < self.base + len(self.content):
            return Response.DECERR
        return errors.get(address & -LINE_BYTES, Response.OKAY)
