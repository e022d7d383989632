"""The mailbox: the host's side, and the processor's."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from cbit.axi.ports import AxiLiteSignature
from cbit.csr.bank import Bank
from cbit.csr.map import register, registers, size_bytes
from cbit.csr.word import RegisterSignature

__all__ = ["MAILBOX_ADDR_WIDTH", "Mailbox"]

MAILBOX_ADDR_WIDTH = (size_bytes("mailbox") - 1).bit_length()
"""Bits of an address on the host's port."""


class Mailbox(wiring.Component):
    """Commands from the host, answers from the processor, one at a time.

    A command is under way from its write until it is answered. The meaning of each register is in `mailbox.rdl` and
    `processor.rdl`; latency and refusals of the bus are those of :class:`cbit.csr.bank.Bank`.

    Members
    -------
    s_axil : ``In(AxiLiteSignature(addr_width=17))``
        The host's.
    code : ``In(8)``
        The boot code that the host reads.
    released : ``In(1)``
        The host has been released, as it reads.
    development, simulated : ``In(1)``
        The device secret is the one for development, entropy is simulated, as the host reads.
    waits : ``Out(1)``
        A command is under way.
    irq : ``Out(1)``
        The host's interrupt.
    mailbox_command, mailbox_low, mailbox_high, mailbox_response : ``In(RegisterSignature(...))``
        The processor's registers of these names.
    """

    s_axil: In(AxiLiteSignature(addr_width=MAILBOX_ADDR_WIDTH))
    code: In(8)
    released: In(1)
    development: In(1)
    simulated: In(1)
    waits: Out(1)
    irq: Out(1)
    mailbox_command: In(RegisterSignature(register("processor", "MAILBOX_COMMAND")))
    mailbox_low: In(RegisterSignature(register("processor", "MAILBOX_LOW")))
    mailbox_high: In(RegisterSignature(register("processor", "MAILBOX_HIGH")))
    mailbox_response: In(RegisterSignature(register("processor", "MAILBOX_RESPONSE")))

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.bank = bank = Bank(registers=registers("mailbox"), addr_width=MAILBOX_ADDR_WIDTH)
        connect(m, flipped(self.s_axil), bank.s_axil)
        m.d.comb += [
            bank.boot_status.value.code.eq(self.code),
            bank.boot_status.value.released.eq(self.released),
            bank.boot_status.value.development.eq(self.development),
            bank.boot_status.value.simulated.eq(self.simulated),
        ]
        for port, own in ((bank.buffer_low, self.mailbox_low), (bank.buffer_high, self.mailbox_high)):
            address = Signal(32)
            m.d.comb += [
                port.value.address.eq(address),
                port.refuse.eq(self.waits),
                own.value.address.eq(address),
            ]
            with m.If(port.write):
                m.d.sync += address.eq(port.data.address)
        self._elaborate_interrupt(m, bank, self._elaborate_command(m, bank))
        return m

    def _elaborate_command(self, m: Module, bank: Bank) -> Signal:
        """Takes and answers commands; whether a command that has asked for an interrupt is answered."""
        low, command, is_complete = Signal(16), Signal(15), Signal()
        port, answer = bank.command, self.mailbox_response
        m.d.comb += [
            port.refuse.eq(self.waits),
            port.value.status.eq(low),
            port.value.command.eq(command),
            port.value.done.eq(~self.waits),
            self.mailbox_command.value.as_value().eq(Mux(self.waits, port.value.as_value(), 0)),
            answer.refuse.eq(~self.waits),
            is_complete.eq(answer.write & low[0]),
        ]
        with m.If(port.write):
            m.d.sync += [low.eq(port.data.status), command.eq(port.data.command), self.waits.eq(1)]
        with m.If(answer.write):
            m.d.sync += [low.eq(answer.data.status), command.eq(0), self.waits.eq(0)]
        return is_complete

    def _elaborate_interrupt(self, m: Module, bank: Bank, is_complete: Signal) -> None:
        status, enable = Signal(), Signal()
        m.d.comb += [
            bank.interrupt_status.value.complete.eq(status),
            bank.interrupt_enable.value.complete.eq(enable),
        ]
        m.d.sync += self.irq.eq(status & enable)
        with m.If(is_complete):
            m.d.sync += status.eq(1)
        with m.Elif(bank.interrupt_status.write & bank.interrupt_status.data.complete):
            m.d.sync += status.eq(0)
        with m.If(bank.interrupt_enable.write):
            m.d.sync += enable.eq(bank.interrupt_enable.data.complete)
