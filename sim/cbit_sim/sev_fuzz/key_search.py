"""Looks for keys of the security processor where the host or an attacker could see them."""

from cbit_model.sev.certificate import public_point
from cbit_model.sev.constants import Command
from cbit_model.sev.layouts import COMMAND_BUFFERS, SESSION
from cbit_model.sev.p384 import is_public_point
from cbit_model.sev.ports import AccessError
from cbit_model.sev.session import derive, session_keys
from cbit_sim.sev_model import ModelPlatform

__all__ = ["KeySearch"]

_PIECE_BYTES = 16
_CERTIFICATE_BYTES = 0x824


class KeySearch:
    """Every key that a model's PSP has ever had, in pieces of 16 bytes, first or last byte first.

    They are the host's, guests', transport keys and keys that wrap these, and private numbers.

    Parameters
    ----------
    model : :class:`~cbit_sim.sev_model.ModelPlatform`
        Which PSP.

    Attributes
    ----------
    pieces : :class:`set` of :class:`bytes`
        The pieces.
    """

    def __init__(self, model: ModelPlatform) -> None:
        self.pieces: set[bytes] = set()
        self._model = model
        self.update()

    def update(self) -> None:
        """Takes what the PSP holds now."""
        for secret in self._model.psp.secrets():
            self._add(secret)

    def before(self, number: int, buffer: int) -> None:
        """Takes what a command, whose buffer lies at an address, will derive for a while: secrets of LAUNCH_START."""
        identity = self._model.psp.state.identity
        if number != Command.LAUNCH_START or identity is None or identity.pdh is None:
            return
        layout = COMMAND_BUFFERS[Command.LAUNCH_START]
        read = self._model.memory.read
        try:
            content = read(buffer, layout.size, 0)
            certificate = read(layout.number(content, "dh_address"), _CERTIFICATE_BYTES, 0)
            session = read(layout.number(content, "session_address"), SESSION.size, 0)
        except AccessError:
            return
        point = public_point(certificate)
        if not is_public_point(*point):
            return
        nonce = SESSION.string(session, "nonce")
        shared = identity.pdh.shared_secret(point)
        for secret in (shared, derive(shared, b"sev-master-secret", nonce), *session_keys(shared, nonce)):
            self._add(secret)

    def search(self, content: bytes | bytearray) -> None:
        """Raises :exc:`AssertionError` if there is a piece of a key."""
        found = [piece.hex() for piece in self.pieces if piece in content]
        assert not found, f"keys in sight: {found}"

    def _add(self, secret: bytes) -> None:
        for start in range(0, len(secret) - _PIECE_BYTES + 1, _PIECE_BYTES):
            piece = secret[start:start + _PIECE_BYTES]
            self.pieces |= {piece, piece[::-1]}
