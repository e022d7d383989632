"""What frames of the bridge are made of; the README of this folder is the description for who writes the other side."""

from amaranth.lib import enum
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.data import StructLayout

__all__ = ["CRC", "CRC_BYTES", "DATA_BYTES", "DELIMITER", "HEADER_BYTES", "PREAMBLE", "REQUEST", "VERSION", "Operation",
           "Outcome"]

VERSION = 1

DATA_BYTES = 1024
"""Most bytes of data in a frame."""

HEADER_BYTES = 15
CRC_BYTES = 4

DELIMITER = 0x00
"""The only byte that is low for nine bits, and none of COBS's."""

PREAMBLE = 0x55
"""After the delimiter, the byte that changes from bit to bit."""

CRC = CRC32_ISO_HDLC(data_width=8)
"""That of IEEE 802.3, its least significant byte first."""

REQUEST = StructLayout({"sequence": 8, "operation": 8, "address": 64, "asid": 16, "attributes": 8, "length": 16})
"""The header of a request, the first byte in bits 7..0."""


class Operation(enum.Enum, shape=8):
    """What a request asks for. ``MEMORY`` is by way of the engine, ``RAW`` is DRAM behind it."""

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


class Outcome(enum.Enum, shape=8):
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
