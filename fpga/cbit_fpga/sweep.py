"""Many subjects at once, on the cores of this machine or on a farm of others."""

import dataclasses
from collections.abc import Iterator, Sequence
from importlib import metadata

from dask.system import CPU_COUNT
from distributed import Client, Future, as_completed
from distributed.system import MEMORY_LIMIT

from cbit_fpga.cells import Cells
from cbit_fpga.devices import DEVICES, Device
from cbit_fpga.elaboration import ElaborationError
from cbit_fpga.measurement import Measurement, synthesized
from cbit_fpga.placement import Placement, place
from cbit_fpga.placer import PlacementError
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.synthesis import Synthesis
from cbit_fpga.yosys import YosysError
from cbit_sim.farm import Farm, connected
from cbit_sim.sources import digest, require_sources, sources_digest

__all__ = ["sweep", "workers"]

_BYTES_PER_WORKER = 4 << 30
"""What a placement may take: all that a program of 32 bits can."""


@dataclasses.dataclass
class _Pending:
    subject: Subject
    unplaced: Future
    placements: list[Future]


def workers() -> int:
    """How many subjects this machine works on at once."""
    return int(max(1, min(CPU_COUNT, MEMORY_LIMIT // _BYTES_PER_WORKER)))


def sweep(subjects: Sequence[Subject], device: Device, *, seeds: Sequence[int], store: Store,
          scheduler: str | None = None) -> Iterator[tuple[Subject, Measurement]]:
    """Measures subjects, and yields each when it is done: first those that an earlier sweep has done.

    Each finished subject is kept in ``store``, each finished step in the store of the worker that did it. An
    interrupted sweep goes on where it was.

    Parameters
    ----------
    scheduler : :class:`str` or :data:`None`
        Address of the Dask scheduler of a farm, whose workers have Cbit as it is here. By default the cores of this
        machine work.

    Raises
    ------
    cbit_sim.sources.OtherSourcesError
        If a worker's Cbit is another.
    OSError
        If the scheduler can not be reached, or has no worker.
    """
    sources = sources_digest("cbit", "cbit_fpga")
    contents = {subject: digest(subject.as_dict(), device.name, list(seeds), sources, metadata.version("pyosys"),
                                metadata.version(device.placer)) for subject in subjects}
    missing = []
    for subject in subjects:
        known = store.known("measurement", contents[subject])
        if known is None:
            missing.append(subject)
        else:
            yield subject, Measurement.from_dict(known)
    if not missing:
        return
    with connected(Farm(scheduler=scheduler, workers=workers())) as client:
        for subject, measurement in _measured(client, missing, device, seeds, sources):
            store.keep("measurement", contents[subject], measurement.as_dict())
            yield subject, measurement


def _measured(client: Client, subjects: Sequence[Subject], device: Device, seeds: Sequence[int],
              sources: str) -> Iterator[tuple[Subject, Measurement]]:
    pending: dict[Future, _Pending] = {}
    for priority, subject in enumerate(subjects):
        # What begins first is to end first, so that an interruption leaves whole subjects.
        synthesis = client.submit(_synthesize, subject, device.name, sources, pure=False, priority=-priority)
        placements = [client.submit(_place, synthesis, device.name, seed, pure=False, priority=-priority)
                      for seed in seeds]
        unplaced = client.submit(_unplaced, synthesis, pure=False, priority=-priority)
        work = _Pending(subject, unplaced, placements)
        pending |= dict.fromkeys([unplaced, *placements], work)
    for future in as_completed(list(pending)):
        work = pending.pop(future)
        if not any(other is work for other in pending.values()):
            yield work.subject, _gathered(work)


def _gathered(work: _Pending) -> Measurement:
    try:
        measured: Measurement = work.unplaced.result()
    except (ElaborationError, YosysError) as error:
        return Measurement(cells=Cells(), placements=(), failure=str(error).strip().splitlines()[-1])
    try:
        placements: tuple[Placement, ...] = tuple(future.result() for future in work.placements)
    except PlacementError as error:
        return dataclasses.replace(measured, failure=str(error))
    return dataclasses.replace(measured, placements=placements)


def _synthesize(subject: Subject, device: str, sources: str) -> Synthesis:
    require_sources(sources, "cbit", "cbit_fpga")
    return synthesized(subject, DEVICES[device], store=Store())


def _unplaced(synthesis: Synthesis) -> Measurement:
    return Measurement(cells=synthesis.cells, gateware=synthesis.gateware, placements=())


def _place(synthesis: Synthesis, device: str, seed: int) -> Placement:
    return place(synthesis.netlist, DEVICES[device], seed=seed, store=Store())
