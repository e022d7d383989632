"""Guests launched by a platform's security processor: its host asks, and the owner of one verifies."""

import dataclasses
import random
from collections.abc import Callable

from cbit_model.sev.constants import Command
from cbit_model.sev.owner.chain import verified_pdh, verified_pek
from cbit_model.sev.owner.launch import OwnerSession, check_measurement, check_report, new_session, package_secret
from cbit_sim.demo.platforms import BurstPlatform
from cbit_sim.demo.story import SECRET, Launch
from cbit_sim.sev_model import development_trust

__all__ = ["POLICY", "Launcher", "Stage"]

POLICY = 1
"""Of all guests: no debugging."""

_MEASUREMENT_BYTES, _REPORT_BYTES, _NONCE_BYTES = 0x30, 0xD0, 16


@dataclasses.dataclass(frozen=True)
class Stage:
    """A step of the security processor: whom it is for, the command or "boot", what came of it, and its cycles."""

    subject: str
    name: str
    result: str
    cycles: int


class Launcher:
    """A host that has initialized its platform, and a guest's owner.

    Parameters
    ----------
    platform : :class:`~cbit_sim.demo.platforms.BurstPlatform`
        It has just booted.
    seed : :class:`int`
        Of what the owner draws.
    see : callable
        Takes the name of an observation, its address, and bytes: what DRAM holds as an image is delivered and after it
        is encrypted, and what the owner is given.

    Attributes
    ----------
    stages : list of :class:`Stage`
        What was done.
    """

    def __init__(self, platform: BurstPlatform, *, seed: int, see: Callable[[str, int, bytes], None]) -> None:
        self._platform = platform
        self._host = platform.host
        self._see = see
        self._draw = random.Random(f"owner {seed}").randbytes
        self._root = development_trust()
        self.stages = [Stage("platform", "boot", "the engine has the host’s key, the host may run", platform.cycles)]
        self._must("platform", Command.INIT, "the platform has made its own keys and certificates")
        self._pdh, self._chain = self._host.export()
        see("certificate chain", self._host.area(1), self._chain)

    def launch(self, plan: Launch) -> None:
        """Takes a guest from the host's memory until it runs.

        Raises
        ------
        cbit_model.sev.owner.distrust.DistrustError
            If the owner does not trust the platform, the launch or the report.
        cbit_sim.sev_host.UnexpectedStatusError
            If a command fails.
        """
        name, start, size = plan.guest.name, plan.start, len(plan.image)
        session, result = None, "a key of its own; no owner takes part"
        if plan.secret_start is not None:
            session = new_session(verified_pdh(self._root, self._chain, self._pdh), POLICY, self._draw)
            result = "a key of its own; its owner has verified the platform"
        handle = self._must(name, Command.LAUNCH_START, result, **self._host.start_fields(POLICY, session))
        self._must(name, Command.ACTIVATE, f"the engine has that key, for ASID {plan.guest.asid}", handle=handle,
                   asid=plan.guest.asid)
        self._platform.memory.write(start, plan.image, 0)
        self._see(f"DRAM before the launch of {name}", start, self._platform.dram(start, size))
        self._must(name, Command.LAUNCH_UPDATE_DATA, "the image is measured, and encrypted in place", handle=handle,
                   address=start, length=size)
        self._see(f"DRAM after the launch of {name}", start, self._platform.dram(start, size))
        area = self._host.area(0)
        result = "nobody asks for the measurement" if session is None else "the owner has verified the measurement"
        self._must(name, Command.LAUNCH_MEASURE, result, handle=handle, address=area, length=_MEASUREMENT_BYTES)
        measurement = self._noted(f"measurement of {name}", area, _MEASUREMENT_BYTES)
        if session is not None:
            self._send_secret(plan, handle, session, measurement)
        self._must(name, Command.LAUNCH_FINISH, "the guest runs", handle=handle)
        if session is not None:
            self._attest(plan, handle)

    def _send_secret(self, plan: Launch, handle: int, session: OwnerSession, measurement: bytes) -> None:
        assert plan.secret_start is not None
        check_measurement(measurement, tik=session.tik, policy=POLICY, image=plan.image)
        packet = package_secret(SECRET, tek=session.tek, tik=session.tik, measurement=measurement, random=self._draw)
        self._must(plan.guest.name, Command.LAUNCH_SECRET, "the guest has its owner’s secret",
                   **self._host.secret_fields(handle, packet, plan.secret_start))

    def _attest(self, plan: Launch, handle: int) -> None:
        area, mnonce = self._host.area(0), self._draw(_NONCE_BYTES)
        self._must(plan.guest.name, Command.ATTESTATION, "the owner has verified the report", handle=handle,
                   mnonce=mnonce, address=area, length=_REPORT_BYTES)
        report = self._noted(f"report of {plan.guest.name}", area, _REPORT_BYTES)
        check_report(report, pek=verified_pek(self._root, self._chain), mnonce=mnonce, policy=POLICY, image=plan.image)

    def _noted(self, name: str, address: int, size: int) -> bytes:
        """What the host reads there, which is seen."""
        content = self._platform.memory.read(address, size, 0)
        self._see(name, address, content)
        return content

    def _must(self, subject: str, command: Command, result: str, **fields: int | bytes) -> int:
        """A command that succeeds; the handle in its buffer, if it has one."""
        before = self._platform.cycles
        reply = self._host.must(command, **fields)
        self.stages.append(Stage(subject, command.name, result, self._platform.cycles - before))
        return reply.number("handle") if "handle" in reply.layout.numbers else 0
