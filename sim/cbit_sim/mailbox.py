"""The mailbox as a driver of the host uses it."""

from typing import Any

from cocotb.triggers import RisingEdge

from cbit_sim.psp import RegisterPort

__all__ = ["Mailbox"]


class Mailbox(RegisterPort):
    """The registers of the mailbox by name, and commands.

    Parameters
    ----------
    dut
        cocotb's handle of the platform.
    """

    def __init__(self, dut: Any):
        super().__init__(dut, "s_axil_mailbox", "mailbox")
        self._irq = dut.mailbox_irq

    async def enable_interrupt(self) -> None:
        """What :meth:`command` waits for."""
        await self.write("INTERRUPT_ENABLE", COMPLETE=1)

    async def start(self, command: int, buffer: int = 0, *, wants_interrupt: bool = True) -> None:
        """Writes the address of a command's buffer, then the command.

        Raises
        ------
        cbit_sim.psp.RefusedError
            If one is under way.
        """
        await self.write("BUFFER_LOW", ADDRESS=buffer & 0xFFFF_FFFF)
        await self.write("BUFFER_HIGH", ADDRESS=buffer >> 32)
        await self.write("COMMAND", COMMAND=command, STATUS=int(wants_interrupt))

    async def answer(self) -> int:
        """Waits for the interrupt, clears it, and returns the status. No Python runs meanwhile."""
        if not int(self._irq.value):
            await RisingEdge(self._irq)
        await self.write("INTERRUPT_STATUS", COMPLETE=1)
        fields = await self.read_fields("COMMAND")
        assert fields["DONE"], "the mailbox interrupts before it is done"
        return fields["STATUS"]

    async def command(self, command: int, buffer: int = 0) -> int:
        """Carries out a command, and returns its status."""
        await self.start(command, buffer)
        return await self.answer()
