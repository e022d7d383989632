"""A launch from begin to end, as the host carries it out."""

import dataclasses

import click

from cbit_model.sev.constants import Command
from cbit_model.sev.owner.launch import OwnerSession, Secret
from cbit_sim.platforms import HostedPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["IMAGE_ADDRESS", "Launch", "Launched", "launch", "require_fit"]

IMAGE_ADDRESS = 1 << 20
"""Where images lie."""

_END = PLATFORM_MEMORY_BYTES - (1 << 14)
"""From here on memory is the host's own."""

_ASID = 1
_BLOCK_BYTES = 16


@dataclasses.dataclass(frozen=True)
class Launch:
    """What a guest is launched with.

    Parameters
    ----------
    image : :class:`bytes`
        Its memory.
    policy : :class:`int`
        Its policy.
    session : :class:`~cbit_model.sev.owner.launch.OwnerSession` or :data:`None`
        What its owner has sent.
    secret : :class:`~cbit_model.sev.owner.launch.Secret` or :data:`None`
        What the owner has packaged for it.
    secret_address : :class:`int`
        Where in the guest's memory the secret goes.
    mnonce : :class:`bytes`
        What the report answers.
    """

    image: bytes
    policy: int
    session: OwnerSession | None
    secret: Secret | None
    secret_address: int
    mnonce: bytes


@dataclasses.dataclass(frozen=True)
class Launched:
    """What came of it."""

    handle: int
    measurement: bytes
    report: bytes
    chain: bytes


def require_fit(plan: Launch) -> None:
    """Refuses what does not fit into the platform's memory.

    Raises
    ------
    click.UsageError
        If so.
    """
    if len(plan.image) > _END - IMAGE_ADDRESS:
        raise click.UsageError(f"IMAGE must be of at most {_END - IMAGE_ADDRESS} bytes, not {len(plan.image)}.")
    if plan.secret is None:
        return
    end = plan.secret_address + len(plan.secret.payload)
    if plan.secret_address % _BLOCK_BYTES or end > _END:
        raise click.UsageError(f"Guest address must be a multiple of {_BLOCK_BYTES} and leave room for the secret "
                               f"below {_END:#x}, not be {plan.secret_address:#x}.")


def launch(platform: HostedPlatform, plan: Launch) -> Launched:
    """Initializes the platform, and takes a guest from its image until it runs and is attested.

    Raises
    ------
    cbit_sim.sev_host.UnexpectedStatusError
        If a command does not succeed.
    """
    host = platform.host
    host.must(Command.INIT)
    handle = host.start(plan.policy, plan.session, asid=_ASID)
    platform.memory.write(IMAGE_ADDRESS, plan.image, 0)
    host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=IMAGE_ADDRESS, length=len(plan.image))
    measurement = host.measure(handle)
    if plan.secret is not None:
        host.must(Command.LAUNCH_SECRET, **host.secret_fields(handle, plan.secret, plan.secret_address))
    host.must(Command.LAUNCH_FINISH, handle=handle)
    report = host.attest(handle, plan.mnonce)
    _, chain = host.export()
    return Launched(handle, measurement, report, chain)
