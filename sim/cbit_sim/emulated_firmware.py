"""The firmware's image on an emulated processor, with registers of plain Python and units of Zig's standard library.

It shows that the image is right, its start and its use of registers included, where no gateware runs.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import unicorn
from unicorn import riscv_const

from cbit.csr.map import Register, registers
from cbit.psp.addresses import DRAM_REGIONS
from cbit.psp.program import CODE_ALIGN_BYTES
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET
from cbit_sim.firmware_build import Firmware
from cbit_sim.native_firmware import Surroundings, library

__all__ = ["EmulatedFirmware"]

_MEMORY_BYTES = 1 << 16
_PAGE_BYTES = 4096
_PROCESSOR, _ENGINE, _BUFFER, _P384 = 0x1000_0000, 0x1000_1000, 0x1000_2000, 0x1000_4000
_DRAM, _DRAM_BYTES = DRAM_REGIONS["dram"]
_DRAM_TABLE = DRAM_REGIONS["dram_table"][0]
_BUFFER_BYTES = 8192
_P384_REGISTER_BYTES, _NUMBER_BYTES = 64, 48
_WORD_BYTES = 4
_STRAY = 0xFE
_ENOUGH = 20_000_000
"""Instructions that no command needs."""

_CYCLES_A_LOOK = 64
"""How much time passes from look to look at the timer."""

_Fields = dict[str, int]


class EmulatedFirmware:
    """A security processor, from reset to the end of its boot, then from command to command.

    Parameters
    ----------
    firmware : :class:`~cbit_sim.firmware_build.Firmware`
        The image.
    surroundings : :class:`~cbit_sim.native_firmware.Surroundings`
        What it is joined to.

    Attributes
    ----------
    boot_code : :class:`int`
        What it shows; 0xFE after an access that nothing answers.
    engine_locked, host_released, code_locked, secret_hidden : :class:`bool`
        Whether the engine's mode is locked, the host runs, nothing can write the image, and the device secret reads
        zero.
    """

    def __init__(self, firmware: Firmware, surroundings: Surroundings):
        self._firmware = firmware
        self._maps = {base: {entry.offset: entry for entry in registers(name)}
                      for base, name in ((_PROCESSOR, "processor"), (_ENGINE, "psp"))}
        self._cpu = self._make_cpu()
        self._map_dram(surroundings)
        self.reset(surroundings)

    def reset(self, surroundings: Surroundings) -> None:
        """Starts again, with memory as it is, in other surroundings, which have DRAM to be leveled if the first had;
        waits until the boot has ended."""
        self._surroundings = surroundings
        self._cycles = 0
        self.boot_code, self.engine_locked = 0, False
        self.host_released, self.code_locked, self.secret_hidden = False, False, False
        self._command: tuple[int, int] | None = None
        self._status: int | None = None
        self._code_end = 0
        self._state: dict[str, int] = {}
        self._go(0)

    def command(self, number: int, buffer: int = 0) -> int:
        """The status of a command. Only if the boot has ended well."""
        self._command, self._status = (number, buffer), None
        self._go(self._cpu.reg_read(riscv_const.UC_RISCV_REG_PC))
        if self._status is None:
            raise RuntimeError(f"Command {number:#x} was not answered; the boot code is {self.boot_code:#x}")
        return self._status

    def memory(self) -> bytes:
        """The processor's memory."""
        return bytes(self._cpu.mem_read(0, _MEMORY_BYTES))

    def memory_of_units(self) -> bytes:
        """The buffer, and the registers of the unit for P-384."""
        return bytes(self._cpu.mem_read(_BUFFER, _BUFFER_BYTES)) + bytes(self._cpu.mem_read(_P384, _PAGE_BYTES))

    def _make_cpu(self) -> Any:
        cpu = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        cpu.mem_map(0, _MEMORY_BYTES)
        cpu.mem_write(0, self._firmware.image)
        for base in self._maps:
            cpu.mmio_map(base, _PAGE_BYTES, self._read, base, self._write, base)
        cpu.mem_map(_BUFFER, _BUFFER_BYTES)
        cpu.mem_map(_P384, _PAGE_BYTES)
        cpu.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._require_unlocked, begin=0, end=_MEMORY_BYTES - 1)
        return cpu

    def _map_dram(self, surroundings: Surroundings) -> None:
        if surroundings.dram is None:
            return
        self._cpu.mmio_map(_DRAM, _DRAM_BYTES, self._read_dram, None, self._write_dram, None)
        self._cpu.mem_map(_DRAM_TABLE, _PAGE_BYTES, unicorn.UC_PROT_READ)
        words = b"".join(word.to_bytes(_WORD_BYTES, "little") for word in surroundings.dram.table)
        self._cpu.mem_write(_DRAM_TABLE, words)

    def _read_dram(self, _cpu: Any, offset: int, _size: int, _data: Any) -> int:
        assert self._surroundings.dram is not None
        return self._surroundings.dram.read(offset)

    def _write_dram(self, _cpu: Any, offset: int, _size: int, value: int, _data: Any) -> None:
        assert self._surroundings.dram is not None
        self._surroundings.dram.write(offset, value)

    def _go(self, address: int) -> None:
        try:
            self._cpu.emu_start(address, _MEMORY_BYTES, count=_ENOUGH)
        except unicorn.UcError:
            self.boot_code = _STRAY

    def _require_unlocked(self, cpu: Any, _access: int, address: int, _size: int, _value: int, _data: Any) -> None:
        if self.code_locked and address < self._code_end:
            self.boot_code = _STRAY
            cpu.emu_stop()

    def _read(self, _cpu: Any, offset: int, _size: int, base: int) -> int:
        register = self._maps[base][offset]
        name = register.array or register.name
        maker: Callable[[int], _Fields] | None = getattr(self, f"_read_{_part(base)}_{name.lower()}", None)
        if maker is None:
            return self._state.get(f"{base}{register.name}", register.reset)
        return _assembled(register, maker(register.index))

    def _write(self, cpu: Any, offset: int, _size: int, value: int, base: int) -> None:
        register = self._maps[base][offset]
        self._state[f"{base}{register.name}"] = value
        act: Callable[[_Fields], None] | None = getattr(self, f"_write_{_part(base)}_{register.name.lower()}", None)
        if act is not None:
            act({field.name: value >> field.lsb & ((1 << field.width) - 1) for field in register.fields})
        if register.name == "BOOT_CODE" and self.boot_code & 0xE0 == 0xE0:
            cpu.emu_stop()

    def _words(self, base: int, name: str, count: int) -> bytes:
        words = (self._state.get(f"{base}{name}{index}", 0) for index in range(count))
        return b"".join(word.to_bytes(_WORD_BYTES, "little") for word in words)

    def _keep_words(self, base: int, name: str, content: bytes) -> None:
        for index in range(len(content) // _WORD_BYTES):
            word = content[_WORD_BYTES * index:_WORD_BYTES * (index + 1)]
            self._state[f"{base}{name}{index}"] = int.from_bytes(word, "little")

    # Registers of the processor, by name.

    def _read_processor_strap(self, _index: int) -> _Fields:
        return {"TSME": int(self._surroundings.tsme), "SIMULATED": 1,
                "DEVELOPMENT": int(self._surroundings.device_secret == DEVELOPMENT_DEVICE_SECRET),
                "DRAM": int(self._surroundings.dram is not None)}

    def _read_processor_timer(self, _index: int) -> _Fields:
        self._cycles += _CYCLES_A_LOOK
        if self._surroundings.dram is not None:
            self._surroundings.dram.wait(_CYCLES_A_LOOK)
        return {"CYCLES": self._cycles & 0xFFFF_FFFF}

    def _read_processor_platform(self, _index: int) -> _Fields:
        return {"C_BIT": self._surroundings.c_bit, "ASID_COUNT": self._surroundings.asid_count}

    def _read_processor_memory_pages(self, _index: int) -> _Fields:
        return {"PAGES": self._surroundings.memory_pages}

    def _read_processor_device_secret(self, index: int) -> _Fields:
        secret = bytes(32) if self.secret_hidden else self._surroundings.device_secret
        return {"WORD": int.from_bytes(secret[_WORD_BYTES * index:_WORD_BYTES * (index + 1)], "little")}

    def _read_processor_interrupt_status(self, _index: int) -> _Fields:
        if self._command is None:
            self._cpu.emu_stop()
        return {"COMMAND": int(self._command is not None)}

    def _read_processor_mailbox_command(self, _index: int) -> _Fields:
        return {"COMMAND": self._command[0] if self._command else 0}

    def _read_processor_mailbox_low(self, _index: int) -> _Fields:
        return {"ADDRESS": self._command[1] & 0xFFFF_FFFF if self._command else 0}

    def _read_processor_mailbox_high(self, _index: int) -> _Fields:
        return {"ADDRESS": self._command[1] >> 32 if self._command else 0}

    def _read_processor_entropy_status(self, _index: int) -> _Fields:
        failed = int(self._surroundings.entropy_failed)
        return {"READY": 1 - failed, "RCT_FAILED": failed}

    def _read_processor_entropy_data(self, _index: int) -> _Fields:
        return {"WORD": self._surroundings.entropy() or 0}

    def _read_processor_host_events(self, _index: int) -> _Fields:
        return {"CACHE_FLUSHED": int(self._surroundings.caches_flushed)}

    def _write_processor_host_events(self, _fields: _Fields) -> None:
        self._surroundings.caches_flushed = False

    def _write_processor_boot_code(self, fields: _Fields) -> None:
        self.boot_code = fields["CODE"]

    def _write_processor_bus_error(self, _fields: _Fields) -> None:
        self._state[f"{_PROCESSOR}BUS_ERROR"] = 0

    def _refuse(self) -> None:
        self._state[f"{_PROCESSOR}BUS_ERROR"] = 1

    def _read_processor_code_end(self, _index: int) -> _Fields:
        return {"ADDRESS": self._code_end}

    def _write_processor_code_end(self, fields: _Fields) -> None:
        if self.code_locked:
            self._refuse()
            return
        self._code_end = fields["ADDRESS"] & -CODE_ALIGN_BYTES

    def _write_processor_control(self, fields: _Fields) -> None:
        if fields["CODE_LOCK"] and not self._code_end:
            self._refuse()
            return
        self.host_released |= bool(fields["HOST_RELEASE"])
        self.code_locked |= bool(fields["CODE_LOCK"])
        self.secret_hidden |= bool(fields["SECRET_HIDE"])
        if fields["DRAM_OPEN"] and self._surroundings.dram is not None:
            self._surroundings.dram.open()

    def _write_processor_mailbox_response(self, fields: _Fields) -> None:
        self._command, self._status = None, fields["STATUS"]

    # The units.

    def _write_processor_sha_start(self, fields: _Fields) -> None:
        state = ctypes.create_string_buffer(self._words(_PROCESSOR, "SHA_STATE", 8), 32)
        self._on_buffer(lambda: library().cbit_unit_hash(
            state, ctypes.c_size_t(fields["OFFSET"]), ctypes.c_size_t(fields["BLOCKS"])))
        self._keep_words(_PROCESSOR, "SHA_STATE", state.raw)

    def _write_processor_aes_start(self, fields: _Fields) -> None:
        key = self._words(_PROCESSOR, "AES_KEY", 4)
        counter = ctypes.create_string_buffer(self._words(_PROCESSOR, "AES_COUNTER", 4), 16)
        self._on_buffer(lambda: library().cbit_unit_cipher(
            key, counter, ctypes.c_size_t(fields["OFFSET"]), ctypes.c_size_t(fields["BLOCKS"])))
        self._keep_words(_PROCESSOR, "AES_COUNTER", counter.raw)

    def _on_buffer(self, work: Callable[[], Any]) -> None:
        call = library().cbit_unit_buffer
        call.restype = ctypes.c_void_p
        place = call()
        ctypes.memmove(place, bytes(self._cpu.mem_read(_BUFFER, _BUFFER_BYTES)), _BUFFER_BYTES)
        work()
        self._cpu.mem_write(_BUFFER, ctypes.string_at(place, _BUFFER_BYTES))

    def _write_processor_p384_start(self, fields: _Fields) -> None:
        for register in {fields[name] + offset for name in ("A", "B") for offset in (0, 1)}:
            number = bytes(self._cpu.mem_read(_P384 + _P384_REGISTER_BYTES * register, _NUMBER_BYTES))
            library().cbit_unit_p384_write(register, number)
        names = ("OPERATION", "MODULUS", "DESTINATION", "A", "B")
        flag = library().cbit_unit_p384_run(*(fields[name] for name in names)) & 0xFF
        self._state[f"{_PROCESSOR}P384_STATUS"] = flag << 1
        if fields["OPERATION"] == _value("P384_START", "OPERATION", "WIPE"):
            self._cpu.mem_write(_P384, bytes(_PAGE_BYTES))
        if fields["OPERATION"] in {_value("P384_START", "OPERATION", name) for name in ("ON_CURVE", "LESS", "WIPE")}:
            return
        points = {_value("P384_START", "OPERATION", name) for name in ("POINT_MULTIPLY", "POINT_ADD")}
        for register in range(fields["DESTINATION"], fields["DESTINATION"] + 1 + (fields["OPERATION"] in points)):
            result = ctypes.create_string_buffer(_NUMBER_BYTES)
            library().cbit_unit_p384_read(register, result)
            self._cpu.mem_write(_P384 + _P384_REGISTER_BYTES * register, result.raw)

    def _write_processor_dma_start(self, fields: _Fields) -> None:
        words = [self._state.get(f"{_PROCESSOR}{name}", 0) for name in ("DMA_LOW", "DMA_HIGH", "DMA_ASID")]
        address, asid = words[0] | words[1] << 32, words[2]
        place, length = _BUFFER + fields["OFFSET"], fields["LENGTH"]
        if fields["WRITE"]:
            good = self._surroundings.write(address, asid, bytes(self._cpu.mem_read(place, length)))
        else:
            data = self._surroundings.read(address, asid, length)
            good = data is not None
            self._cpu.mem_write(place, data or bytes(length))
        self._state[f"{_PROCESSOR}DMA_STATUS"] = (not good) << 1

    # Registers of the engine, by name.

    def _read_engine_status(self, _index: int) -> _Fields:
        return {"SELF_TEST_FAILED": int(not self._surroundings.self_test()),
                "RELEASED": self._state.get("opened", 0), "LOCKED": int(self.engine_locked)}

    def _write_engine_control(self, fields: _Fields) -> None:
        self.engine_locked |= bool(fields["LOCK"])
        if fields["RELEASE"]:
            tsme = bool(self._state.get(f"{_ENGINE}MODE", 0) >> 1 & 1)
            self._state["opened"] = int(self._surroundings.open_engine(tsme=tsme))

    def _write_engine_command(self, fields: _Fields) -> None:
        if fields["OP"] == _value("COMMAND", "OP", "INSTALL", map_name="psp"):
            keys = (self._words(_ENGINE, name, 4) for name in ("KEY_DATA", "KEY_TWEAK"))
            result = self._surroundings.install(fields["SLOT"], *keys)
        else:
            result = self._surroundings.retire(fields["SLOT"])
        self._state[f"{_ENGINE}COMMAND_STATUS"] = result << 8


def _part(base: int) -> str:
    return "processor" if base == _PROCESSOR else "engine"


def _value(name: str, field_name: str, value: str, *, map_name: str = "processor") -> int:
    (found,) = (field.values[value] for register in registers(map_name) if register.name == name
                for field in register.fields if field.name == field_name)
    return found


def _assembled(register: Register, fields: _Fields) -> int:
    return sum(fields.get(field.name, 0) << field.lsb for field in register.fields)
