"""Command buffers that are almost right, and such that are not at all."""

import random
from collections.abc import Mapping

from cbit_model.sev.certificate import SIGNED_BYTES, body_of, signature_slot, signed_certificate
from cbit_model.sev.constants import Algorithm, Command, Status, Usage
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.owner.launch import OwnerSession, new_session, package_secret
from cbit_model.sev.p384 import PrivateKey, is_public_point
from cbit_sim.sev_host import SevHost

__all__ = ["CommandSource"]

_WEIGHTS = {
    Command.INIT: 3, Command.SHUTDOWN: 1, Command.PLATFORM_RESET: 1, Command.DECOMMISSION: 12, Command.ACTIVATE: 30,
    Command.LAUNCH_START: 20, Command.LAUNCH_UPDATE_DATA: 30, Command.LAUNCH_MEASURE: 20, Command.LAUNCH_SECRET: 20,
    Command.LAUNCH_FINISH: 12, Command.ATTESTATION: 20, Command.DBG_DECRYPT: 20, Command.DBG_ENCRYPT: 20,
}
_CROWDED_WEIGHTS = {**_WEIGHTS, Command.SHUTDOWN: 0.05, Command.DECOMMISSION: 0.5, Command.LAUNCH_MEASURE: 1,
                    Command.LAUNCH_UPDATE_DATA: 90}
_USUAL_WEIGHT = 5
_BUFFERLESS = [Command.SHUTDOWN, Command.PLATFORM_RESET, Command.PEK_GEN, Command.PDH_GEN, Command.DF_FLUSH]
_OWNER = PrivateKey(0x5EC2E7)


class CommandSource:
    """Draws commands that suit what the platform has been through, and spoils many of them.

    It lays out what buffers refer to in the host's memory, and learns from what the PSP answers, as a host does.

    Parameters
    ----------
    host : :class:`~cbit_sim.sev_host.SevHost`
        Its scratch memory is used.
    memory_bytes : :class:`int`
        Bytes of DRAM.
    c_bit : :class:`int`
        The C-bit's position.
    seed : :class:`int`
        The same seed and the same answers give the same commands. With odd seeds guests seldom end, so that there
        come to be as many of them, and as many private ranges, as there can be.
    weights : mapping
        How often commands come, where that is to be otherwise than usual.
    """

    def __init__(self, host: SevHost, *, memory_bytes: int, c_bit: int, seed: int,
                 weights: Mapping[Command, float] | None = None) -> None:
        self.random = random.Random(seed)
        weights = {**(_CROWDED_WEIGHTS if seed % 2 else _WEIGHTS), **(weights or {})}
        self._commands = [*COMMAND_BUFFERS, *_BUFFERLESS]
        self._weights = [weights.get(command, _USUAL_WEIGHT) for command in self._commands]
        self._host, self._memory_bytes, self._c_bit = host, memory_bytes, c_bit
        self._pdh: tuple[int, int] | None = None
        self._pek_body: bytes | None = None
        self._session: OwnerSession | None = None
        self._launches: dict[int, tuple[OwnerSession, bytes]] = {}
        self._handles: set[int] = set()

    def draw(self) -> tuple[int, int, bytes]:
        """A command's number, the address of its buffer, and the buffer, which is for the caller to write there."""
        if self._chance(5):
            number = self.random.choice([self.random.getrandbits(15), self.random.randrange(0x70)])
            return number, self._address(), self.random.randbytes(self.random.randrange(1, 0x38))
        command = self.random.choices(self._commands, self._weights)[0]
        layout = COMMAND_BUFFERS.get(command)
        if layout is None:
            return command, self._address(), b""
        buffer = bytearray(layout.pack(**self._fields(command)))
        while self._chance(3):
            self._spoil(buffer)
        address = self._host.scratch if not self._chance(12) else self._address()
        return command, address, bytes(buffer)

    def learn(self, number: int, address: int, buffer: bytes, status: Status) -> None:
        """Takes note of a command's end; ``buffer`` is what was at the address before."""
        if status is not Status.SUCCESS:
            return
        if number == Command.SHUTDOWN:
            self._handles.clear()
        if number not in COMMAND_BUFFERS:
            return
        command = Command(number)
        layout = COMMAND_BUFFERS[command]
        handle = layout.number(buffer, "handle") if "handle" in layout.numbers else 0
        if command is Command.LAUNCH_START:
            handle = int.from_bytes(self._host.memory.read(address, 4, 0), "little")
            self._handles.add(handle)
            if layout.number(buffer, "dh_address") and self._session is not None:
                self._launches[handle] = self._session, b""
        elif command is Command.DECOMMISSION:
            self._handles.discard(handle)
        elif command is Command.LAUNCH_MEASURE and handle in self._launches:
            measurement = self._host.memory.read(layout.number(buffer, "address"), 0x30, 0)
            self._launches[handle] = self._launches[handle][0], measurement
        elif command is Command.PDH_CERT_EXPORT:
            pdh = self._host.memory.read(layout.number(buffer, "pdh_address"), 0xA4, 0)
            point = int.from_bytes(pdh[0x14:0x44], "little"), int.from_bytes(pdh[0x5C:0x8C], "little")
            self._pdh = point if is_public_point(*point) else None
            self._pek_body = self._host.memory.read(layout.number(buffer, "chain_address"), SIGNED_BYTES, 0)

    def _fields(self, command: Command) -> dict[str, int | bytes]:
        """Fields as they should be, as far as this host can know."""
        fields = {name: self._number(name) for name in COMMAND_BUFFERS[command].numbers}
        if command is Command.LAUNCH_START:
            return self._start_fields()
        if command is Command.LAUNCH_SECRET:
            return self._secret_fields()
        if command is Command.PEK_CERT_IMPORT:
            return self._import_fields()
        if command is Command.INIT:
            return {"flags": self.random.choice([0, 0, 1, 2])}
        exact = {Command.PEK_CSR: 0x824, Command.GET_ID: 0x40, Command.LAUNCH_MEASURE: 0x30, Command.ATTESTATION: 0xD0}
        if command in exact:
            fields["length"] = self._length(exact[command])
        if command is Command.PDH_CERT_EXPORT:
            fields |= {"pdh_length": self._length(0x824), "chain_length": self._length(0x186C)}
            if self._chance(2):
                fields |= {"pdh_address": self._host.area(0), "chain_address": self._host.area(1)}
        return dict(fields)

    def _start_fields(self) -> dict[str, int | bytes]:
        policy = self.random.choice([0, 0, 0, 1, 2, 0x1800_0000, 0x40, 0x1900_0000])
        if self._pdh is None or self._chance(3):
            return {"policy": policy}
        if self._session is None or self._chance(2):
            self._session = new_session(self._pdh, policy, self.random.randbytes)
        session = OwnerSession(self._spoiled(self._session.dh_certificate), self._spoiled(self._session.session),
                               self._session.tek, self._session.tik)
        return {**self._host.start_fields(policy, session), "handle": self.random.choice([0] * 8 + [self._handle()])}

    def _secret_fields(self) -> dict[str, int | bytes]:
        handle = self._handle()
        if not self._launches.get(handle, (None, b""))[1]:
            candidates = [known for known, (_, measurement) in self._launches.items() if measurement]
            handle = self.random.choice(candidates) if candidates else handle
        fields: dict[str, int | bytes] = {
            "handle": handle, "header_address": self._host.area(0), "header_length": 0x34,
            "guest_address": self._number("address"), "guest_length": 0x40, "transport_address": self._host.area(1),
            "transport_length": 0x40}
        if handle in self._launches:
            session, measurement = self._launches[handle]
            secret = package_secret(self.random.randbytes(0x40), tek=session.tek, tik=session.tik,
                                    measurement=measurement, random=self.random.randbytes)
            self._host.put(0, self._spoiled(secret.header))
            self._host.put(1, self._spoiled(secret.payload))
        return fields

    def _import_fields(self) -> dict[str, int | bytes]:
        body = self._pek_body or bytes(SIGNED_BYTES)
        oca = body_of(usage=Usage.OCA, algorithm=Algorithm.ECDSA_SHA256, point=_OWNER.point)
        pek_certificate = signed_certificate(body, signature_slot(Usage.OCA, _OWNER.sign(body)))
        oca_certificate = signed_certificate(oca, signature_slot(Usage.OCA, _OWNER.sign(oca)))
        return {"pek_address": self._host.put(0, self._spoiled(pek_certificate)), "pek_length": 0x824,
                "oca_address": self._host.put(1, self._spoiled(oca_certificate)), "oca_length": 0x824}

    def _number(self, name: str) -> int:
        """A value for a field, by what it is."""
        if name == "handle":
            return self._handle()
        if name == "asid":
            return int(self.random.choice([*range(18), self.random.getrandbits(32)]))
        if "address" in name or name in ("source", "destination"):
            return self._address()
        if "length" in name:
            return self.random.choice([0, 16, 16, 16, 0x40, 0x1000, 0x1010, self.random.randrange(0x2000)])
        return 0

    def _handle(self) -> int:
        return self.random.choice([*self._handles, 0, 1, self.random.randrange(40)] if self._chance(8) else
                                  [*self._handles, 1])

    def _address(self) -> int:
        """Mostly in memory and aligned."""
        address = 16 * self.random.randrange(self._memory_bytes // 16)
        if self._chance(4):
            address |= 1 << self._c_bit
        if self._chance(12):
            address += self.random.randrange(16)
        if self._chance(16):
            address = self.random.choice([
                self._memory_bytes - 16 * self.random.randrange(4), (1 << 64) - 16, 1 << self.random.randrange(64),
                self.random.getrandbits(64)])
        return address % (1 << 64)

    def _length(self, exact: int) -> int:
        return self.random.choice([exact, exact, exact, 0, exact - 1, exact + 1, 0xFFFF_FFFF])

    def _spoil(self, buffer: bytearray) -> None:
        """Changes a bit, a byte, or a word to something at an edge."""
        offset = self.random.randrange(len(buffer))
        match self.random.randrange(3):
            case 0:
                buffer[offset] ^= 1 << self.random.randrange(8)
            case 1:
                buffer[offset] = self.random.getrandbits(8)
            case _:
                start = offset // 4 * 4
                edge = self.random.choice([0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF])
                buffer[start:start + 4] = edge.to_bytes(4, "little")[:len(buffer) - start]

    def _spoiled(self, content: bytes) -> bytes:
        buffer = bytearray(content)
        if self._chance(4):
            self._spoil(buffer)
        return bytes(buffer)

    def _chance(self, of: int) -> bool:
        return self.random.randrange(of) == 0
