"""A board with a security processor, as the hosts of `cbit_sim` know platforms."""

from cbit.csr.map import registers
from cbit_boards.host.board import Board, RefusedError
from cbit_boards.host.frames import Outcome
from cbit_model.sev.ports import AccessError
from cbit_sim.sev_host import SevHost

__all__ = ["BoardPlatform"]

_SCRATCH_BYTES = 1 << 14
_COMMAND_SECONDS = 600.0


class BoardPlatform:
    """Memory and mailbox of a board; as its own ``memory`` it has :meth:`read` and :meth:`write`.

    Parameters
    ----------
    board : :class:`~cbit_boards.host.board.Board`
        Released.

    Attributes
    ----------
    memory : :class:`BoardPlatform`
        Memory as software sees it.
    host : :class:`~cbit_sim.sev_host.SevHost`
        The host, whose command buffers lie in the last 16 KB of memory.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.memory = self
        self.host = SevHost(self, self._command, scratch=board.identity.memory_bytes - _SCRATCH_BYTES)

    def read(self, address: int, length: int, asid: int) -> bytes:
        """Bytes as software under an ASID sees them. Raises :class:`~cbit_model.sev.ports.AccessError`."""
        try:
            return self._board.read(address, length, asid=asid)
        except RefusedError as error:
            raise _denial(error) from error

    def write(self, address: int, data: bytes, asid: int) -> None:
        """The inverse. Raises :class:`~cbit_model.sev.ports.AccessError`."""
        try:
            self._board.write(address, data, asid=asid)
        except RefusedError as error:
            raise _denial(error) from error

    def dram(self, address: int, length: int) -> bytes:
        """What an attacker at the DRAM sees."""
        return self._board.read_raw(address, length)

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self._board.flush_caches()

    def registers(self) -> dict[str, dict[str, int]]:
        """The fields of every register of the mailbox, by name."""
        return {entry.name: self._board.mailbox_register(entry.name) for entry in registers("mailbox")}

    def _command(self, word: int, buffer: int) -> int:
        return self._board.command(word, buffer, seconds=_COMMAND_SECONDS)


def _denial(error: RefusedError) -> Exception:
    return AccessError(str(error)) if error.outcome == Outcome.SLVERR else error
