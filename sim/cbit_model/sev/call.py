"""A command under way: what its buffer held, and how fields are written back."""

from collections.abc import Callable

from cbit_model.sev.constants import Status
from cbit_model.sev.layouts import Layout
from cbit_model.sev.refusal import RefusedError, require

__all__ = ["Call"]


class Call:
    """The command buffer as it was read, once.

    Parameters
    ----------
    layout : :class:`~cbit_model.sev.layouts.Layout`
        The fields.
    content : :class:`bytes`
        What was read.
    write : callable
        Writes bytes at an offset of the buffer in memory.
    """

    def __init__(self, layout: Layout, content: bytes, write: Callable[[int, bytes], None]) -> None:
        self._layout = layout
        self._content = content
        self._write = write

    def number(self, name: str) -> int:
        """A field that is a number."""
        return self._layout.number(self._content, name)

    def string(self, name: str) -> bytes:
        """A field that is bytes."""
        return self._layout.string(self._content, name)

    def require_reserved(self) -> None:
        """Refuses what is reserved and not zero."""
        require(self._layout.reserved_is_zero(self._content), Status.INVALID_PARAM)

    def require_lengths(self, **needed: int) -> None:
        """Refuses buffers shorter than needed; then the host is told all that are."""
        if any(self.number(name) < length for name, length in needed.items()):
            raise RefusedError(Status.INVALID_LENGTH, needed)

    def output(self, **fields: int) -> None:
        """Writes numbers back, in this order."""
        for name, value in fields.items():
            offset, size = self._layout.numbers[name]
            self._write(offset, value.to_bytes(size, "little"))
