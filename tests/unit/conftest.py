"""What unit tests of several folders need."""

import contextlib

import pytest
from amaranth.lib.memory import Memory
from distributed import Client, LocalCluster

import cbit.aes.round_keys


@pytest.fixture
def round_key_memories(monkeypatch):
    """A list to which each memory of round keys is added as it is made, so that a test may change what it holds."""
    made = []

    def make(**parameters):
        made.append(Memory(**parameters))
        return made[-1]

    monkeypatch.setattr(cbit.aes.round_keys, "Memory", make)
    return made


@pytest.fixture
def farm_of_a_thread():
    """In the place of :func:`cbit_sim.farm.connected`: a worker that is a thread, so that it sees fakes."""
    @contextlib.contextmanager
    def connected(_farm):
        with LocalCluster(n_workers=1, threads_per_worker=1, processes=False,
                          dashboard_address="127.0.0.1:0") as cluster:
            with Client(cluster) as client:
                yield client

    return connected
