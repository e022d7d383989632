"""The register ports as their owners use them: the security processor's, and the host's."""

import logging
from typing import Any

from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from cbit.csr.map import Register, registers
from cbit_model.access import Violation

__all__ = ["CommandError", "HostPort", "PspPort", "RefusedError", "RegisterPort"]

_WORD_BYTES = 4
_POLLS = 10_000


class RefusedError(RuntimeError):
    """A register access was answered with an error; the text names register and response."""


class CommandError(RuntimeError):
    """A command on a key slot failed.

    Attributes
    ----------
    result : :class:`str`
        Name of the result, as the register map has it.
    """

    def __init__(self, result: str):
        super().__init__(f"command failed: {result}")
        self.result = result


class RegisterPort:
    """Registers by name, over AXI4-Lite.

    Parameters
    ----------
    dut
        cocotb's handle of the design.
    prefix : :class:`str`
        Name of the port, such as ``s_axil_psp``.
    map_name : :class:`str`
        Which registers it has: one of :data:`cbit.csr.map.MAP_NAMES`.

    Attributes
    ----------
    bus
        The bus itself, as cocotbext-axi has it.
    """

    def __init__(self, dut: Any, prefix: str, map_name: str):
        self.bus = AxiLiteMaster(AxiLiteBus.from_prefix(dut, prefix), dut.clk, dut.rst)
        for direction in (self.bus.read_if, self.bus.write_if):
            # The library logs what is written, keys included.
            direction.log.setLevel(logging.WARNING)
        self._registers = {register.name: register for register in registers(map_name)}

    @property
    def names(self) -> list[str]:
        """Of all registers."""
        return list(self._registers)

    async def read(self, name: str) -> int:
        """The word of a register.

        Raises
        ------
        RefusedError
            If the port answers with an error.
        """
        answer = await self.bus.read(self._registers[name].offset, _WORD_BYTES)
        self._require_okay(name, answer.resp)
        return int.from_bytes(answer.data, "little")

    async def read_fields(self, name: str) -> dict[str, int]:
        """The fields of a register, by name."""
        word = await self.read(name)
        return {field.name: word >> field.lsb & ((1 << field.width) - 1) for field in self._registers[name].fields}

    async def write(self, name: str, **fields: int) -> None:
        """Writes a register; fields that are not named are zero.

        Raises
        ------
        RefusedError
            If the port answers with an error.
        """
        word = _assemble(self._registers[name], fields)
        answer = await self.bus.write(self._registers[name].offset, word.to_bytes(_WORD_BYTES, "little"))
        self._require_okay(name, answer.resp)

    def _require_okay(self, name: str, response: AxiResp) -> None:
        if response != AxiResp.OKAY:
            raise RefusedError(f"{name}: {AxiResp(response).name}")

    def _values(self, name: str, field_name: str) -> dict[int, str]:
        field = next(field for field in self._registers[name].fields if field.name == field_name)
        return {number: value for value, number in field.values.items()}


def _assemble(register: Register, fields: dict[str, int]) -> int:
    lsb = {field.name: field.lsb for field in register.fields}
    return sum(int(value) << lsb[name] for name, value in fields.items())


class _ViolationRecord(RegisterPort):
    """The record of denied accesses, which both ports show."""

    async def violations(self) -> dict[Violation, int]:
        """Number of denied accesses of each kind."""
        return {kind: await self.read(f"VIOLATION_COUNT_{kind.name}") for kind in Violation}

    async def first_violation(self) -> dict[str, int] | None:
        """``kind``, ``write``, ``asid``, ``id`` and ``address`` of the first denied access, if there was one."""
        status = await self.read_fields("VIOLATION_STATUS")
        if not status["VALID"]:
            return None
        address = await self.read("VIOLATION_ADDRESS_LOW") | await self.read("VIOLATION_ADDRESS_HIGH") << 32
        return {"kind": status["KIND"], "write": status["WRITE"], "asid": await self.read("VIOLATION_ASID"),
                "id": await self.read("VIOLATION_ID"), "address": address}


class HostPort(_ViolationRecord):
    """The host's registers: discovery and violations."""

    def __init__(self, dut: Any, prefix: str = "s_axil_host"):
        super().__init__(dut, prefix, "host")


class PspPort(_ViolationRecord):
    """The security processor's registers: keys, mode, release."""

    def __init__(self, dut: Any, prefix: str = "s_axil_psp"):
        super().__init__(dut, prefix, "psp")

    async def write_key(self, key: bytes, tweak_key: bytes) -> None:
        """Writes both keys, for the next install."""
        for name, value in (("KEY_DATA", key), ("KEY_TWEAK", tweak_key)):
            for word in range(len(value) // _WORD_BYTES):
                part = value[_WORD_BYTES * word:_WORD_BYTES * (word + 1)]
                await self.write(f"{name}{word}", WORD=int.from_bytes(part, "little"))

    async def install_key(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """Writes both keys and makes an empty slot active.

        Raises
        ------
        CommandError
            If the engine refuses.
        """
        await self.write_key(key, tweak_key)
        await self.command("INSTALL", slot)

    async def retire(self, slot: int) -> None:
        """Lets a slot finish what is in flight, then erases it. Raises :exc:`CommandError` like :meth:`command`."""
        await self.command("RETIRE", slot)

    async def zeroize(self, slot: int) -> None:
        """Erases a slot at once. Raises :exc:`CommandError` like :meth:`command`."""
        await self.command("ZEROIZE", slot)

    async def zeroize_all(self) -> None:
        """Erases every slot at once. Raises :exc:`CommandError` like :meth:`command`."""
        await self.command("ZEROIZE_ALL", 0)

    async def set_mode(self, *, sme: bool = False, tsme: bool = False, sev: bool = False) -> None:
        """Sets what is encrypted."""
        await self.write("MODE", SME=sme, TSME=tsme, SEV=sev)

    async def lock(self) -> None:
        """Freezes the mode until reset."""
        await self.write("CONTROL", LOCK=1)

    async def release(self) -> None:
        """Waits for the erase after reset and the self-test, then lets accesses in."""
        await self.wait_ready()
        await self.write("CONTROL", RELEASE=1)

    async def wait_ready(self) -> None:
        """Waits until neither the erase after reset, nor a command, nor the self-test is running."""
        for _ in range(_POLLS):
            status = await self.read_fields("STATUS")
            if not status["BUSY"] and not status["SELF_TEST_BUSY"]:
                return
        raise TimeoutError(f"the engine is still busy after {_POLLS} looks")

    async def slot_state(self, slot: int) -> str:
        """Name of a slot's state."""
        await self.write("SLOT_SELECT", SLOT=slot)
        state = await self.read_fields("SLOT_STATE")
        return self._values("SLOT_STATE", "STATE")[state["STATE"]]

    async def start(self, operation: str, slot: int) -> None:
        """Starts a command on a slot; its result is not awaited."""
        operations = {value: number for number, value in self._values("COMMAND", "OP").items()}
        await self.write("COMMAND", OP=operations[operation], SLOT=slot)

    async def command(self, operation: str, slot: int) -> None:
        """Carries out a command on a slot.

        Raises
        ------
        CommandError
            If the engine refuses.
        """
        await self.start(operation, slot)
        for _ in range(_POLLS):
            status = await self.read_fields("COMMAND_STATUS")
            if not status["BUSY"]:
                result = self._values("COMMAND_STATUS", "RESULT")[status["RESULT"]]
                if result != "OK":
                    raise CommandError(result)
                return
        raise TimeoutError(f"{operation} of slot {slot} still runs after {_POLLS} looks")
