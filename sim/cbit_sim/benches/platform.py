"""The platform with the monitor as its firmware, which does for the host what the host asks by the mailbox.

Parameters: ``engine_period_ps`` and ``psp_period_ps`` (default 2000); ``seed``; ``resets`` (default 10).
"""

import hashlib
import random
from typing import Any

import cocotb
from Crypto.Cipher import AES

from cbit.csr.map import register
from cbit_model import p384
from cbit_sim.beats import Address, WriteData
from cbit_sim.manager import Transaction
from cbit_sim.monitor.build import INTERRUPTS, Command
from cbit_sim.platform_bed import PSP_PERIOD_PS, PlatformBed
from cbit_sim.psp import RefusedError
from cbit_sim.session import current_session
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

_REGISTERS = 0x1000_0000
_ENGINE = 0x1000_1000
_BUFFER = 0x1000_2000
_NUMBERS = 0x1000_4000
_NOWHERE = 0x2000_0000
_FREE = 0x9000
_PAGE_BYTES = 4096
_SIZE_BYTES = 1 << 16
_LOOKS = 2000
_INVALID_COMMAND = 0x11

_SHA_START = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
"""What SHA-256 starts from (FIPS 180-4, 5.3.3)."""


class _Bench:
    """A platform whose monitor has begun."""

    def __init__(self, dut: Any):
        self.dut = dut
        self.session = current_session()
        given = self.session.parameters
        self.rng = random.Random(given.get("seed", 0))
        self.bed = PlatformBed(dut, self.session, size_bytes=_SIZE_BYTES, seed=given.get("seed", 0),
                               engine_period_ps=given.get("engine_period_ps", PSP_PERIOD_PS),
                               psp_period_ps=given.get("psp_period_ps", PSP_PERIOD_PS))
        self.mailbox = self.bed.mailbox

    async def start(self) -> None:
        await self.bed.reset()
        await self.until_code("SELF_TESTS")
        await self.mailbox.enable_interrupt()

    async def finish(self) -> None:
        self.session.report(cycles=self.bed.clocked.cycle)

    async def code(self) -> int:
        return (await self.mailbox.read_fields("BOOT_STATUS"))["CODE"]

    async def until_code(self, name: str) -> None:
        """Waits until the host reads a boot code."""
        (field,) = (field for field in register("mailbox", "BOOT_STATUS").fields if field.name == "CODE")
        for _ in range(_LOOKS):
            if await self.code() == field.values[name]:
                return
        raise TimeoutError(f"the boot code is not {name} after {_LOOKS} looks")

    async def peek(self, address: int) -> int:
        """The word that the processor reads at an address."""
        low = await self.mailbox.command(Command.PEEK.value, address)
        return low | await self.mailbox.command(Command.UPPER.value) << 16

    async def poke(self, address: int, word: int, *, byte: bool = False) -> None:
        """Has the processor write a word, or a byte, at an address."""
        command = Command.POKE_BYTE if byte else Command.POKE
        assert await self.mailbox.command(command.value, address | word << 32) == 0

    async def read(self, name: str) -> int:
        """A register of the processor's."""
        return await self.peek(_REGISTERS + register("processor", name).offset)

    async def write(self, name: str, word: int) -> None:
        await self.poke(_REGISTERS + register("processor", name).offset, word)

    async def fill(self, offset: int, data: bytes) -> None:
        """Has the processor write whole words of the buffer."""
        for start in range(0, len(data), 4):
            await self.poke(_BUFFER + offset + start, int.from_bytes(data[start:start + 4], "little"))

    async def content(self, offset: int, length: int) -> bytes:
        """Whole words of the buffer, as the processor reads them."""
        words = [await self.peek(_BUFFER + offset + start) for start in range(0, length, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)

    async def dma(self, address: int, offset: int, length: int, *, asid: int, is_write: bool) -> bool:
        """Moves bytes between buffer and memory; whether without an error."""
        await self.write("DMA_LOW", address & 0xFFFF_FFFF)
        await self.write("DMA_HIGH", address >> 32)
        await self.write("DMA_ASID", asid)
        await self.write("DMA_START", offset | length << 16 | is_write << 31)
        while (status := await self.read("DMA_STATUS")) & 1:
            pass
        return not status

    async def engine(self, name: str, word: int) -> None:
        """Has the processor write a register of the engine's."""
        await self.poke(_ENGINE + register("psp", name).offset, word)

    async def install(self, slot: int) -> None:
        """Installs random keys in a slot of the engine."""
        while await self.peek(_ENGINE + register("psp", "STATUS").offset) & 1:
            pass
        for name in ("KEY_DATA", "KEY_TWEAK"):
            for index in range(4):
                await self.engine(f"{name}{index}", self.rng.getrandbits(32))
        await self.engine("COMMAND", 1 | slot << 16)
        while (status := await self.peek(_ENGINE + register("psp", "COMMAND_STATUS").offset)) & 1:
            pass
        assert status >> 8 == 0, "the engine refuses the keys"

    async def open_engine(self, *, sev: bool = False) -> None:
        """Sets and locks the engine's mode, and lets accesses in."""
        while await self.peek(_ENGINE + register("psp", "STATUS").offset) & 1:
            pass
        await self.engine("MODE", sev << 2)
        await self.engine("CONTROL", 3)

    async def refuses(self, name: str, **fields: int) -> None:
        """Asserts that a register of the mailbox refuses a write."""
        try:
            await self.mailbox.write(name, **fields)
        except RefusedError:
            return
        raise AssertionError(f"{name} takes what it must refuse")


@cocotb.test()
async def registers_and_memory(dut: Any) -> None:
    """What the processor reaches is where the map says."""
    bench = _Bench(dut)
    await bench.start()
    config = bench.session.config
    assert await bench.read("ID") == int.from_bytes(b"PSP1", "little")
    assert await bench.read("PLATFORM") == config["c_bit"] | config["asid_count"] << 16
    assert await bench.read("MEMORY_PAGES") == PLATFORM_MEMORY_BYTES // _PAGE_BYTES
    assert await bench.peek(_ENGINE) == int.from_bytes(b"CBIT", "little")
    for strap in (1, 0):
        dut.tsme.value = strap
        await bench.bed.clocked.cycles(4)
        assert await bench.read("STRAP") & 1 == strap
    word = bench.rng.getrandbits(32)
    await bench.poke(_FREE, word)
    await bench.poke(_FREE + 1, 0xA5, byte=True)
    assert await bench.peek(_FREE) == word & ~0xFF00 | 0xA500
    assert await bench.mailbox.command(0x77) == _INVALID_COMMAND
    first = await bench.read("TIMER")
    assert 0 < await bench.read("TIMER") - first < 100_000
    await bench.finish()


@cocotb.test()
async def secret_is_hidden(dut: Any) -> None:
    """The device secret is there until it is hidden, which lasts until reset."""
    bench = _Bench(dut)
    await bench.start()
    assert await bench.read("DEVICE_SECRET0") == int.from_bytes(b"know", "little")
    assert await bench.read("DEVICE_SECRET7") == int.from_bytes(b"ment", "little")
    await bench.write("CONTROL", 4)
    await bench.write("CONTROL", 0)
    for index in range(8):
        assert await bench.read(f"DEVICE_SECRET{index}") == 0
    await bench.start()
    assert await bench.read("DEVICE_SECRET7") == int.from_bytes(b"ment", "little")
    await bench.finish()


@cocotb.test()
async def bus_errors_are_seen(dut: Any) -> None:
    """An access that registers refuse reads zero and is remembered until it is cleared."""
    bench = _Bench(dut)
    await bench.start()
    for address in (_REGISTERS + 0xFFC, _ENGINE + 0xFFC, _REGISTERS + register("processor", "CONTROL").offset):
        assert await bench.read("BUS_ERROR") == 0
        assert await bench.peek(address) == 0
        assert await bench.read("BUS_ERROR") == 1
        await bench.write("BUS_ERROR", 0)
    await bench.finish()


@cocotb.test()
async def one_command_at_a_time(dut: Any) -> None:
    """While a command is under way, its registers are refused and stand still."""
    bench = _Bench(dut)
    await bench.start()
    mailbox = bench.mailbox
    assert await mailbox.read_fields("COMMAND") == {"STATUS": 0, "COMMAND": 0, "DONE": 1}
    # One that is never answered.
    await mailbox.start(Command.PEEK.value, _NOWHERE)
    await bench.until_code("STRAY")
    before = [await mailbox.read(name) for name in ("COMMAND", "BUFFER_LOW", "BUFFER_HIGH")]
    assert before == [Command.PEEK.value << 16 | 1, _NOWHERE, 0]
    await bench.refuses("COMMAND", COMMAND=1)
    await bench.refuses("BUFFER_LOW", ADDRESS=5)
    await bench.refuses("BUFFER_HIGH", ADDRESS=5)
    assert before == [await mailbox.read(name) for name in ("COMMAND", "BUFFER_LOW", "BUFFER_HIGH")]
    assert not int(dut.mailbox_irq.value)
    await bench.start()
    assert await bench.read("ID") == int.from_bytes(b"PSP1", "little")
    await bench.finish()


@cocotb.test()
async def mailbox_interrupts(dut: Any) -> None:
    """The host is interrupted if the command asks for it and it is enabled, until it clears the status."""
    bench = _Bench(dut)
    await bench.start()
    mailbox = bench.mailbox
    for wants, enabled in ((0, 0), (0, 1), (1, 0), (1, 1)):
        await mailbox.write("INTERRUPT_ENABLE", COMPLETE=enabled)
        await mailbox.start(Command.UPPER.value, wants_interrupt=bool(wants))
        while not (await mailbox.read_fields("COMMAND"))["DONE"]:
            pass
        await bench.bed.clocked.cycles(50)
        assert (await mailbox.read_fields("INTERRUPT_STATUS"))["COMPLETE"] == wants
        assert int(dut.mailbox_irq.value) == (wants & enabled)
        await mailbox.write("INTERRUPT_STATUS", COMPLETE=0)
        assert (await mailbox.read_fields("INTERRUPT_STATUS"))["COMPLETE"] == wants
        await mailbox.write("INTERRUPT_STATUS", COMPLETE=1)
        assert not (await mailbox.read_fields("INTERRUPT_STATUS"))["COMPLETE"]
        await bench.bed.clocked.cycles(50)
        assert not int(dut.mailbox_irq.value)
    await bench.finish()


@cocotb.test()
async def processor_interrupts(dut: Any) -> None:
    """An alarm interrupts the processor when it comes, and a command at once; the host's flush is remembered."""
    bench = _Bench(dut)
    await bench.start()
    assert await bench.peek(INTERRUPTS) == 0
    await bench.write("ALARM", (await bench.read("TIMER")) + 20_000 & 0xFFFF_FFFF)
    await bench.write("INTERRUPT_ENABLE", 2)
    assert await bench.peek(INTERRUPTS) == 0
    while not await bench.read("INTERRUPT_STATUS") & 2:
        pass
    assert await bench.peek(INTERRUPTS) == 1
    assert await bench.read("INTERRUPT_ENABLE") == 0
    await bench.write("INTERRUPT_ENABLE", 1)
    assert await bench.peek(INTERRUPTS) == 2
    assert await bench.read("HOST_EVENTS") == 0
    for _ in range(2):
        dut.wbinvd.value = 1
        await bench.bed.clocked.cycles(1)
        dut.wbinvd.value = 0
        assert await bench.read("HOST_EVENTS") == 1
        await bench.write("HOST_EVENTS", 0)
        assert await bench.read("HOST_EVENTS") == 0
    await bench.finish()


@cocotb.test()
async def host_waits_for_release(dut: Any) -> None:
    """The host is in reset until the processor releases it, and again as soon as there is a reset."""
    bench = _Bench(dut)
    for _ in range(2):
        await bench.start()
        assert int(dut.host_reset.value)
        assert not (await bench.mailbox.read_fields("BOOT_STATUS"))["RELEASED"]
        await bench.write("CONTROL", 1)
        await bench.write("CONTROL", 0)
        assert not int(dut.host_reset.value)
        assert (await bench.mailbox.read_fields("BOOT_STATUS"))["RELEASED"]
        dut.rst.value = 1
        await bench.bed.clocked.cycles(2)
        for _ in range(20):
            assert int(dut.host_reset.value)
            dut.rst.value = 0
            await bench.bed.clocked.cycles(1)
    await bench.finish()


@cocotb.test()
async def code_is_locked(dut: Any) -> None:
    """Locked code can not be written: the processor stands still until reset. What lies above it can."""
    bench = _Bench(dut)
    for byte in (False, True):
        await bench.start()
        await bench.poke(0x3FC, 1)
        await bench.write("CODE_END", 0x4FF)
        assert await bench.read("CODE_END") == 0x400
        await bench.write("CONTROL", 2)
        await bench.write("CODE_END", 0x100)
        assert await bench.read("BUS_ERROR") == 1
        assert await bench.read("CODE_END") == 0x400
        await bench.poke(0x400, 5)
        assert await bench.peek(0x400) == 5
        assert await bench.peek(0x3FC) == 1
        command = Command.POKE_BYTE if byte else Command.POKE
        await bench.mailbox.start(command.value, 0x3FC | 6 << 32)
        await bench.until_code("STRAY")
        await bench.start()
        assert await bench.peek(0x3FC) == 1
        assert await bench.read("CODE_END") == 0
        await bench.poke(0x3FC, 0)
    await bench.finish()


@cocotb.test()
async def strays_and_traps(dut: Any) -> None:
    """A read or write of nowhere, and an unknown instruction, are the last thing that the processor does."""
    bench = _Bench(dut)
    for address in (0x0001_0000, 0x0FFF_FFFC, 0x1000_5000, 0x1001_0000, 0x9000_0000):
        for command in (Command.PEEK, Command.POKE):
            await bench.start()
            await bench.mailbox.start(command.value, address)
            await bench.until_code("STRAY")
            await bench.bed.clocked.cycles(200)
            assert not (await bench.mailbox.read_fields("COMMAND"))["DONE"]
    await bench.start()
    await bench.mailbox.start(Command.TRAP.value)
    await bench.until_code("TRAP")
    await bench.finish()


@cocotb.test()
async def resets_at_any_time(dut: Any) -> None:
    """After a reset of one cycle, in whatever the host and the processor do, both begin anew."""
    bench = _Bench(dut)
    await bench.start()
    for _ in range(bench.session.parameters.get("resets", 10)):
        task = cocotb.start_soon(bench.peek(_ENGINE))
        await bench.bed.clocked.cycles(bench.rng.randrange(1, 150))
        task.cancel()
        await _abandon(bench)
        await bench.start()
        assert await bench.mailbox.read_fields("INTERRUPT_STATUS") == {"COMPLETE": 0}
        assert await bench.mailbox.read_fields("COMMAND") == {"STATUS": 0, "COMMAND": 0, "DONE": 1}
        assert await bench.peek(_ENGINE) == int.from_bytes(b"CBIT", "little")
    await bench.finish()


async def _abandon(bench: _Bench) -> None:
    """Resets the platform, with which the host's bus model forgets what it was at."""
    bench.dut.rst.value = 1
    await bench.bed.clocked.cycles(1)
    bench.dut.rst.value = 0
    await bench.bed.clocked.cycles(2)


@cocotb.test()
async def sha_and_aes_serve_the_processor(dut: Any) -> None:
    """A block in the buffer is hashed, and encrypted, as libraries do it."""
    bench = _Bench(dut)
    await bench.start()
    message = b"abc"
    padded = message + b"\x80" + bytes(52) + (8 * len(message)).to_bytes(8, "big")
    await bench.fill(0x40, padded)
    for index, word in enumerate(_SHA_START):
        await bench.write(f"SHA_STATE{index}", word)
    await bench.write("SHA_START", 0x40 | 1 << 16)
    while await bench.read("SHA_STATUS"):
        pass
    digest = [await bench.read(f"SHA_STATE{index}") for index in range(8)]
    assert b"".join(word.to_bytes(4, "big") for word in digest) == hashlib.sha256(message).digest()

    key, counter = bench.rng.randbytes(16), bench.rng.randbytes(16)
    for name, value in (("AES_KEY", key), ("AES_COUNTER", counter)):
        for index in range(4):
            await bench.write(f"{name}{index}", int.from_bytes(value[4 * index:4 * index + 4], "little"))
    await bench.write("AES_START", 0x40 | 2 << 16)
    while await bench.read("AES_STATUS"):
        pass
    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter)
    assert await bench.content(0x40, 32) == cipher.encrypt(padded[:32])
    assert await bench.content(0x60, 32) == padded[32:]
    assert await bench.read("BUS_ERROR") == 0
    await bench.finish()


@cocotb.test()
async def numbers_are_multiplied(dut: Any) -> None:
    """A product modulo the order of P-384, and a window that is zero while the unit is busy."""
    bench = _Bench(dut)
    await bench.start()
    while await bench.read("P384_STATUS") & 1:
        pass
    values = [bench.rng.getrandbits(383) for _ in range(2)]
    for number, value in enumerate(values):
        for word in range(12):
            await bench.poke(_NUMBERS + 64 * number + 4 * word, value >> 32 * word & 0xFFFF_FFFF)
    await bench.write("P384_START", 2 | 1 << 4 | 3 << 8 | 0 << 16 | 1 << 24)
    while await bench.read("P384_STATUS") & 1:
        pass
    words = [await bench.peek(_NUMBERS + 64 * 3 + 4 * word) for word in range(13)]
    assert sum(word << 32 * index for index, word in enumerate(words)) == values[0] * values[1] % p384.N
    assert await bench.read("BUS_ERROR") == 0
    await bench.finish()


@cocotb.test()
async def entropy_comes_until_it_fails(dut: Any) -> None:
    """Words come one by one; a source that gets stuck is found, and then there is none until reset."""
    bench = _Bench(dut)
    await bench.start()
    words = []
    for _ in range(4):
        while await bench.read("ENTROPY_STATUS") != 1:
            pass
        words.append(await bench.read("ENTROPY_DATA"))
        assert words[-1] == await bench.read("ENTROPY_DATA")
        await bench.write("ENTROPY_TAKE", 0)
    assert len(set(words)) == len(words)
    dut.entropy_stuck.value = 1
    while not await bench.read("ENTROPY_STATUS") & 4:
        pass
    dut.entropy_stuck.value = 0
    for _ in range(20):
        assert await bench.read("ENTROPY_STATUS") & 5 == 4
        assert await bench.read("ENTROPY_DATA") == 0
    await bench.start()
    while await bench.read("ENTROPY_STATUS") != 1:
        pass
    assert await bench.read("ENTROPY_DATA") == words[0]
    await bench.finish()


@cocotb.test()
async def dma_moves_bytes_through_the_engine(dut: Any) -> None:
    """The DMA writes and reads memory under a guest's key: DRAM shows ciphertext, and the host's managers noise."""
    bench = _Bench(dut)
    await bench.start()
    await bench.install(1)
    await bench.open_engine(sev=True)
    data = bench.rng.randbytes(64)
    await bench.fill(0x10, data)
    address = 0x2000 | 1 << bench.session.config["c_bit"]
    assert await bench.dma(address, 0x10, 64, asid=1, is_write=True)
    at = bench.bed.dram.memory
    assert at[0x2000:0x2040] not in (data, bytes(64))
    await bench.fill(0x1010, bytes(64))
    assert await bench.dma(address + 4, 0x1014, 56, asid=1, is_write=False)
    assert await bench.content(0x1010, 64) == bytes(4) + data[4:60] + bytes(4)
    assert await bench.dma(0x2000, 0x20, 16, asid=0, is_write=False)
    assert await bench.content(0x20, 16) == bytes(at[0x2000:0x2010])
    assert not await bench.dma(address, 0x10, 16, asid=2, is_write=False)
    assert await bench.content(0x10, 16) == bytes(16)
    await bench.write("CONTROL", 1)
    reads = [Transaction(Address(number, 0x2000 + 16 * number, 0)) for number in range(4)]
    await bench.bed.manager.perform(*reads, limit_cycles=10_000)
    assert b"".join(read.read[0].to_bytes(16, "little") for read in reads) == bytes(at[0x2000:0x2040])
    await bench.finish()


@cocotb.test()
async def memory_is_served(dut: Any) -> None:
    """Once the processor has released the host, its managers reach memory. Before, they wait, though the engine is
    open, and the DMA does not wait for them."""
    bench = _Bench(dut)
    await bench.start()
    await bench.open_engine()
    data = bench.rng.getrandbits(128)
    write = Transaction(Address(0, 0x100, 0), [WriteData(data, 0xFFFF, 1)])
    early = Transaction(Address(1, 0x200, 0))
    task = cocotb.start_soon(bench.bed.manager.perform(write, early, limit_cycles=1_000_000))
    await bench.fill(0x20, bytes(range(16)))
    assert await bench.dma(0x200, 0x20, 16, asid=0, is_write=True)
    assert await bench.dma(0x100, 0x20, 16, asid=0, is_write=False)
    assert await bench.content(0x20, 16) == bytes(16)
    assert int(dut.host_reset.value)
    assert not write.responses
    assert not early.responses
    await bench.write("CONTROL", 1)
    await task
    assert (early.responses, early.read) == ([0], [int.from_bytes(bytes(range(16)), "little")])
    read = Transaction(Address(1, 0x100, 0))
    await bench.bed.manager.perform(read, limit_cycles=10_000)
    assert write.responses == [0]
    assert (read.responses, read.read) == ([0], [data])
    assert bench.bed.dram.memory[0x100:0x110] == data.to_bytes(16, "little")
    await bench.finish()
