"""Watches a manager's port and counts what it has seen, in cocotb-coverage's points and crosses."""

import contextlib
import functools
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from cocotb_coverage.coverage import CoverCross, CoverPoint

from cbit_model.access import decide
from cbit_model.memory import Memory
from cbit_sim.coverage.crosses import ANSWERS, CROSSES, ORDERS, cross_bins
from cbit_sim.coverage.meetings import Access, aliases, events_of_command, meeting, overtakings
from cbit_sim.coverage.rules import impossible
from cbit_sim.coverage.shape import DENIALS, Blocks, blocks_of, kind_of, shape_of
from cbit_sim.manager import Manager, Transaction
from cbit_sim.scoreboard import access_of

__all__ = ["Observer"]

_ENOUGH = 10
"""More hits of a bin are not counted, which takes longer than all else."""


class _Cross:
    """A cross of cocotb-coverage's, of points that are sampled with it."""

    def __init__(self, name: str, config: Mapping[str, Any]):
        points = CROSSES[name]
        self._impossible = impossible(name, cross_bins(name), config)
        self._counts: Counter[tuple[str, ...]] = Counter()
        self.contradicted: set[tuple[str, ...]] = set()
        paths = [f"cbit.{name}.{point}" for point in points]
        self._sample: Callable[..., None] = lambda *_: None
        # The cross is made of points that exist, and sampled after them, so that it is wrapped first and made last.
        made = [CoverPoint(path, xf=functools.partial(_nth, number), bins=list(bins))
                for number, (path, bins) in enumerate(zip(paths, points.values(), strict=True))]
        self._cross = CoverCross(f"cbit.{name}.cross", items=paths, ign_bins=list(self._impossible))
        for part in (self._cross, *made):
            self._sample = part(self._sample)

    def sample(self, *values: str) -> None:
        if values in self._impossible:
            self.contradicted.add(values)
        self._counts[values] += 1
        if self._counts[values] <= _ENOUGH:
            self._sample(*values)

    @property
    def figures(self) -> dict[str, Any]:
        """Hits of the bins that can be hit, and those that were hit and can not be."""
        return {"hits": [[list(one), hits] for one, hits in self._cross.detailed_coverage.items()],
                "contradicted": sorted(map(list, self.contradicted))}


def _nth(number: int, *values: str) -> str:
    return values[number]


@functools.cache
def _cross(name: str, config: tuple[tuple[str, Any], ...]) -> _Cross:
    """The one cross of that name: cocotb-coverage has one database for a process, whatever tests run in it."""
    return _Cross(name, dict(config))


class Observer:
    """Functional coverage of one manager's port.

    Parameters
    ----------
    manager : :class:`~cbit_sim.manager.Manager`
        Whose channels are watched.
    model : :class:`~cbit_model.memory.Memory`
        Decides each access as it begins.
    config : mapping
        The engine's parameters.
    """

    def __init__(self, manager: Manager, model: Memory, config: Mapping[str, Any]):
        self._manager = manager
        self._model = model
        self._asid_width = (int(config["asid_count"]) - 1).bit_length()
        self._entries = int(config["max_outstanding"])
        self._crosses = {name: _cross(name, tuple(sorted(config.items()))) for name in CROSSES}
        self._accesses: dict[Transaction, Access] = {}
        self._in_flight: dict[Transaction, Access] = {}
        self._reads: deque[Transaction] = deque()
        self._writes: deque[Transaction] = deque()
        self._write_data: deque[Transaction] = deque()
        self._offered: dict[tuple[Transaction, str], int] = {}
        self._cycle = 0
        self._command: tuple[str, Collection[int]] | None = None
        self._met: set[str] = set()

    def begin(self, transaction: Transaction) -> None:
        """An access that the manager begins to offer."""
        model, access = self._model, access_of(transaction.address, self._asid_width)
        decision = decide(access, mode=model.mode, active=model.slots.active, asid_count=model.asid_count,
                          c_bit=model.c_bit)
        is_denied = decision.violation is not None
        blocks = Blocks(frozenset(), frozenset()) if is_denied else blocks_of(transaction, model.c_bit)
        kind = kind_of(transaction, decision, blocks)
        self._accesses[transaction] = Access.of(transaction, kind, decision.slot, blocks, c_bit=model.c_bit)
        shape = shape_of(transaction, decision)
        self._count("shape", shape.burst, shape.size, shape.strobe, shape.decision)
        self._count("exclusive", shape.access, shape.decision, shape.lock)
        if shape.decision != DENIALS[0]:
            self._count("length", shape.access, shape.burst, shape.length)
            self._count("alignment", shape.burst, shape.size, shape.alignment)
        if len(blocks.all) < len(transaction.data or ()) and blocks.partly:
            self._count("event", "block in parts by several beats")
        if transaction.is_write:
            self._writes.append(transaction)
            self._write_data.append(transaction)
        else:
            self._reads.append(transaction)

    def end(self, transaction: Transaction) -> None:
        """An access that has been answered."""
        access = self._accesses.pop(transaction)
        self._in_flight.pop(transaction, None)
        self._count("answer", access.kind, ANSWERS[max(transaction.responses)])
        if transaction.is_write:
            first, second = (self._offered.pop((transaction, channel)) for channel in ("aw", "w"))
            self._count("order", access.kind, ORDERS[(first >= second) + (first > second)])
        older = (other for other in self._in_flight.values() if other.taken < access.taken)
        for event in overtakings(access, older, 2 * self._entries):
            self._count("event", event)

    @contextlib.contextmanager
    def command(self, how: str, slots: Collection[int]) -> Iterator[None]:
        """Slots are retired, zeroized or installed while this lasts."""
        self._command = how, slots
        self._met.clear()
        yield
        self._command = None
        for event in self._met:
            self._count("event", event)

    def reset(self) -> None:
        """A reset strikes."""
        for event in set(events_of_command("reset", None, self._in_flight.values())):
            self._count("event", event)
        for of_accesses in (self._accesses, self._in_flight, self._reads, self._writes, self._write_data,
                            self._offered):
            of_accesses.clear()

    def step(self) -> None:
        """One cycle."""
        manager = self._manager
        self._cycle += 1
        if manager.aw.valid:
            self._offered.setdefault((self._writes[0], "aw"), self._cycle)
        if manager.w.valid:
            self._offered.setdefault((self._write_data[0], "w"), self._cycle)
        if manager.w.taken and manager.w.payload.last:
            self._write_data.popleft()
        if manager.ar.taken:
            self._take(self._reads.popleft())
        if manager.aw.taken:
            self._take(self._writes.popleft())
        if self._command is not None:
            self._met.update(events_of_command(*self._command, self._in_flight.values()))

    def figures(self) -> dict[str, Any]:
        """Of each cross, what :class:`cbit_sim.coverage.result.Result` takes."""
        return {name: cross.figures for name, cross in self._crosses.items()}

    def _take(self, transaction: Transaction) -> None:
        """The engine has accepted an address; what is in flight came before."""
        access = self._accesses[transaction]
        access.taken = self._cycle
        older = list(self._in_flight.values())
        for values in {meeting(access, other) for other in older}:
            self._count("meeting", *values)
        for event in {event for other in older for event in aliases(access, other)}:
            self._count("event", event)
        self._in_flight[transaction] = access
        for is_write, event in enumerate(("all reads in flight", "all writes in flight")):
            if sum(other.is_write == is_write for other in self._in_flight) >= self._entries:
                self._count("event", event)

    def _count(self, cross: str, *values: str) -> None:
        self._crosses[cross].sample(*values)
