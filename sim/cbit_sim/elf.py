"""As much of ELF for 32 bits, little-endian, as the image of a firmware needs."""

import struct
from collections.abc import Iterator

__all__ = ["Elf"]

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM = struct.Struct("<IIIIIIII")
_SECTION = struct.Struct("<IIIIIIIIII")
_SYMBOL = struct.Struct("<IIIBBH")
_LOAD = 1
_SYMBOL_TABLE = 2


class Elf:
    """A linked program.

    Parameters
    ----------
    content : :class:`bytes`
        The file.

    Raises
    ------
    ValueError
        If it is no such file.
    """

    def __init__(self, content: bytes):
        if content[:6] != b"\x7fELF\x01\x01":
            raise ValueError("Program must be an ELF file for 32 bits, little-endian")
        self._content = content
        header = _HEADER.unpack_from(content)
        self._programs, self._sections = (header[5], header[10]), (header[6], header[12])

    def image(self) -> bytes:
        """What is loaded from address 0 on; zeros in gaps."""
        image = bytearray()
        for kind, offset, _, address, size, *_ in self._table(_PROGRAM, *self._programs):
            if kind == _LOAD and size:
                image.extend(bytes(max(0, address + size - len(image))))
                image[address:address + size] = self._content[offset:offset + size]
        return bytes(image)

    def symbols(self) -> dict[str, int]:
        """The values of all symbols by name."""
        sections = list(self._table(_SECTION, *self._sections))
        symbols = {}
        for _, kind, _, _, offset, size, link, *_ in sections:
            if kind == _SYMBOL_TABLE:
                for name, value, *_ in self._table(_SYMBOL, offset, size // _SYMBOL.size):
                    symbols[self._name(sections[link][4] + name)] = value
        return symbols

    def _table(self, entry: struct.Struct, offset: int, count: int) -> Iterator[tuple[int, ...]]:
        return (entry.unpack_from(self._content, offset + index * entry.size) for index in range(count))

    def _name(self, offset: int) -> str:
        return self._content[offset:self._content.index(b"\0", offset)].decode()
