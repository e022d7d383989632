"""A host that knows the PSP's mailbox and nothing else: lays out command buffers, takes guests through their lives."""

import dataclasses
from collections.abc import Callable

from cbit_model.sev.certificate import CERTIFICATE_BYTES
from cbit_model.sev.constants import Command, Status
from cbit_model.sev.launch import MEASUREMENT_BYTES
from cbit_model.sev.layouts import COMMAND_BUFFERS, REPORT, Layout
from cbit_model.sev.owner.launch import OwnerSession, Secret
from cbit_model.sev.platform import CHAIN_BYTES
from cbit_model.sev.ports import MemoryPort
from cbit_model.sev.psp import DONE

__all__ = ["Reply", "SevHost", "UnexpectedStatusError"]


class UnexpectedStatusError(AssertionError):
    """A command that was to succeed has not; the text says which, and its status.

    Attributes
    ----------
    command : :class:`~cbit_model.sev.constants.Command`
        Which.
    status : :class:`~cbit_model.sev.constants.Status`
        With what it has ended.
    """

    def __init__(self, command: Command, status: Status) -> None:
        super().__init__(f"{command.name} ended with {status.name}")
        self.command = command
        self.status = status


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A status, and the command buffer as it is afterwards."""

    status: Status
    layout: Layout
    buffer: bytes

    def number(self, name: str) -> int:
        """A field of the buffer."""
        return self.layout.number(self.buffer, name)


class SevHost:
    """Drives a PSP: the model's, the firmware's or that of gateware.

    Parameters
    ----------
    memory : :class:`~cbit_model.sev.ports.MemoryPort`
        The host's memory.
    mailbox : callable
        Takes a command word and a buffer's address, and gives the response when it is there.
    scratch : :class:`int`
        From here on 16 KB of memory are for command buffers and what they refer to. A multiple of 4096.
    """

    def __init__(self, memory: MemoryPort, mailbox: Callable[[int, int], int], *, scratch: int) -> None:
        self.memory = memory
        self.scratch = scratch
        self._mailbox = mailbox

    def area(self, number: int) -> int:
        """The address of an area of the scratch memory: 0 of 4 KB, 1 of 8 KB."""
        return self.scratch + 0x1000 * (1 + number)

    def put(self, number: int, content: bytes) -> int:
        """Writes into an area; its address."""
        self.memory.write(self.area(number), content, 0)
        return self.area(number)

    def command(self, command: Command, **fields: int | bytes) -> Reply:
        """Gives a command with these fields in its buffer, and zeros in all others."""
        layout = COMMAND_BUFFERS.get(command, Layout(0))
        return self.raw(command, layout.pack(**fields))

    def raw(self, command: Command, buffer: bytes) -> Reply:
        """Gives a command with these bytes as its buffer."""
        layout = COMMAND_BUFFERS.get(command, Layout(0))
        if buffer:
            self.memory.write(self.scratch, buffer, 0)
        status = self.execute(command, self.scratch)
        return Reply(status, layout, self.memory.read(self.scratch, layout.size, 0) if layout.size else b"")

    def execute(self, number: int, buffer: int) -> Status:
        """Gives any command with a buffer anywhere."""
        response = self._mailbox(number << 16, buffer)
        assert response & ~0xFFFF == DONE
        return Status(response & 0xFFFF)

    def must(self, command: Command, **fields: int | bytes) -> Reply:
        """As :meth:`command`, where it is to succeed.

        Raises
        ------
        UnexpectedStatusError
            If it does not.
        """
        reply = self.command(command, **fields)
        if reply.status is not Status.SUCCESS:
            raise UnexpectedStatusError(command, reply.status)
        return reply

    def export(self) -> tuple[bytes, bytes]:
        """PDH and chain."""
        pdh, chain = self.area(0), self.area(1)
        self.must(Command.PDH_CERT_EXPORT, pdh_address=pdh, pdh_length=CERTIFICATE_BYTES, chain_address=chain,
                  chain_length=CHAIN_BYTES)
        return self.memory.read(pdh, CERTIFICATE_BYTES, 0), self.memory.read(chain, CHAIN_BYTES, 0)

    def start_fields(self, policy: int, session: OwnerSession | None) -> dict[str, int | bytes]:
        """The fields of LAUNCH_START, what they refer to laid out in memory."""
        if session is None:
            return {"policy": policy}
        return {"policy": policy,
                "dh_address": self.put(0, session.dh_certificate), "dh_length": len(session.dh_certificate),
                "session_address": self.put(1, session.session), "session_length": len(session.session)}

    def start(self, policy: int = 0, session: OwnerSession | None = None, *, asid: int = 0) -> int:
        """Starts a launch, and activates the guest where an ASID is given; its handle."""
        handle = self.must(Command.LAUNCH_START, **self.start_fields(policy, session)).number("handle")
        if asid:
            self.must(Command.ACTIVATE, handle=handle, asid=asid)
        return handle

    def measure(self, handle: int) -> bytes:
        """The measurement of a guest, with its nonce."""
        self.must(Command.LAUNCH_MEASURE, handle=handle, address=self.area(0), length=MEASUREMENT_BYTES)
        return self.memory.read(self.area(0), MEASUREMENT_BYTES, 0)

    def secret_fields(self, handle: int, secret: Secret, address: int) -> dict[str, int | bytes]:
        """The fields of LAUNCH_SECRET, what they refer to laid out in memory."""
        return {"handle": handle, "header_address": self.put(0, secret.header), "header_length": len(secret.header),
                "guest_address": address, "guest_length": len(secret.payload),
                "transport_address": self.put(1, secret.payload), "transport_length": len(secret.payload)}

    def launch(self, address: int, length: int, *, asid: int, policy: int = 0,
               session: OwnerSession | None = None) -> int:
        """Takes a guest from memory that has been written until it runs; its handle."""
        handle = self.start(policy, session, asid=asid)
        self.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=address, length=length)
        self.measure(handle)
        self.must(Command.LAUNCH_FINISH, handle=handle)
        return handle

    def attest(self, handle: int, mnonce: bytes) -> bytes:
        """A report that answers a nonce."""
        self.must(Command.ATTESTATION, handle=handle, mnonce=mnonce, address=self.area(0), length=REPORT.size)
        return self.memory.read(self.area(0), REPORT.size, 0)
