"""The memory of the firmware, whose code can be locked."""

from amaranth.hdl import Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.psp.wishbone import WishboneSignature

__all__ = ["CODE_ALIGN_BYTES", "MEMORY_BYTES", "ProgramMemory"]

MEMORY_BYTES = 1 << 16

CODE_ALIGN_BYTES = 256
"""Where the end of the code may be: at a multiple of this."""

_WORDS = MEMORY_BYTES // 4


class ProgramMemory(wiring.Component):
    """64 KiB of memory that hold the firmware when power comes. A reset leaves them as they are, and in it nothing is
    written.

    An access is acknowledged in the cycle after it begins, in which a write is done, too. One of locked code changes
    nothing and is never acknowledged.

    Parameters
    ----------
    firmware : :class:`bytes`
        What it holds from address 0 on; zeros follow. Byte 0 is bits 7..0 of word 0.

    Members
    -------
    bus : ``In(WishboneSignature(addr_width=14))``
    code_pages : ``In(9)``
        First byte past the code, in multiples of 256 bytes.
    locked : ``In(1)``
        The code can not be written.
    stray : ``Out(1)``
        A write of locked code is offered.

    Raises
    ------
    ValueError
        If the firmware does not fit.
    """

    bus: In(WishboneSignature(addr_width=(_WORDS - 1).bit_length()))
    code_pages: In(range(MEMORY_BYTES // CODE_ALIGN_BYTES + 1))
    locked: In(1)
    stray: Out(1)

    def __init__(self, *, firmware: bytes):
        if len(firmware) > MEMORY_BYTES:
            raise ValueError(f"firmware must be of at most {MEMORY_BYTES} bytes, not {len(firmware)}")
        self.firmware = firmware
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        words = [int.from_bytes(self.firmware[start:start + 4], "little") for start in range(0, len(self.firmware), 4)]
        # What is read in the cycle of a write is not used, so synthesis need not care what comes.
        m.submodules.memory = memory = Memory(shape=32, depth=_WORDS, init=words, attrs={"no_rw_check": 1})
        write, read = memory.write_port(granularity=8), memory.read_port(transparent_for=())
        page = self.bus.adr[(CODE_ALIGN_BYTES // 4 - 1).bit_length():]
        m.d.comb += [
            self.stray.eq(self.bus.stb & self.bus.we & self.locked & (page < self.code_pages)),
            write.addr.eq(self.bus.adr),
            write.data.eq(self.bus.dat_w),
            write.en.eq(self.bus.sel & (self.bus.ack & self.bus.we & ~ResetSignal()).replicate(4)),
            read.addr.eq(self.bus.adr),
            self.bus.dat_r.eq(read.data),
        ]
        m.d.sync += self.bus.ack.eq(self.bus.stb & ~self.bus.ack & ~self.stray)
        return m
