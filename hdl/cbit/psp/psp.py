# amaranth: UnusedElaboratable=no
"""The security processor: the parts of this folder, joined."""

from collections.abc import Sequence

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import AxiLiteSignature
from cbit.config import SBox
from cbit.csr.bank import ADDR_WIDTH, Bank
from cbit.csr.map import registers
from cbit.psp.addresses import DRAM_ADDR_WIDTH, AddressDecoder
from cbit.psp.aes128 import Aes128
from cbit.psp.bridge import RegisterBridge
from cbit.psp.buffer import Buffer
from cbit.psp.dma import Dma
from cbit.psp.dram_table import DramTable
from cbit.psp.entropy import Entropy
from cbit.psp.interrupts import Interrupts
from cbit.psp.mailbox import MAILBOX_ADDR_WIDTH, Mailbox
from cbit.psp.noise_source import SimulatedNoise
from cbit.psp.p384.bus import P384Window
from cbit.psp.p384.unit import P384
from cbit.psp.processor import Processor
from cbit.psp.program import ProgramMemory
from cbit.psp.ring_noise import RingNoise
from cbit.psp.sha256 import Sha256
from cbit.psp.system import SystemRegisters
from cbit.psp.window import BufferWindow

__all__ = ["Psp"]


class Psp(Component):
    """A processor with its memory, registers and units, which the host reaches by the mailbox alone.

    Parameters
    ----------
    firmware : :class:`bytes`
        What its memory holds when power comes. Up to 64 KiB.
    device_secret, memory_bytes, c_bit, asid_count
        As of :class:`~cbit.psp.system.SystemRegisters`.
    addr_width, id_width
        As of :class:`~cbit.psp.dma.Dma`.
    simulated_entropy : :class:`bool`
        Whether its random bits are those of :class:`~cbit.psp.noise_source.SimulatedNoise`, for which there is no
        platform with a device, and not of :class:`~cbit.psp.ring_noise.RingNoise`.
    sbox : :class:`~cbit.config.SBox`
        How the S-boxes of its own AES are built.
    dram_table : sequence of :class:`int` or :data:`None`
        The words of the map `dram_table`, if there is DRAM that the firmware has to initialize and level.

    Members
    -------
    s_axil_mailbox : ``In(AxiLiteSignature(addr_width=17))``
        The host's port.
    m_axil_engine : ``Out(AxiLiteSignature(addr_width=12))``
        To the engine's registers of the security processor.
    m_axil_dram : ``Out(AxiLiteSignature(addr_width=13))``
        With a table, to the registers of the DRAM's controller.
    dram_open : ``Out(1)``
        With a table: DRAM is initialized. Low from reset until the firmware says so.
    m_axi : ``Out(Axi4Signature(...))``
        To memory, by way of the engine, as of :class:`~cbit.psp.dma.Dma`.
    tsme : ``In(1)``
        The strap that tells the firmware to encrypt all accesses of the host.
    engine_irq : ``In(1)``
        The engine's interrupt.
    cache_flushed : ``In(1)``
        High for a cycle when every cache of the host was written back and invalidated.
    host_release : ``Out(1)``
        The host may run. Low from reset until the firmware says so.
    mailbox_irq : ``Out(1)``
        The host's interrupt.
    entropy_seed : ``In(32)``
        If entropy is simulated, where its bits begin; zero for none.
    entropy_stuck : ``In(1)``
        If entropy is simulated, makes all its bits zero.

    Raises
    ------
    ValueError
        If firmware or table do not fit, or as of :class:`~cbit.psp.system.SystemRegisters`.
    """

    def __init__(self, *, firmware: bytes, device_secret: bytes, memory_bytes: int, addr_width: int, id_width: int,
                 c_bit: int, asid_count: int, simulated_entropy: bool, sbox: SBox = SBox.COMPOSITE,
                 dram_table: Sequence[int] | None = None):
        self.sbox = sbox
        self.simulated_entropy = simulated_entropy
        self.table = None if dram_table is None else DramTable(words=dram_table)
        self.mailbox = Mailbox()
        self.dma = Dma(addr_width=addr_width, id_width=id_width, asid_width=(asid_count - 1).bit_length())
        self.program = ProgramMemory(firmware=firmware)
        self.system = SystemRegisters(c_bit=c_bit, asid_count=asid_count, memory_bytes=memory_bytes,
                                      device_secret=device_secret, simulated=simulated_entropy,
                                      levels_dram=dram_table is not None)
        super().__init__({
            "s_axil_mailbox": In(AxiLiteSignature(addr_width=MAILBOX_ADDR_WIDTH)),
            "m_axil_engine": Out(AxiLiteSignature(addr_width=ADDR_WIDTH)),
            "m_axi": Out(self.dma.m_axi.signature),
            "tsme": In(1),
            "engine_irq": In(1),
            "cache_flushed": In(1),
            "host_release": Out(1),
            "mailbox_irq": Out(1),
            **({"entropy_seed": In(32), "entropy_stuck": In(1)} if simulated_entropy else {}),
            **({} if dram_table is None else {
                "m_axil_dram": Out(AxiLiteSignature(addr_width=DRAM_ADDR_WIDTH)), "dram_open": Out(1)}),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        system, program = self.system, self.program
        m.submodules.program, m.submodules.system = program, system
        m.submodules.processor = processor = Processor()
        m.submodules.addresses = addresses = AddressDecoder(levels_dram=self.table is not None)
        m.submodules.interrupts = interrupts = Interrupts()
        m.submodules.mailbox = mailbox = self.mailbox
        connect(m, processor.bus, addresses.bus)
        connect(m, addresses.memory, program.bus)
        connect(m, flipped(self.s_axil_mailbox), mailbox.s_axil)
        m.d.comb += [
            processor.irq.eq(interrupts.irq),
            addresses.refused.eq(program.stray | (0 if self.table is None else self.table.stray)),
            program.locked.eq(system.code_locked),
            program.code_pages.eq(system.code_pages),
            system.tsme.eq(self.tsme),
            system.stray.eq(addresses.stray),
            interrupts.command.eq(mailbox.waits),
            interrupts.engine.eq(self.engine_irq),
            interrupts.cache_flushed.eq(self.cache_flushed),
            mailbox.code.eq(system.shown_code),
            mailbox.released.eq(system.host_release),
            mailbox.development.eq(system.strap.value.development),
            mailbox.simulated.eq(system.strap.value.simulated),
            self.host_release.eq(system.host_release),
            self.mailbox_irq.eq(mailbox.irq),
        ]
        self._join_registers(m, addresses, [system, interrupts, mailbox, *self._join_units(m, addresses)])
        return m

    def _join_units(self, m: Module, addresses: AddressDecoder) -> list[Component]:
        """What works for the processor, joined to the buffer and to memory."""
        m.submodules.dma = self.dma
        connect(m, self.dma.m_axi, flipped(self.m_axi))
        m.submodules.sha = sha = Sha256()
        m.submodules.aes = aes = Aes128(sbox=self.sbox)
        units = [self.dma, sha, aes]
        m.submodules.buffer = buffer = Buffer(units=len(units))
        m.submodules.window = window = BufferWindow()
        connect(m, addresses.buffer, window.bus)
        connect(m, window.buffer, buffer.processor)
        for unit, port in zip(units, buffer.units, strict=True):
            connect(m, unit.buffer, port)
        return [*units, self._join_numbers(m, addresses), self._join_entropy(m)]

    def _join_numbers(self, m: Module, addresses: AddressDecoder) -> P384:
        m.submodules.p384 = p384 = P384()
        m.submodules.numbers = numbers = P384Window()
        connect(m, addresses.numbers, numbers.bus)
        connect(m, numbers.window, p384.window)
        return p384

    def _join_entropy(self, m: Module) -> Entropy:
        m.submodules.noise = source = SimulatedNoise() if self.simulated_entropy else RingNoise()
        m.submodules.entropy = entropy = Entropy()
        connect(m, source.noise, entropy.noise)
        if self.simulated_entropy:
            m.d.comb += source.seed.eq(self.entropy_seed)
            with m.If(self.entropy_stuck):
                m.d.comb += entropy.noise.sample.eq(0)
        return entropy

    def _join_registers(self, m: Module, addresses: AddressDecoder, owners: list[Component]) -> None:
        """Leads the processor to its registers, which are members of their owners, and to the engine's."""
        m.submodules.bank = bank = Bank(registers=registers("processor"))
        m.submodules.bridge = bridge = RegisterBridge(addr_width=ADDR_WIDTH)
        m.submodules.engine_bridge = engine_bridge = RegisterBridge(addr_width=ADDR_WIDTH)
        connect(m, addresses.registers, bridge.bus)
        connect(m, addresses.engine, engine_bridge.bus)
        connect(m, bridge.m_axil, bank.s_axil)
        connect(m, engine_bridge.m_axil, flipped(self.m_axil_engine))
        dram_failed = self._join_dram(m, addresses)
        m.d.comb += self.system.bus_failed.eq(bridge.failed | engine_bridge.failed | dram_failed)
        for name in dict.fromkeys((register.array or register.name).lower() for register in bank.registers):
            for owner in owners:
                if name in owner.signature.members:
                    connect(m, getattr(bank, name), getattr(owner, name))

    def _join_dram(self, m: Module, addresses: AddressDecoder) -> Value | int:
        """Leads the processor to the registers of the DRAM's controller, and to what it is told of them; whether an
        access was answered with an error."""
        if self.table is None:
            return 0
        m.submodules.dram_table = self.table
        m.submodules.dram_bridge = bridge = RegisterBridge(addr_width=DRAM_ADDR_WIDTH)
        connect(m, addresses.dram_table, self.table.bus)
        connect(m, addresses.dram, bridge.bus)
        connect(m, bridge.m_axil, flipped(self.m_axil_dram))
        m.d.comb += self.dram_open.eq(self.system.dram_open)
        return bridge.failed
