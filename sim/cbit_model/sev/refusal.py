"""How a command ends that does not succeed."""

from collections.abc import Mapping

from cbit_model.sev.constants import Status

__all__ = ["RefusedError", "require"]


class RefusedError(Exception):
    """Ends a command with a status.

    Parameters
    ----------
    status : :class:`~cbit_model.sev.constants.Status`
        What the host is told.
    outputs : mapping from :class:`str` to :class:`int`
        Fields of the command buffer that are written all the same.
    """

    def __init__(self, status: Status, outputs: Mapping[str, int] | None = None) -> None:
        super().__init__(status.name)
        self.status = status
        self.outputs = dict(outputs or {})


def require(good: bool, status: Status) -> None:
    """Refuses a command unless a check is passed."""
    if not good:
        raise RefusedError(status)
