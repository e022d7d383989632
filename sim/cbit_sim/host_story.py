"""What a host does with a platform from INIT to SHUTDOWN, mistakes included.

It is the same for the golden model, the firmware and gateware, so that their answers can be compared.
"""

import random

from cbit_model.sev.certificate import public_point
from cbit_model.sev.constants import Command
from cbit_model.sev.owner.launch import new_session, package_secret
from cbit_model.sev.ports import AccessError
from cbit_sim.platforms import HostedPlatform
from cbit_sim.sev_host import Reply

__all__ = ["Observation", "tell_story"]

Observation = tuple[str, bytes]
"""What was looked at, and its bytes."""

_IMAGE, _OTHER, _SECRET = 0x10_0000, 0x14_0000, 0x10_0800
_ASID = 3
_POLICY = 2
_SECRET_BYTES = 64
_IMAGE_BYTES = 0x1210


class _Storyteller:
    """A host that writes down all that it sees."""

    def __init__(self, platform: HostedPlatform, c_bit: int, seed: int) -> None:
        self.platform = platform
        self.private = 1 << c_bit
        self.random = random.Random(seed)
        self.seen: list[Observation] = []

    def command(self, command: Command, **fields: int | bytes) -> Reply:
        """A command, its status, and its buffer afterwards."""
        reply = self.platform.host.command(command, **fields)
        self.seen.append((f"{command.name} {reply.status.name}", reply.buffer))
        return reply

    def look(self, address: int, length: int, asid: int = 0) -> bytes:
        """Memory as software sees it."""
        try:
            content = self.platform.memory.read(address, length, asid)
        except AccessError:
            content = b"denied"
        self.seen.append((f"read {address:#x} under ASID {asid}", content))
        return content

    def look_at_dram(self, address: int, length: int) -> None:
        """Memory as an attacker sees it."""
        self.seen.append((f"DRAM at {address:#x}", self.platform.dram(address, length)))


def tell_story(platform: HostedPlatform, *, c_bit: int = 47, seed: int = 1) -> list[Observation]:
    """All statuses, outputs, and looks at memory, in order.

    Given the same raw entropy, all are the same on all platforms.
    """
    teller = _Storyteller(platform, c_bit, seed)
    host = platform.host
    teller.command(Command.PDH_GEN)
    teller.command(Command.INIT, flags=2)
    teller.command(Command.INIT)
    teller.command(Command.PLATFORM_STATUS)
    teller.command(Command.GET_ID, address=host.area(0), length=0x40)
    teller.look(host.area(0), 0x40)
    pdh, chain = host.area(0), host.area(1)
    teller.command(Command.PDH_CERT_EXPORT, pdh_address=pdh, pdh_length=0x824, chain_address=chain, chain_length=0)
    teller.command(Command.PDH_CERT_EXPORT, pdh_address=pdh, pdh_length=0x824, chain_address=chain, chain_length=0x186C)
    certificate = teller.look(pdh, 0x824)
    teller.look(chain, 0x186C)
    _launch(teller, certificate)
    _debug(teller)
    _end(teller)
    return teller.seen


def _launch(teller: _Storyteller, pdh: bytes) -> None:
    host = teller.platform.host
    session = new_session(public_point(pdh), _POLICY, teller.random.randbytes)
    fields = host.start_fields(_POLICY, session)
    teller.command(Command.LAUNCH_START, **fields | {"policy": 0})
    handle = teller.command(Command.LAUNCH_START, **fields).number("handle")
    image = teller.random.randbytes(_IMAGE_BYTES)
    teller.platform.memory.write(_IMAGE, image, 0)
    update = {"handle": handle, "address": _IMAGE, "length": _IMAGE_BYTES}
    teller.command(Command.LAUNCH_UPDATE_DATA, **update)
    teller.command(Command.ACTIVATE, handle=handle, asid=_ASID)
    teller.command(Command.LAUNCH_UPDATE_DATA, **update | {"length": _IMAGE_BYTES - 1})
    teller.command(Command.LAUNCH_UPDATE_DATA, **update)
    teller.look_at_dram(_IMAGE, _IMAGE_BYTES)
    assert teller.look(teller.private | _IMAGE, _IMAGE_BYTES, _ASID) == image
    teller.look(teller.private | _IMAGE, 64, _ASID + 1)
    teller.command(Command.LAUNCH_MEASURE, handle=handle, address=_IMAGE, length=0x30)
    teller.command(Command.LAUNCH_MEASURE, handle=handle, address=host.area(0), length=0x30)
    measurement = teller.look(host.area(0), 0x30)
    content = teller.random.randbytes(_SECRET_BYTES)
    secret = package_secret(content, tek=session.tek, tik=session.tik, measurement=measurement,
                            random=teller.random.randbytes)
    fields = host.secret_fields(handle, secret, _SECRET)
    teller.platform.memory.write(host.area(0) + 0x14, bytes(1), 0)
    teller.command(Command.LAUNCH_SECRET, **fields)
    teller.command(Command.LAUNCH_SECRET, **host.secret_fields(handle, secret, _SECRET))
    assert teller.look(teller.private | _SECRET, _SECRET_BYTES, _ASID) == content
    teller.command(Command.LAUNCH_FINISH, handle=handle)
    teller.command(Command.ATTESTATION, handle=handle, mnonce=teller.random.randbytes(16), address=host.area(0),
                   length=0xD0)
    teller.look(host.area(0), 0xD0)
    teller.command(Command.GUEST_STATUS, handle=handle)


def _debug(teller: _Storyteller) -> None:
    debug = {"handle": 1, "source": _IMAGE + 0x10, "destination": _OTHER, "length": 0x40}
    teller.command(Command.DBG_DECRYPT, **debug)
    teller.look(_OTHER, 0x40)
    teller.command(Command.DBG_ENCRYPT, **debug | {"source": _OTHER, "destination": _IMAGE + 0x100})
    teller.look(teller.private | _IMAGE + 0x100, 0x40, _ASID)
    teller.command(Command.DBG_DECRYPT, **debug | {"destination": _IMAGE})


def _end(teller: _Storyteller) -> None:
    teller.command(Command.DEACTIVATE, handle=1)
    teller.look(teller.private | _IMAGE, 64, _ASID)
    teller.command(Command.ACTIVATE, handle=1, asid=_ASID)
    teller.command(Command.DF_FLUSH)
    teller.platform.flush_caches()
    teller.command(Command.DF_FLUSH)
    teller.command(Command.ACTIVATE, handle=1, asid=_ASID)
    teller.look(teller.private | _IMAGE, 64, _ASID)
    teller.command(Command.DECOMMISSION, handle=1)
    for unsupported in (Command.SEND_START, Command.COPY):
        teller.command(unsupported)
    teller.command(Command.SHUTDOWN)
    teller.command(Command.PLATFORM_STATUS)
