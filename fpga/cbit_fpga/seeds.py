"""A netlist placed and routed on a board with several seeds at once, on the cores of this machine or on a farm."""

import dataclasses
from collections.abc import Iterator, Sequence

from distributed import as_completed

from cbit_fpga.devices import DEVICES
from cbit_fpga.implementation import Implementation, implement, pack
from cbit_fpga.placer import PlacementError
from cbit_fpga.store import Store
from cbit_fpga.sweep import workers
from cbit_sim.farm import Farm, connected
from cbit_sim.sources import require_sources, sources_digest

__all__ = ["Trial", "trials"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of a seed.

    Parameters
    ----------
    seed : :class:`int`
        Of the placer.
    implementation : :class:`~cbit_fpga.implementation.Implementation` or :data:`None`
        The routed design, where it can be placed and routed.
    bitstream : :class:`bytes`
        Empty unless it reaches all its clocks.
    failure : :class:`str`
        Why it can not be placed or routed, where it can not.
    """

    seed: int
    implementation: Implementation | None = None
    bitstream: bytes = dataclasses.field(default=b"", repr=False)
    failure: str = ""


def trials(netlist: bytes, constraints: str, device: str, *, seeds: Sequence[int],
           scheduler: str | None = None) -> Iterator[Trial]:
    """Implements a netlist with each seed, and yields what came of it as it is done.

    Every step is kept in the store of the worker that did it.

    Parameters
    ----------
    device : :class:`str`
        One of :data:`~cbit_fpga.devices.DEVICES`.
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
    sources = sources_digest("cbit_fpga")
    with connected(Farm(scheduler=scheduler, workers=min(workers(), len(seeds)))) as client:
        futures = [client.submit(_tried, netlist, constraints, device, seed, sources, pure=False, priority=-seed)
                   for seed in seeds]
        for future in as_completed(futures):
            yield future.result()


def _tried(netlist: bytes, constraints: str, device: str, seed: int, sources: str) -> Trial:
    require_sources(sources, "cbit_fpga")
    store = Store()
    try:
        found = implement(netlist, constraints, DEVICES[device], seed=seed, store=store)
    except PlacementError as error:
        return Trial(seed=seed, failure=str(error))
    bitstream = b"" if found.missed else pack(found, DEVICES[device], store=store)
    return Trial(seed=seed, implementation=found, bitstream=bitstream)
