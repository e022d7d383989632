"""What of an ELF file lies in memory."""

import struct

__all__ = ["loadable"]

_CLASS_32 = b"\x7fELF\x01\x01"
_LOAD = 1


def loadable(elf: bytes) -> bytes:
    """The bytes of all segments to be loaded, from address 0 on (Tool Interface Standard, ELF 1.2, 2-2).

    Raises
    ------
    ValueError
        If it is not an ELF file of 32 bits, little-endian.
    """
    if not elf.startswith(_CLASS_32):
        raise ValueError(f"ELF file must be of 32 bits and little-endian, not begin with {elf[:6].hex()}")
    table, = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<HH", elf, 42)
    image = bytearray()
    for number in range(count):
        kind, offset, _, address, file_bytes, memory_bytes = struct.unpack_from("<6I", elf, table + number * size)
        if kind == _LOAD:
            image.extend(bytes(max(0, address + memory_bytes - len(image))))
            image[address:address + file_bytes] = elf[offset:offset + file_bytes]
    return bytes(image)
