"""The part of the demonstration in which a PSP launches a guest: host and owner act, the golden model is the judge."""

import dataclasses
import random
from collections.abc import Callable

from cbit_model.sev.constants import Command
from cbit_model.sev.owner.chain import verified_pdh, verified_pek
from cbit_model.sev.owner.launch import check_measurement, check_report, new_session, package_secret
from cbit_model.sev.policy import policy_words
from cbit_sim.platforms import HostedPlatform
from cbit_sim.scoreboard import MismatchError
from cbit_sim.sev_model import development_trust

__all__ = ["LARGEST_IMAGE_BYTES", "GuestLaunch", "Stage", "compare_launch", "launch_guest"]

LARGEST_IMAGE_BYTES = 1 << 18
"""How much of a file a guest is launched from."""

SECRET = b"Only this guest, launched from these bytes, may read this."

_POLICY = 1
_ASID = 1
_BLOCK_BYTES = 16
_PAGE_BYTES = 4096
_IMAGE_ADDRESS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Stage:
    """A step of the launch: the command or "boot", what came of it, and the security processor's cycles."""

    name: str
    result: str
    cycles: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuestLaunch:
    """What came of a launch.

    Parameters
    ----------
    image : :class:`bytes`
        What the guest was launched from: the file's first bytes, zeros to a whole block.
    policy : :class:`str`
        In words.
    delivered, dram, guest, host : :class:`bytes`
        The image's memory: DRAM as the host has written it, DRAM afterwards, what the guest reads, and what the host
        reads with its C-bit set.
    secret : :class:`bytes`
        What the guest reads where its owner's secret was to go.
    chain, measurement, report : :class:`bytes`
        What the owner has verified.
    stages : tuple of :class:`Stage`
        What was done.
    """

    image: bytes
    policy: str
    delivered: bytes
    dram: bytes
    guest: bytes
    host: bytes
    secret: bytes
    chain: bytes
    measurement: bytes
    report: bytes
    stages: tuple[Stage, ...]


class _Launcher:
    """A host, the guest's owner, and a clock beside them."""

    def __init__(self, platform: HostedPlatform, clock: Callable[[], int]) -> None:
        self.platform = platform
        self.stages = [Stage("boot", "the engine has its key, the host may run", clock())]
        self._clock = clock

    def must(self, command: Command, result: str, **fields: int | bytes) -> int:
        """A command that succeeds; the handle in its buffer, if it has one."""
        before = self._clock()
        reply = self.platform.host.must(command, **fields)
        self.stages.append(Stage(command.name, result, self._clock() - before))
        return reply.number("handle") if "handle" in reply.layout.numbers else 0


def launch_guest(platform: HostedPlatform, data: bytes, *, seed: int, c_bit: int = 47,
                 clock: Callable[[], int] = lambda: 0) -> GuestLaunch:
    """Takes a guest from the beginning of a file until it runs, as its owner wants it.

    Parameters
    ----------
    platform : :class:`~cbit_sim.platforms.HostedPlatform`
        It has just booted.
    data : :class:`bytes`
        The file.
    seed : :class:`int`
        Of what the owner draws.
    c_bit : :class:`int`
        The C-bit's position.
    clock : callable
        Cycles of the security processor until now.

    Raises
    ------
    cbit_model.sev.owner.distrust.DistrustError
        If the owner does not trust the platform, the launch or the report.
    cbit_sim.sev_host.UnexpectedStatusError
        If a command fails.
    """
    launcher, host, memory = _Launcher(platform, clock), platform.host, platform.memory
    image = data[:LARGEST_IMAGE_BYTES]
    image += bytes(-len(image) % _BLOCK_BYTES)
    draw = random.Random(f"owner {seed}").randbytes
    root = development_trust()

    launcher.must(Command.INIT, "the platform has made its own keys and certificates")
    pdh, chain = host.export()
    session = new_session(verified_pdh(root, chain, pdh), _POLICY, draw)
    handle = launcher.must(Command.LAUNCH_START, "the owner’s session is unwrapped, the guest has a key of its own",
                           **host.start_fields(_POLICY, session))
    launcher.must(Command.ACTIVATE, "the engine has that key", handle=handle, asid=_ASID)
    memory.write(_IMAGE_ADDRESS, image, 0)
    delivered = platform.dram(_IMAGE_ADDRESS, len(image))
    launcher.must(Command.LAUNCH_UPDATE_DATA, "the image is measured and encrypted in place", handle=handle,
                  address=_IMAGE_ADDRESS, length=len(image))
    dram = platform.dram(_IMAGE_ADDRESS, len(image))
    area = host.area(0)
    launcher.must(Command.LAUNCH_MEASURE, "the owner has verified the measurement", handle=handle, address=area,
                  length=0x30)
    measurement = memory.read(area, 0x30, 0)
    check_measurement(measurement, tik=session.tik, policy=_POLICY, image=image)
    packet = package_secret(SECRET, tek=session.tek, tik=session.tik, measurement=measurement, random=draw)
    place = _IMAGE_ADDRESS + -(-len(image) // _PAGE_BYTES) * _PAGE_BYTES
    launcher.must(Command.LAUNCH_SECRET, "the guest has its owner’s secret",
                  **host.secret_fields(handle, packet, place))
    launcher.must(Command.LAUNCH_FINISH, "the guest runs", handle=handle)
    mnonce = draw(16)
    launcher.must(Command.ATTESTATION, "the owner has verified the report", handle=handle, mnonce=mnonce, address=area,
                  length=0xD0)
    report = memory.read(area, 0xD0, 0)
    check_report(report, pek=verified_pek(root, chain), mnonce=mnonce, policy=_POLICY, image=image)
    private = 1 << c_bit
    return GuestLaunch(
        image=image, policy=policy_words(_POLICY), delivered=delivered, dram=dram, chain=chain, measurement=measurement,
        report=report, guest=memory.read(private | _IMAGE_ADDRESS, len(image), _ASID),
        host=memory.read(private | _IMAGE_ADDRESS, len(image), 0),
        secret=memory.read(private | place, len(packet.payload), _ASID)[:len(SECRET)], stages=tuple(launcher.stages))


def compare_launch(expected: GuestLaunch, got: GuestLaunch) -> int:
    """Compares what the golden model's launch has given with another, and returns the number of bytes compared.

    Raises
    ------
    MismatchError
        If something differs; the text says what, and where.
    """
    compared = 0
    for name in ("delivered", "dram", "guest", "host", "secret", "chain", "measurement", "report"):
        wanted, seen = getattr(expected, name), getattr(got, name)
        if wanted != seen:
            offset = next(offset for offset, pair in enumerate(zip(wanted, seen, strict=True)) if pair[0] != pair[1])
            raise MismatchError(f"launch of a guest, {name}, byte {offset:#x}: expected {wanted[offset]:#04x}, "
                                f"got {seen[offset]:#04x}")
        compared += len(wanted)
    if got.guest != got.image or got.secret != SECRET:
        raise MismatchError("launch of a guest: it does not read its image and its secret")
    return compared
