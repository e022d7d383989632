"""Where work is done: on the cores of this machine, by workers of a Dask scheduler, or in jobs of a batch system."""

import contextlib
import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

__all__ = ["Farm", "MissingBatchError", "connected", "require_batch"]

_BATCH_CLUSTERS = {"slurm": "SLURMCluster", "lsf": "LSFCluster"}
_JOB_MEMORY = "4 GiB"
"""Enough to build a simulation, too."""

_WAIT_SECONDS = 30
_ANY_PORT = "127.0.0.1:0"
"""Any port of this machine: two at once must not want the same one."""


class MissingBatchError(RuntimeError):
    """What submits jobs to a batch system is not installed; the text says how to get it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Farm:
    """A choice of workers.

    Parameters
    ----------
    workers : :class:`int`
        Processes of this machine, or jobs of the batch system. 1 or more; by default the cores of this machine.
    scheduler : :class:`str` or :data:`None`
        Address of a running Dask scheduler, whose workers are taken instead.
    batch : ``"slurm"``, ``"lsf"`` or :data:`None`
        Batch system to whose queue jobs of one worker each are submitted instead. Its queue, account and time limit
        are those of dask-jobqueue's own configuration.
    """

    workers: int = int(CPU_COUNT)
    scheduler: str | None = None
    batch: Literal["slurm", "lsf"] | None = None

    def __str__(self) -> str:
        return self.scheduler or self.batch or "this machine"


def require_batch() -> Any:
    """The package that submits jobs.

    Raises
    ------
    MissingBatchError
        If it is not installed.
    """
    try:
        return import_module("dask_jobqueue")
    except ImportError as error:
        raise MissingBatchError("dask-jobqueue must be installed to submit jobs: pip install 'cbit[farm]'") from error


@contextlib.contextmanager
def connected(farm: Farm) -> Iterator[Client]:
    """A client of the workers, which are ended with it where it has started them.

    What a worker that dies has not finished is done again by another.

    Raises
    ------
    MissingBatchError
        If the batch system's package is not installed.
    OSError
        If the scheduler can not be reached, or has no worker within half a minute.
    """
    if farm.scheduler is not None:
        with Client(farm.scheduler) as client:
            client.wait_for_workers(1, timeout=_WAIT_SECONDS)
            yield client
        return
    with (tempfile.TemporaryDirectory(prefix="cbit-workers-") as folder, _cluster(farm, folder) as cluster,
          Client(cluster) as client):
        yield client


@contextlib.contextmanager
def _cluster(farm: Farm, folder: str) -> Iterator[Any]:
    if farm.batch is None:
        # The memory is that of programs which the workers start, and not for them to watch.
        with LocalCluster(n_workers=farm.workers, threads_per_worker=1, memory_limit=0, dashboard_address=_ANY_PORT,
                          local_directory=folder, silence_logs=logging.CRITICAL) as cluster:
            yield cluster
        return
    make = getattr(require_batch(), _BATCH_CLUSTERS[farm.batch])
    with make(cores=1, processes=1, memory=_JOB_MEMORY, scheduler_options={"dashboard_address": _ANY_PORT},
              silence_logs="CRITICAL") as cluster:
        cluster.scale(jobs=farm.workers)
        yield cluster
