"""The random bench of an engine with many seeds, by many workers."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, as_completed

from cbit.config import EngineConfig
from cbit_sim.farm import Farm, connected
from cbit_sim.power_on import PowerOn
from cbit_sim.runner import BenchError, build, simulate
from cbit_sim.simulators import BuildError
from cbit_sim.sources import require_sources, sources_digest
from cbit_sim.verilog import build_folder, kept

__all__ = ["Job", "Outcome", "regress"]

_BENCH = "cbit_sim.benches.random_traffic"
_PACKAGES = ("cbit", "cbit_model", "cbit_sim")
_DISAGREEMENTS = frozenset({"MismatchError", "ProtocolError", "AssertionError", "TimeoutError", "SimTimeoutError"})
"""What scoreboard, protocol checker and manager raise; the last two where an access has no end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What is done for each seed.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        The engine.
    transactions : :class:`int`
        Transactions of a seed, at least.
    design : :class:`str` or :data:`None`
        Verilog in place of what is generated for ``config``.
    waves : :class:`~pathlib.Path` or :data:`None`
        Folder for a file of signals over time of each seed, where the workers are processes of this machine.
    start : ``"random"`` or ``"zero"``
        What registers and memories hold before the first reset.
    """

    config: EngineConfig
    transactions: int
    design: str | None = None
    waves: Path | None = None
    start: PowerOn = "random"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a seed.

    Parameters
    ----------
    seed : :class:`int`
        The seed.
    transactions, cycles : :class:`int`
        Transactions judged, and cycles; 0 if it has failed.
    events : :class:`dict`
        Number of key changes and resets, by kind.
    surroundings : :class:`dict`
        :class:`cbit_sim.surroundings.Surroundings`.
    error : :class:`str`
        The first error of scoreboard, checker or simulator, in a line; empty if it has passed.
    mismatch : :class:`bool`
        Whether the design has done what golden model or protocol forbid, or has not answered.
    log : :class:`str`
        The output of a seed that has failed, on the machine that simulated it.
    waves : :class:`str`
        The file of signals over time.
    """

    seed: int
    transactions: int = 0
    cycles: int = 0
    events: dict[str, int] = dataclasses.field(default_factory=dict)
    surroundings: dict[str, Any] = dataclasses.field(default_factory=dict)
    error: str = ""
    mismatch: bool = False
    log: str = ""
    waves: str = ""


def regress(job: Job, seeds: Sequence[int], farm: Farm, *, built: Callable[[], None] = lambda: None,
            ) -> Iterator[Outcome]:
    """Simulates each seed once, and yields each outcome when it is there.

    The simulation is built once for each folder of builds, before the first seed. What a worker that dies was at
    is done again by another; a seed that takes several workers with it has failed.

    Parameters
    ----------
    built : callable
        Called when the simulation is built.

    Raises
    ------
    cbit_sim.simulators.MissingToolError, cbit_sim.simulators.BuildError
        If the simulation can not be built.
    cbit_sim.sources.OtherSourcesError
        If a worker's Cbit is another.
    cbit_sim.farm.MissingBatchError, OSError
        From :func:`cbit_sim.farm.connected`.
    """
    with connected(farm) as client:
        yield from _outcomes(client, job, seeds, built)


def _outcomes(client: Client, job: Job, seeds: Sequence[int], built: Callable[[], None]) -> Iterator[Outcome]:
    sources = sources_digest(*_PACKAGES)
    ready = client.submit(_build, job, sources, pure=False)
    try:
        ready.result()
    except KilledWorker as error:
        raise BuildError("every worker that was to build the simulation was lost") from error
    built()
    # The job may hold megabytes of Verilog: as a result it reaches each worker once, and is made again if it is lost.
    seed_of = {client.submit(_simulate, ready, seed, sources, pure=False): seed for seed in seeds}
    for future in as_completed(list(seed_of)):
        seed = seed_of.pop(future)
        try:
            yield future.result()
        except KilledWorker as error:
            yield Outcome(seed=seed, error=f"its worker was lost, {error.allowed_failures + 1} times")


def _build(job: Job, sources: str) -> Job:
    require_sources(sources, *_PACKAGES)
    build("engine", job.config, waves=job.waves is not None, source=_source(job))
    return job


def _source(job: Job) -> Path | None:
    """The file of the Verilog that was given."""
    return None if job.design is None else kept(job.design, "given", build_folder())


def _simulate(job: Job, seed: int, sources: str) -> Outcome:
    require_sources(sources, *_PACKAGES)
    try:
        report = simulate("engine", _BENCH, config=job.config, waves=job.waves is not None, source=_source(job),
                          start=job.start, parameters={"seed": seed, "transactions": job.transactions})
    except BenchError as error:
        return _failed(job, seed, error)
    run = Path(report["log"]).parent
    waves = _kept_waves(job, seed, run)
    shutil.rmtree(run)
    return Outcome(seed=seed, waves=waves,
                   **{name: report[name] for name in ("transactions", "cycles", "events", "surroundings")})


def _failed(job: Job, seed: int, error: BenchError) -> Outcome:
    assert error.log is not None
    first = error.failures[0]
    message, _, _ = first.message.partition("; replay: ")
    return Outcome(seed=seed, error=" ".join(message.split()), mismatch=first.kind in _DISAGREEMENTS,
                   log=str(error.log), waves=_kept_waves(job, seed, error.log.parent))


def _kept_waves(job: Job, seed: int, run: Path) -> str:
    if job.waves is None:
        return ""
    (dump,) = run.glob("dump.*")
    return str(shutil.move(dump, job.waves / f"seed-{seed}{dump.suffix}"))
