"""The firmware's image on an emulated processor: how it boots, and how it does not."""

import dataclasses
import itertools
import random

import pytest
from unicorn import riscv_const

from cbit.csr.map import register
from cbit_model.sev.constants import Command, PlatformState, Status
from cbit_model.sev.layouts import REPORT
from cbit_model.sev.memory import SeededEntropy
from cbit_model.sev.psp import DONE, Psp, command_of
from cbit_sim import firmware_build
from cbit_sim.elf import Elf
from cbit_sim.emulated_firmware import EmulatedFirmware
from cbit_sim.firmware_build import FirmwareError, firmware, with_checksum
from cbit_sim.psp_pair import DEVICE_SECRET
from cbit_sim.psp_surroundings import ModelSurroundings, RefusingMemory
from cbit_sim.sev_host import SevHost

CODES = next(field.values for field in register("processor", "BOOT_CODE").fields)
C_BIT = 47
LESS = next(field.values for field in register("processor", "P384_START").fields if field.name == "OPERATION")["LESS"]
STACK_LIMIT = 4096
"""Of 6 KB: what is above is for interrupts and for commands that are yet to come."""


class PlainMemory(RefusingMemory):
    """An engine that does not encrypt."""

    def read(self, address, length, asid):
        return super().read(address & ~(1 << C_BIT), length, asid)

    def write(self, address, data, asid):
        super().write(address & ~(1 << C_BIT), data, asid)


class TsmeMemory(RefusingMemory):
    """An engine that encrypts all of the host's accesses."""

    def read(self, address, length, asid):
        return super().read(address | 1 << C_BIT, length, asid)

    def write(self, address, data, asid):
        super().write(address | 1 << C_BIT, data, asid)


class WrongUnits(EmulatedFirmware):
    """A processor one of whose units computes wrongly from a start on, counted from 0."""

    def __init__(self, surroundings, *, unit, first=0):
        self.starts = []
        self._unit, self._first = unit, first
        super().__init__(firmware(), surroundings)

    def _start(self, unit, work):
        self.starts.append(unit)
        work()
        if unit == self._unit and self.starts.count(unit) > self._first:
            for name in ("SHA_STATE0", "P384_STATUS"):
                key = f"{0x1000_0000}{name}"
                self._state[key] = self._state.get(key, 0) ^ 2
            self._cpu.mem_write(0x1000_2000, bytes(8192))

    def _write_processor_sha_start(self, fields):
        self._start("sha", lambda: super(WrongUnits, self)._write_processor_sha_start(fields))

    def _write_processor_aes_start(self, fields):
        self._start("aes", lambda: super(WrongUnits, self)._write_processor_aes_start(fields))

    def _write_processor_p384_start(self, fields):
        self._start("p384", lambda: super(WrongUnits, self)._write_processor_p384_start(fields))


class Careless(EmulatedFirmware):
    """A processor on which the write of CODE_END is lost."""

    def _write_processor_code_end(self, fields):
        pass


class Twice(EmulatedFirmware):
    """A processor that moves the end of the code once it is locked."""

    def _write_processor_control(self, fields):
        super()._write_processor_control(fields)
        if fields["CODE_LOCK"]:
            self._write_processor_code_end({"ADDRESS": 256})


class ShownStack(EmulatedFirmware):
    """A processor that shows what lies on the stack below what is in use."""

    def below(self):
        built, end = firmware(), self._cpu.reg_read(riscv_const.UC_RISCV_REG_SP)
        return self.memory()[built.stack_top - built.stack_used(self.memory()):end]


class DirtyBuffer(EmulatedFirmware):
    """A processor whose buffer has what a reset left, or what power made of it."""

    def _make_cpu(self):
        cpu = super()._make_cpu()
        cpu.mem_write(0x1000_2000, random.Random(7).randbytes(8192))
        return cpu


class StuckComparison(EmulatedFirmware):
    """A processor whose unit for P-384 may come to say that no number is below the order."""

    stuck = False

    def _write_processor_p384_start(self, fields):
        super()._write_processor_p384_start(fields)
        if self.stuck and fields["OPERATION"] == LESS:
            self._state[f"{0x1000_0000}P384_STATUS"] = 2


def surroundings(*, kind=RefusingMemory, **options):
    memory = kind(size_bytes=1 << 16, c_bit=C_BIT, asid_count=16)
    memory.dram[:64] = random.Random(0).randbytes(64)
    return ModelSurroundings(memory=memory, source=SeededEntropy(1), device_secret=DEVICE_SECRET, asid_count=16,
                             **options)


def require_stopped(started, code):
    assert started.boot_code == CODES[code]
    assert not started.host_released


def test_boot_locks_hides_and_releases():
    given = surroundings()
    before = bytes(given.memory.dram)
    started = EmulatedFirmware(firmware(), given)
    assert started.boot_code == CODES["UP"]
    assert started.code_locked
    assert started.secret_hidden
    assert started.host_released
    assert given.memory.slots.active == {0}
    assert started.engine_locked
    assert given.memory.dram == before
    assert DEVICE_SECRET not in started.memory()
    assert started.memory()[:len(firmware().image)] == firmware().image


def test_host_keys_are_fresh():
    keys = set()
    for seed in range(3):
        given = surroundings()
        given.source = SeededEntropy(seed)
        EmulatedFirmware(firmware(), given)
        given.memory.write(1 << C_BIT, bytes(16), 0)
        keys.add(bytes(given.memory.dram[:16]))
    assert len(keys) == 3


def test_reset_alone_starts_again():
    first = surroundings()
    started = EmulatedFirmware(firmware(), first)
    assert started.command(0x04, 0x1001) == 0x09
    second = surroundings()
    started.reset(second)
    fresh = EmulatedFirmware(firmware(), surroundings())
    assert started.boot_code == CODES["UP"]
    for part in (slice(0, firmware().stack_bottom), slice(firmware().stack_top, None)):
        assert started.memory()[part] == fresh.memory()[part]


def test_tsme_follows_the_strap():
    assert EmulatedFirmware(firmware(), surroundings(kind=TsmeMemory, tsme=True)).boot_code == CODES["UP"]
    require_stopped(EmulatedFirmware(firmware(), surroundings(tsme=True)), "DMA")
    require_stopped(EmulatedFirmware(firmware(), surroundings(kind=TsmeMemory)), "DMA")


def test_memory_that_is_not_encrypted_stops_the_boot():
    require_stopped(EmulatedFirmware(firmware(), surroundings(kind=PlainMemory)), "DMA")


def test_memory_that_errs_stops_the_boot():
    given = surroundings()
    given.memory.broken = [range(16)]
    require_stopped(EmulatedFirmware(firmware(), given), "DMA")


def test_code_without_an_end_is_not_locked():
    started = Careless(firmware(), surroundings())
    require_stopped(started, "ENGINE")
    assert not started.code_locked


def test_the_end_of_locked_code_stays():
    require_stopped(Twice(firmware(), surroundings()), "ENGINE")


def test_boot_wipes_the_buffer():
    assert DirtyBuffer(firmware(), surroundings()).memory_of_units() == \
        EmulatedFirmware(firmware(), surroundings()).memory_of_units()


def test_entropy_that_fails_stops_the_boot():
    given = surroundings()
    given.source.failed = True
    require_stopped(EmulatedFirmware(firmware(), given), "ENTROPY")


@pytest.mark.parametrize("words", [0, 1, 63])
def test_entropy_that_fails_on_the_way_stops_the_boot(words):
    given = surroundings()
    take, taken = given.source.take, itertools.count(1)

    def failing():
        word = take()
        given.source.failed = next(taken) > words
        return word

    given.source.take = failing
    require_stopped(EmulatedFirmware(firmware(), given), "ENTROPY")


def test_an_engine_that_fails_stops_the_boot():
    require_stopped(EmulatedFirmware(firmware(), surroundings(engine_is_well=False)), "ENGINE_TEST")
    require_stopped(EmulatedFirmware(firmware(), surroundings(engine_opens=False)), "ENGINE")
    given = surroundings()
    given.memory.refuses = True
    require_stopped(EmulatedFirmware(firmware(), given), "ENGINE_KEY")


@pytest.mark.parametrize(("unit", "code"), [("sha", "SHA"), ("aes", "AES"), ("p384", "P384")])
def test_a_wrong_unit_stops_the_boot(unit, code):
    require_stopped(WrongUnits(surroundings(), unit=unit), code)


def test_a_wrong_generator_stops_the_boot():
    good = WrongUnits(surroundings(), unit="none")
    before_generator = good.starts[:len(good.starts) - good.starts[::-1].index("p384")]
    require_stopped(WrongUnits(surroundings(), unit="sha", first=before_generator.count("sha")), "DRBG")


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_image_stops_the_boot(seed):
    """The code that runs before the check is not damaged: a processor that does not get there releases nobody."""
    built, source = firmware(), random.Random(seed)
    image = bytearray(built.image)
    image[source.randrange(3 * len(image) // 4, len(image))] ^= 1 << source.randrange(8)
    damaged = dataclasses.replace(built, image=bytes(image))
    require_stopped(EmulatedFirmware(damaged, surroundings()), "IMAGE")


def lies_in(started, identity):
    """Whether a private number of PEK or PDH lies in the processor's memory or its units, either byte first."""
    memory = started.memory() + started.memory_of_units()
    numbers = [key.number.to_bytes(48, order) for key in (identity.pek, identity.pdh) for order in ("big", "little")]
    return any(number in memory for number in numbers)


def test_a_unit_that_takes_no_nonce_ends_the_command_and_changes_nothing():
    given = surroundings()
    started = StuckComparison(firmware(), given)
    host = SevHost(given.memory, lambda word, buffer: DONE | started.command(command_of(word), buffer), scratch=0x8000)
    memory = RefusingMemory(size_bytes=1 << 16, c_bit=C_BIT, asid_count=16)
    model = Psp(memory=memory, slots=memory, entropy=SeededEntropy(1), device_secret=DEVICE_SECRET,
                memory_bytes=1 << 16, c_bit=C_BIT)
    memory.write(0, bytes(0x14), 0)
    started.stuck = True
    assert host.command(Command.INIT).status == Status.HARDWARE_ERROR_PLATFORM
    model.command(Command.INIT)
    assert not lies_in(started, model.state.identity)
    assert host.must(Command.PLATFORM_STATUS).number("state") == PlatformState.UNINIT
    started.stuck = False
    host.must(Command.INIT)
    for number in (Command.SHUTDOWN, Command.PLATFORM_RESET, Command.INIT):
        model.command(number)
    assert lies_in(started, model.state.identity)
    exported = host.export()
    for number in (Command.PDH_GEN, Command.PEK_GEN):
        started.stuck = True
        assert host.command(number).status == Status.HARDWARE_ERROR_PLATFORM
        started.stuck = False
        assert host.export() == exported
    model.command(Command.PDH_GEN)
    model.command(Command.PEK_GEN)
    assert not lies_in(started, model.state.identity)
    handle = host.launch(0, 0x1000, asid=1)
    before = given.memory.read(host.area(0), REPORT.size, 0)
    started.stuck = True
    fields = {"handle": handle, "address": host.area(0), "length": REPORT.size}
    assert host.command(Command.ATTESTATION, **fields).status == Status.HARDWARE_ERROR_PLATFORM
    assert given.memory.read(host.area(0), REPORT.size, 0) == before
    started.stuck = False
    host.attest(handle, bytes(16))


def test_no_call_leaves_anything_on_the_stack():
    given = surroundings()
    started = ShownStack(firmware(), given)
    host = SevHost(given.memory, lambda word, buffer: DONE | started.command(command_of(word), buffer), scratch=0x8000)
    depths = []
    for perform in (lambda: None, lambda: host.must(Command.INIT), lambda: host.must(Command.PLATFORM_STATUS),
                    lambda: host.attest(host.launch(0, 0x1000, asid=1), bytes(16))):
        perform()
        assert not any(started.below())
        depths.append(len(started.below()))
    assert depths == sorted(depths)
    assert depths[0] > 0


def test_image_fits_and_the_stack_has_room():
    built = firmware()
    assert built.memory_end <= 1 << 16
    assert len(built.image) % 256 == 0
    assert built.stack_bottom == len(built.image)
    started = EmulatedFirmware(built, surroundings())
    assert 0 < built.stack_used(started.memory()) < STACK_LIMIT
    print(f"firmware: {len(built.image)} bytes, stack at boot: {built.stack_used(started.memory())} bytes")


def test_checksum_needs_room():
    assert len(with_checksum(bytes(252), 256)) == 256
    with pytest.raises(FirmwareError, match=r"^Firmware image must leave room for its checksum"):
        with_checksum(bytes(253), 256)


def test_what_is_no_elf_is_refused():
    with pytest.raises(ValueError, match=r"^Program must be an ELF file for 32 bits, little-endian$"):
        Elf(b"\x7fELF\x02\x01")


def test_without_sources_there_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setattr(firmware_build, "SOURCES", tmp_path / "none")
    with pytest.raises(FirmwareError, match=r"^Firmware must be compiled from a checkout of Cbit"):
        firmware()


def test_what_can_not_be_compiled_names_the_log(monkeypatch, tmp_path):
    (tmp_path / "src").mkdir()
    monkeypatch.setattr(firmware_build, "SOURCES", tmp_path)
    with pytest.raises(FirmwareError, match=r"^Zig could not compile the firmware; its messages are in .*build\.log$"):
        firmware()
