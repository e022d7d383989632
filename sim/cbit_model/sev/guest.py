"""What the PSP knows of a guest."""

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from cbit_model.sev.constants import GuestState

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["Guest"]


@dataclasses.dataclass(slots=True, eq=False)
class Guest:
    """A guest's context.

    Parameters
    ----------
    handle, policy : :class:`int`
        As the host knows them.
    key, tweak_key : :class:`bytes`
        VEK.
    tek, tik : :class:`bytes`
        Transport keys of the launch; empty once it has finished.
    state : :class:`~cbit_model.sev.constants.GuestState`
        Where in its life it is.
    asid : :class:`int`
        Where its key is installed; 0 if it is not.
    launched : hash
        SHA-256 over the data launched so far.
    measurement : :class:`bytes`
        What LAUNCH_MEASURE gave, without the nonce.
    """

    handle: int
    policy: int
    key: bytes
    tweak_key: bytes
    tek: bytes
    tik: bytes
    state: GuestState = GuestState.LUPDATE
    asid: int = 0
    launched: "_Hash" = dataclasses.field(default_factory=hashlib.sha256)
    measurement: bytes = b""

    @property
    def digest(self) -> bytes:
        """SHA-256 of all launched data."""
        return self.launched.digest()

    def secrets(self) -> list[bytes]:
        """Every key that no one else may see."""
        return [secret for secret in (self.key, self.tweak_key, self.tek, self.tik) if secret]
