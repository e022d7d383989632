"""The log of denied accesses."""

from typing import NamedTuple

from cbit_model.access import Access, Violation

__all__ = ["FirstViolation", "ViolationLog"]


class FirstViolation(NamedTuple):
    """What is kept of the first access denied.

    Parameters
    ----------
    kind : :class:`~cbit_model.access.Violation`
        Why it was denied.
    asid : :class:`int`
        Its ASID.
    address : :class:`int`
        Its address as given, with the C-bit.
    write : :class:`bool`
        Whether it was a write.
    id : :class:`int`
        Its AXI ID.
    """

    kind: Violation
    asid: int
    address: int
    write: bool
    id: int


class ViolationLog:
    """The first access denied, and how many were, by kind.

    Parameters
    ----------
    counter_bits : :class:`int`
        Bits of a counter, which stops at its greatest value. 1 or more.

    Members
    -------
    counts : :class:`dict`
        :class:`~cbit_model.access.Violation` to its counter.
    first : :class:`FirstViolation` or :data:`None`
        The first access denied since :meth:`clear_record`.

    Raises
    ------
    ValueError
        If ``counter_bits`` is less than 1.
    """

    counts: dict[Violation, int]
    first: FirstViolation | None

    def __init__(self, *, counter_bits: int) -> None:
        if counter_bits < 1:
            raise ValueError(f"counter_bits must be 1 or more, not {counter_bits}")
        self._limit = (1 << counter_bits) - 1
        self.clear_record()
        self.clear_counts()

    def clear_record(self) -> None:
        """Forget the first one; the next is kept."""
        self.first = None

    def clear_counts(self) -> None:
        """Set every counter to zero."""
        self.counts = dict.fromkeys(Violation, 0)

    def record(self, kind: Violation, access: Access, *, write: bool) -> None:
        """Count a denied access, and keep it if it is the first."""
        self.counts[kind] = min(self.counts[kind] + 1, self._limit)
        if self.first is None:
            self.first = FirstViolation(kind, access.asid, access.address, write, access.id)
