"""Which memory is private to which guest."""

from cbit_model.sev.constants import RANGE_LIMIT

__all__ = ["PrivateRanges"]


class PrivateRanges:
    """Ranges of addresses without C-bit, those of a guest joined where they touch."""

    def __init__(self) -> None:
        self._ranges: dict[int, list[tuple[int, int]]] = {}

    def overlaps(self, begin: int, end: int, *, besides: int | None = None) -> bool:
        """Whether a range meets private memory, that of the guest ``besides`` left out."""
        return any(begin < there_end and there_begin < end
                   for handle, ranges in self._ranges.items() if handle != besides
                   for there_begin, there_end in ranges)

    def add(self, handle: int, begin: int, end: int) -> bool:
        """Joins a range to those of a guest; false, and nothing changed, if there are too many then."""
        apart = [there for there in self._ranges.get(handle, []) if there[1] < begin or end < there[0]]
        near = [there for there in self._ranges.get(handle, []) if there not in apart]
        joined = min([begin, *(there[0] for there in near)]), max([end, *(there[1] for there in near)])
        others = sum(len(ranges) for owner, ranges in self._ranges.items() if owner != handle)
        if others + len(apart) + 1 > RANGE_LIMIT:
            return False
        self._ranges[handle] = [*apart, joined]
        return True

    def forget(self, handle: int) -> None:
        """Drops all ranges of a guest."""
        self._ranges.pop(handle, None)
