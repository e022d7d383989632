"""Attacks on the firmware on its gateware: entropy that fails, hosts that race, resets and clocks that come amiss.

Parameters: ``seed``.
"""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, First, RisingEdge, Timer, Trigger

from cbit_model.sev.constants import Command, PlatformState, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS, Layout
from cbit_sim.host_memory import HostMemory
from cbit_sim.pace import Pace
from cbit_sim.platform_bed import PSP_PERIOD_PS, PlatformBed
from cbit_sim.psp import RefusedError
from cbit_sim.session import current_session
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

_BUFFER = 0x10_0000
_IMAGE = 0x20_0000
_PDH, _CHAIN = 0x30_0000, 0x31_0000
_PAGE = 0x1000
_UP, _ENTROPY = 0x80, 0xE0
_FIRST_END = 0x80
_LOOK_CYCLES = 100_000
_LIMIT_LOOKS = 400
_BOOT_CYCLES = 3_000_000
_FAIL_CYCLES = 5_000


class _Bench:
    """A platform, its host, and the attacker at DRAM and pins."""

    def __init__(self, dut: Any):
        self.dut = dut
        self.session = current_session()
        self.rng = random.Random(self.session.parameters["seed"])
        self.bed = PlatformBed(dut, self.session, size_bytes=PLATFORM_MEMORY_BYTES,
                               seed=self.session.parameters["seed"])
        Pace(self.bed)
        self.mailbox = self.bed.mailbox
        self.dram = self.bed.dram.memory
        self.private = 1 << int(self.session.config["c_bit"])
        self.memory = HostMemory(self.bed.manager, bus_bytes=int(self.session.config["data_width"]) // 8,
                                 asid_width=(int(self.session.config["asid_count"]) - 1).bit_length())

    async def psp_cycles(self, count: int) -> None:
        await Timer(count * PSP_PERIOD_PS, "ps")

    async def boot(self, *, entropy_seed: int | None = None) -> int:
        """Resets, and gives the code with which the boot ends."""
        if entropy_seed is not None:
            self.dut.entropy_seed.value = entropy_seed
        await self.bed.reset()
        await self._until(FallingEdge(self.dut.host_reset), _FIRST_END)
        await self.mailbox.enable_interrupt()
        return await self.code()

    async def code(self) -> int:
        return (await self.mailbox.read_fields("BOOT_STATUS"))["CODE"]

    async def start(self, command: Command, **fields: int | bytes) -> None:
        """Lays out a command's buffer in DRAM, which software sees as it is, and gives the command."""
        content = COMMAND_BUFFERS.get(command, Layout(0)).pack(**fields)
        self.dram[_BUFFER:_BUFFER + len(content)] = content
        await self.mailbox.start(command, _BUFFER)

    async def answer(self) -> Status:
        """How a command ends."""
        if not int(self.dut.mailbox_irq.value):
            await self._until(RisingEdge(self.dut.mailbox_irq), _UP + 1)
        return Status(await self.mailbox.answer())

    async def command(self, command: Command, **fields: int | bytes) -> Status:
        await self.start(command, **fields)
        return await self.answer()

    async def must(self, command: Command, **fields: int | bytes) -> None:
        status = await self.command(command, **fields)
        assert status is Status.SUCCESS, f"{command.name} ended with {status.name}"

    async def state(self) -> tuple[int, int]:
        """State of the platform, and guests."""
        await self.must(Command.PLATFORM_STATUS)
        layout = COMMAND_BUFFERS[Command.PLATFORM_STATUS]
        content = bytes(self.dram[_BUFFER:_BUFFER + layout.size])
        return layout.number(content, "state"), layout.number(content, "guests")

    async def export(self) -> bytes:
        """The PDH's certificate and the chain."""
        await self.must(Command.PDH_CERT_EXPORT, pdh_address=_PDH, pdh_length=0x824, chain_address=_CHAIN,
                        chain_length=0x186C)
        return bytes(self.dram[_PDH:_PDH + 0x824] + self.dram[_CHAIN:_CHAIN + 0x186C])

    async def launch(self, asid: int) -> int:
        """A guest that has an ASID; its handle."""
        await self.must(Command.LAUNCH_START)
        handle = int.from_bytes(self.dram[_BUFFER:_BUFFER + 4], "little")
        await self.must(Command.ACTIVATE, handle=handle, asid=asid)
        return handle

    async def finish(self) -> None:
        self.session.report(cycles=self.bed.clocked.cycle)

    async def _until(self, edge: Trigger, first_end: int) -> None:
        for _ in range(_LIMIT_LOOKS):
            if await First(edge, Timer(_LOOK_CYCLES * PSP_PERIOD_PS, "ps")) is edge:
                return
            if await self.code() >= first_end:
                return
        raise TimeoutError(f"nothing came of {_LIMIT_LOOKS * _LOOK_CYCLES} cycles")


@cocotb.test()
async def entropy_stuck_before_boot(dut: Any) -> None:
    """The host is never released; what gets well again stays failed until reset."""
    bench = _Bench(dut)
    dut.entropy_stuck.value = 1
    assert await bench.boot() == _ENTROPY
    dut.entropy_stuck.value = 0
    await bench.mailbox.start(Command.PLATFORM_STATUS, _BUFFER)
    await bench.psp_cycles(_BOOT_CYCLES // 3)
    assert await bench.mailbox.read_fields("BOOT_STATUS") == {
        "CODE": _ENTROPY, "RELEASED": 0, "DEVELOPMENT": 1, "SIMULATED": 1}
    assert int(dut.host_reset.value)
    assert not int(dut.mailbox_irq.value)
    assert not any(bench.dram)
    assert await bench.boot() == _UP
    assert await bench.state() == (PlatformState.UNINIT, 0)
    await bench.finish()


@cocotb.test()
async def entropy_stuck_after_boot(dut: Any) -> None:
    """Nothing random is made any longer, and all else stays as it was."""
    bench = _Bench(dut)
    assert await bench.boot() == _UP
    dut.entropy_stuck.value = 1
    await bench.psp_cycles(_FAIL_CYCLES)
    before = bytes(bench.dram)
    for _ in range(2):
        assert await bench.command(Command.INIT) is Status.HARDWARE_ERROR_PLATFORM
        dut.entropy_stuck.value = 0
        assert bytes(bench.dram) == before
    assert await bench.state() == (PlatformState.UNINIT, 0)
    assert await bench.command(Command.PDH_GEN) is Status.INVALID_PLATFORM_STATE
    await bench.finish()


@cocotb.test()
async def entropy_stuck_after_init(dut: Any) -> None:
    """Keys stay; no new ones are made; what needs none goes on."""
    bench = _Bench(dut)
    assert await bench.boot() == _UP
    await bench.must(Command.INIT)
    handle = await bench.launch(asid=1)
    certificates = await bench.export()
    dut.entropy_stuck.value = 1
    await bench.psp_cycles(_FAIL_CYCLES)
    assert await bench.command(Command.PDH_GEN) is Status.HARDWARE_ERROR_PLATFORM
    assert await bench.command(Command.LAUNCH_START) is Status.HARDWARE_ERROR_PLATFORM
    assert await bench.command(Command.LAUNCH_MEASURE, handle=handle, address=_IMAGE, length=0x30) \
        is Status.HARDWARE_ERROR_PLATFORM
    assert not any(bench.dram[_IMAGE:_IMAGE + 0x30])
    assert await bench.state() == (PlatformState.WORKING, 1)
    assert await bench.export() == certificates
    await bench.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=_IMAGE, length=16)
    await bench.must(Command.DECOMMISSION, handle=handle)
    assert await bench.command(Command.PEK_GEN) is Status.HARDWARE_ERROR_PLATFORM
    assert await bench.export() == certificates
    await bench.finish()


@cocotb.test()
async def a_command_during_a_command(dut: Any) -> None:
    """Whatever is written of it meanwhile is refused, and the one under way goes on as it was given."""
    bench = _Bench(dut)
    assert await bench.boot() == _UP
    for _ in range(4):
        bench.dram[_BUFFER:_BUFFER + _PAGE] = b"\xa5" * _PAGE
        await bench.mailbox.start(Command.PLATFORM_STATUS, _BUFFER)
        refused = 0
        while not int(dut.mailbox_irq.value):
            # A command that ends between the look and the write has ended with an answer that is still there.
            for name, fields in (("BUFFER_LOW", {"ADDRESS": _IMAGE}), ("BUFFER_HIGH", {"ADDRESS": 1}),
                                 ("COMMAND", {"COMMAND": Command.GET_ID})):
                try:
                    await bench.mailbox.write(name, **fields)
                except RefusedError:
                    refused += 1
                else:
                    assert int(dut.mailbox_irq.value)
                    break
            await bench.psp_cycles(bench.rng.randrange(2000))
        assert refused >= 3
        await bench.mailbox.write("INTERRUPT_STATUS", COMPLETE=1)
        assert bench.dram[_BUFFER:_BUFFER + 2] == bytes([0, 24])
        assert bench.dram[_BUFFER + 12:_BUFFER + _PAGE] == b"\xa5" * (_PAGE - 12)
        assert not any(bench.dram[_IMAGE:_IMAGE + _PAGE])
        while not (await bench.mailbox.read_fields("COMMAND"))["DONE"]:
            await bench.psp_cycles(1000)
    assert await bench.state() == (PlatformState.UNINIT, 0)
    await bench.mailbox.write("COMMAND", COMMAND=Command.PDH_GEN, DONE=1, STATUS=1)
    assert await bench.answer() is Status.INVALID_PLATFORM_STATE
    await bench.finish()


class _Race:
    """Hosts that write one mailbox, and what it has taken of that."""

    def __init__(self, bench: _Bench):
        self.bench = bench
        self.address = {"BUFFER_LOW": 0, "BUFFER_HIGH": 0}
        self.taken: list[tuple[int, int]] = []

    async def write(self, name: str, **fields: int) -> None:
        await self.bench.mailbox.write(name, **fields)
        if name in self.address:
            self.address[name] = fields["ADDRESS"]
        else:
            self.taken.append((fields["COMMAND"], self.address["BUFFER_LOW"] | self.address["BUFFER_HIGH"] << 32))

    async def host(self, command: Command, buffer: int) -> None:
        """One host's command, given up when a write is refused."""
        wait = self.bench.psp_cycles
        try:
            await wait(self.bench.rng.randrange(1, 600))
            await self.write("BUFFER_LOW", ADDRESS=buffer & 0xFFFF_FFFF)
            await wait(self.bench.rng.randrange(1, 600))
            await self.write("BUFFER_HIGH", ADDRESS=buffer >> 32)
            await wait(self.bench.rng.randrange(1, 600))
            await self.write("COMMAND", COMMAND=command, STATUS=1)
        except RefusedError:
            return


@cocotb.test()
async def two_hosts_race(dut: Any) -> None:
    """Of two commands one is taken, with the address that the mailbox then has; it writes nothing but its buffer."""
    bench = _Bench(dut)
    assert await bench.boot() == _UP
    places = [0x10_0000, 0x20_0000]
    winners = set()
    for _ in range(12):
        race = _Race(bench)
        for place in places:
            bench.dram[place:place + _PAGE] = b"\x5a" * _PAGE
        hosts = [cocotb.start_soon(race.host(Command.PLATFORM_STATUS, places[0])),
                 cocotb.start_soon(race.host(Command.GUEST_STATUS, places[1] | 1 << 40))]
        for host in hosts:
            await host
        assert len(race.taken) == 1, "both commands are taken at once"
        ((command, address),) = race.taken
        winners.add((command, address))
        status = await bench.answer()
        expected = bytearray(b"\x5a" * 2 * _PAGE)
        if command == Command.GUEST_STATUS:
            assert status is Status.INVALID_PLATFORM_STATE
        elif address >> 40:
            assert status is Status.INVALID_ADDRESS
        else:
            assert status is Status.SUCCESS
            at = places.index(address) * _PAGE
            expected[at:at + 12] = bytes([0, 24, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0])
        seen = b"".join(bench.dram[place:place + _PAGE] for place in places)
        assert seen == expected, f"{command:#x} at {address:#x} has written elsewhere"
    assert len(winners) > 2
    await bench.finish()


@cocotb.test()
async def a_reset_within_a_command(dut: Any) -> None:
    """Nothing of before survives: no key, no guest, no answer. What was encrypted is lost."""
    bench = _Bench(dut)
    assert await bench.boot(entropy_seed=11) == _UP
    plain = bench.rng.randbytes(_PAGE)
    assert await bench.memory.write(bench.private | _PDH, plain, 0)
    await bench.start(Command.INIT)
    await bench.psp_cycles(bench.rng.randrange(_BOOT_CYCLES))
    assert await bench.boot(entropy_seed=12) == _UP
    assert not int(dut.mailbox_irq.value)
    assert await bench.state() == (PlatformState.UNINIT, 0)
    seen = await bench.memory.read(bench.private | _PDH, _PAGE, 0)
    assert seen not in (None, plain)
    await bench.must(Command.INIT)
    handle = await bench.launch(asid=1)
    image = bench.rng.randbytes(16 * _PAGE)
    bench.dram[_IMAGE:_IMAGE + len(image)] = image
    await bench.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=_IMAGE, length=_PAGE)
    assert await bench.memory.read(bench.private | _IMAGE, _PAGE, 1) == image[:_PAGE]
    await bench.start(Command.LAUNCH_UPDATE_DATA, handle=handle, address=_IMAGE + _PAGE, length=15 * _PAGE)
    while bench.dram[_IMAGE + 4 * _PAGE:_IMAGE + 4 * _PAGE + 16] == image[4 * _PAGE:4 * _PAGE + 16]:
        await bench.psp_cycles(1000)
    assert await bench.boot(entropy_seed=13) == _UP
    assert bench.dram[_IMAGE + 15 * _PAGE:_IMAGE + 16 * _PAGE] == image[15 * _PAGE:]
    for asid in range(1, int(bench.session.config["asid_count"])):
        assert await bench.memory.read(bench.private | _IMAGE, 64, asid) is None
    seen = await bench.memory.read(bench.private | _IMAGE, 2 * _PAGE, 0)
    assert seen is not None
    blocks = {image[start:start + 16] for start in range(0, len(image), 16)}
    assert not any(seen[start:start + 16] in blocks for start in range(0, len(seen), 16))
    assert await bench.state() == (PlatformState.UNINIT, 0)
    assert await bench.command(Command.GUEST_STATUS, handle=handle) is Status.INVALID_PLATFORM_STATE
    await bench.finish()


@cocotb.test()
async def resets_at_random_cycles(dut: Any) -> None:
    """However often a boot or a command is cut off, the next boot is a whole one."""
    bench = _Bench(dut)
    for _ in range(6):
        await bench.bed.reset()
        await bench.psp_cycles(bench.rng.randrange(1, _BOOT_CYCLES // 2))
        assert int(dut.host_reset.value)
    assert await bench.boot() == _UP
    for _ in range(3):
        await bench.start(Command.PLATFORM_STATUS)
        await bench.psp_cycles(bench.rng.randrange(1, 40_000))
        await bench.bed.reset()
        await bench.psp_cycles(bench.rng.randrange(1, 40_000))
        assert int(dut.host_reset.value)
    assert await bench.boot() == _UP
    assert await bench.state() == (PlatformState.UNINIT, 0)
    await bench.finish()


@cocotb.test()
async def engine_clock_stops(dut: Any) -> None:
    """While it stands the command waits; when it goes on, and however slowly, the answer is the right one."""
    bench = _Bench(dut)
    assert await bench.boot() == _UP
    for ratio in (1, 3, 1000):
        for _ in range(2):
            await bench.start(Command.PLATFORM_STATUS)
            await bench.psp_cycles(bench.rng.randrange(1, 30_000))
            bench.bed.stop_engine()
            await bench.psp_cycles(200_000)
            bench.bed.set_pace(ratio * PSP_PERIOD_PS)
            assert await bench.answer() is Status.SUCCESS
            assert bench.dram[_BUFFER:_BUFFER + 12] == bytes([0, 24, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0])
    await bench.finish()


@cocotb.test()
async def everything_is_encrypted_with_tsme(dut: Any) -> None:
    """With the strap, what the host writes without the C-bit is ciphertext in DRAM, command buffers too."""
    bench = _Bench(dut)
    dut.tsme.value = 1
    assert await bench.boot() == _UP
    data = bench.rng.randbytes(_PAGE)
    assert await bench.memory.write(_IMAGE, data, 0)
    assert await bench.memory.read(_IMAGE, _PAGE, 0) == data
    in_dram = bytes(bench.dram[_IMAGE:_IMAGE + _PAGE])
    assert not any(data[start:start + 16] in in_dram for start in range(0, _PAGE, 16))
    assert await bench.memory.write(_BUFFER, bytes(16), 0)
    await bench.mailbox.start(Command.PLATFORM_STATUS, _BUFFER)
    assert await bench.answer() is Status.SUCCESS
    assert await bench.memory.read(_BUFFER, 12, 0) == bytes([0, 24, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0])
    assert bench.dram[_BUFFER:_BUFFER + 2] != bytes([0, 24])
    await bench.finish()
