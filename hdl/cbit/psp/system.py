"""What the firmware sets once, and what it is told of the platform."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.csr.map import register
from cbit.csr.word import ArraySignature, RegisterSignature
from cbit.psp.program import CODE_ALIGN_BYTES, MEMORY_BYTES

__all__ = ["DEVELOPMENT_SECRET", "PAGE_BYTES", "SECRET_BYTES", "SystemRegisters"]

DEVELOPMENT_SECRET = b"known to all: Cbit's development"
"""Of devices that need no secret, such as simulated ones, of which ``STRAP.DEVELOPMENT`` tells."""

PAGE_BYTES = 4096
"""Unit of ``MEMORY_PAGES``."""

SECRET_BYTES = 32

_MOST_PAGES = (1 << 32) - 1

_CODE = register("processor", "BOOT_CODE").fields[0]


class SystemRegisters(wiring.Component):
    """Locks, release of the host, boot code, bus errors, the device secret, and what does not change.

    Parameters
    ----------
    c_bit : :class:`int`
        Position of the C-bit.
    asid_count : :class:`int`
        Number of ASIDs.
    memory_bytes : :class:`int`
        Bytes of DRAM. A multiple of 4096, below 2^44.
    device_secret : :class:`bytes`
        The 32 bytes that tell this device from others.
    simulated : :class:`bool`
        Whether the entropy source is a simulated one.
    levels_dram : :class:`bool`
        Whether the firmware has to initialize DRAM.

    Members
    -------
    tsme : ``In(1)``
        The strap.
    bus_failed : ``In(1)``
        An access to registers was answered with an error.
    stray : ``In(1)``
        The processor stands still.
    host_release : ``Out(1)``
        The host may run. Once it is high it stays so until reset.
    dram_open : ``Out(1)``
        DRAM is initialized. Once it is high it stays so until reset; always low unless ``levels_dram``.
    code_pages : ``Out(9)``
        End of the code, in multiples of 256 bytes.
    code_locked : ``Out(1)``
        It can not be written, until reset.
    shown_code : ``Out(8)``
        What the host reads as the boot code.
    strap, platform, memory_pages, control, code_end, bus_error, boot_code : ``In(RegisterSignature(...))``
        The registers of these names.
    device_secret : ``In(ArraySignature(...))``
        The register of this name.

    Raises
    ------
    ValueError
        If the device secret is not of 32 bytes, or memory not of a whole number of pages that 32 bits can tell.
    """

    def __init__(self, *, c_bit: int, asid_count: int, memory_bytes: int, device_secret: bytes, simulated: bool,
                 levels_dram: bool = False):
        if len(device_secret) != SECRET_BYTES:
            raise ValueError(f"device_secret must be of {SECRET_BYTES} bytes, not {len(device_secret)}")
        if memory_bytes <= 0 or memory_bytes % PAGE_BYTES:
            raise ValueError(f"memory_bytes must be a multiple of {PAGE_BYTES}, not {memory_bytes!r}")
        if memory_bytes // PAGE_BYTES > _MOST_PAGES:
            raise ValueError(f"memory_bytes must be below 2**44, not {memory_bytes}")
        self.c_bit = c_bit
        self.asid_count = asid_count
        self.memory_bytes = memory_bytes
        self.secret = device_secret
        self.simulated = simulated
        self.levels_dram = levels_dram
        ports = ("STRAP", "PLATFORM", "MEMORY_PAGES", "CONTROL", "CODE_END", "BUS_ERROR", "BOOT_CODE")
        super().__init__({
            "tsme": In(1),
            "bus_failed": In(1),
            "stray": In(1),
            "host_release": Out(1),
            "dram_open": Out(1),
            "code_pages": Out(range(MEMORY_BYTES // CODE_ALIGN_BYTES + 1)),
            "code_locked": Out(1),
            "shown_code": Out(8),
            **{name.lower(): In(RegisterSignature(register("processor", name))) for name in ports},
            "device_secret": In(ArraySignature(register("processor", "DEVICE_SECRET0"), count=SECRET_BYTES // 4)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.d.comb += [
            self.strap.value.tsme.eq(self.tsme),
            self.strap.value.simulated.eq(self.simulated),
            self.strap.value.development.eq(self.secret == DEVELOPMENT_SECRET),
            self.strap.value.dram.eq(self.levels_dram),
            self.platform.value.c_bit.eq(self.c_bit),
            self.platform.value.asid_count.eq(self.asid_count),
            self.memory_pages.value.pages.eq(self.memory_bytes // PAGE_BYTES),
        ]
        self._elaborate_locks(m)
        bus_error, failed = self.bus_error, Signal()
        m.d.comb += bus_error.value.seen.eq(failed)
        with m.If(self.bus_failed):
            m.d.sync += failed.eq(1)
        with m.Elif(bus_error.write):
            m.d.sync += failed.eq(0)
        code = Signal(8)
        with m.If(self.boot_code.write):
            m.d.sync += code.eq(self.boot_code.data.code)
        m.d.comb += self.shown_code.eq(Mux(self.stray, _CODE.values["STRAY"], code))
        return m

    def _elaborate_locks(self, m: Module) -> None:
        control, end = self.control, self.code_end
        is_hidden = Signal()
        m.d.comb += control.refuse.eq(control.data.code_lock & (self.code_pages == 0))
        with m.If(control.write):
            m.d.sync += [
                self.host_release.eq(self.host_release | control.data.host_release),
                self.code_locked.eq(self.code_locked | control.data.code_lock),
                is_hidden.eq(is_hidden | control.data.secret_hide),
            ]
            if self.levels_dram:
                m.d.sync += self.dram_open.eq(self.dram_open | control.data.dram_open)
        shift = (CODE_ALIGN_BYTES - 1).bit_length()
        m.d.comb += [
            end.refuse.eq(self.code_locked),
            end.value.address.eq(self.code_pages << shift),
        ]
        with m.If(end.write):
            m.d.sync += self.code_pages.eq(end.data.address >> shift)
        for index in range(SECRET_BYTES // 4):
            word = int.from_bytes(self.secret[4 * index:4 * index + 4], "little")
            m.d.comb += self.device_secret.value[index].word.eq(Mux(is_hidden, 0, word))
