"""The platform with its firmware, for a process outside that is its host: see :mod:`cbit_sim.simulated_platform`.

Parameters: ``socket``, the path of the caller's; ``seed``. While no request comes, the simulation stands still.
"""

import socket
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.simtime import get_sim_time
from cocotb.triggers import FallingEdge, First, RisingEdge, Timer, Trigger

from cbit_model.sev.psp import command_of
from cbit_sim.beats import Address, WriteData
from cbit_sim.host_memory import HostMemory
from cbit_sim.manager import Transaction
from cbit_sim.pace import Pace
from cbit_sim.platform_bed import PSP_PERIOD_PS, PlatformBed
from cbit_sim.session import current_session
from cbit_sim.traffic import PAGE_BYTES
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES
from cbit_sim.wire import Wire

_LOOK_CYCLES = 200_000
_FIRST_ERROR = 0xE0
_FLUSH_CYCLES = 32

_Answer = dict[str, Any]


def _cycles() -> int:
    """Of the security processor's clock, since time began."""
    return int(get_sim_time("ps")) // PSP_PERIOD_PS


class _Service:
    """A platform, and what can be asked of it. An answer with ``boot_code`` says that its processor has stopped."""

    def __init__(self, dut: Any, wire: Wire):
        session = current_session()
        self._dut = dut
        self._wire = wire
        self._bed = PlatformBed(dut, session, size_bytes=PLATFORM_MEMORY_BYTES, seed=session.parameters["seed"])
        self._pace = Pace(self._bed)
        self._memory = HostMemory(self._bed.manager, bus_bytes=int(session.config["data_width"]) // 8,
                                  asid_width=(int(session.config["asid_count"]) - 1).bit_length())
        self._asked: dict[str, Callable[..., Any]] = {
            "boot": self.boot, "command": self.command, "read": self.read, "write": self.write,
            "perform": self.perform, "dram": self.dram, "overwrite": self.overwrite, "changes": self.changes,
            "registers": self.registers, "flush_caches": self.flush_caches}
        self._seen = bytes(PLATFORM_MEMORY_BYTES)

    async def serve(self) -> None:
        """Answers requests until the caller has gone."""
        while True:
            try:
                request = self._wire.receive()
            except EOFError:
                return
            answer = await self._asked[request.pop("ask")](**request)
            self._wire.send(answer={"cycle": _cycles(), "engine_cycle": self._bed.clocked.cycle, **answer})

    async def boot(self) -> _Answer:
        """From reset to the release of the host."""
        await self._bed.reset()
        failure = await self._until(FallingEdge(self._dut.host_reset), lambda: not int(self._dut.host_reset.value))
        await self._bed.mailbox.enable_interrupt()
        return failure

    async def command(self, word: int, buffer: int) -> _Answer:
        """As a driver does it, with the interrupt; the response."""
        mailbox = self._bed.mailbox
        await mailbox.start(command_of(word), buffer)
        failure = await self._until(RisingEdge(self._dut.mailbox_irq), lambda: bool(int(self._dut.mailbox_irq.value)))
        if failure:
            return failure
        await mailbox.write("INTERRUPT_STATUS", COMPLETE=1)
        return {"response": await mailbox.read("COMMAND")}

    async def read(self, address: int, length: int, asid: int) -> _Answer:
        """What software sees in memory; nothing where it is denied."""
        content = await self._memory.read(address, length, asid)
        return {} if content is None else {"content": content.hex()}

    async def write(self, address: int, data: str, asid: int) -> _Answer:
        """What software writes; whether it was let."""
        return {"is_good": await self._memory.write(address, bytes.fromhex(data), asid)}

    async def perform(self, bursts: list[tuple[list[int], list[list[int]] | None]]) -> _Answer:
        """Bursts, by the beats of their address and data; the responses of each, and the data that it has read."""
        transactions = [Transaction(Address(*address), data if data is None else [WriteData(*beat) for beat in data])
                        for address, data in bursts]
        await self._memory.perform(transactions)
        return {"bursts": [(burst.responses, burst.read) for burst in transactions]}

    async def dram(self, address: int, length: int) -> _Answer:
        """What an attacker at the DRAM sees."""
        return {"content": self._bed.dram.memory[address:address + length].hex()}

    async def overwrite(self, address: int, data: str) -> _Answer:
        """What an attacker at the DRAM makes of it."""
        content = bytes.fromhex(data)
        self._bed.dram.memory[address:address + len(content)] = content
        return {}

    async def changes(self) -> _Answer:
        """The pages of DRAM that are not as they were when this was asked last; all were zero before."""
        now, before = bytes(self._bed.dram.memory), self._seen
        self._seen = now
        starts = range(0, len(now), PAGE_BYTES) if now != before else ()
        return {"pages": [(start, now[start:start + PAGE_BYTES].hex()) for start in starts
                          if now[start:start + PAGE_BYTES] != before[start:start + PAGE_BYTES]]}

    async def registers(self) -> _Answer:
        """Every word that the host can read of the mailbox."""
        return {"words": {name: await self._bed.mailbox.read(name) for name in self._bed.mailbox.names}}

    async def flush_caches(self) -> _Answer:
        """All caches of the host have been written back and invalidated."""
        self._dut.wbinvd.value = 1
        await self._bed.clocked.cycles(1)
        self._dut.wbinvd.value = 0
        await self._bed.clocked.cycles(_FLUSH_CYCLES)
        return {}

    async def _until(self, edge: Trigger, is_done: Callable[[], bool]) -> _Answer:
        """Waits for the security processor, and tells the caller of it now and then."""
        begun = _cycles()
        while True:
            await First(edge, Timer(_LOOK_CYCLES * PSP_PERIOD_PS, "ps"))
            self._wire.send(cycles=_cycles() - begun)
            if is_done():
                break
            code = (await self._bed.mailbox.read_fields("BOOT_STATUS"))["CODE"]
            if code >= _FIRST_ERROR:
                return {"boot_code": code}
        return {}


@cocotb.test()
async def serve(dut: Any) -> None:
    """Until the caller has gone."""
    session = current_session()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(session.parameters["socket"])
    wire = Wire(connection)
    await _Service(dut, wire).serve()
    session.report(cycles=_cycles())
