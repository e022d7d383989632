"""`cbit regress` with real simulations and real workers, each a process of its own; every wait has an end."""

import contextlib
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import psutil
import pytest
from distributed import Client

from cbit.config import EngineConfig, preset
from cbit_sim.verilog import build_folder

CBIT = [sys.executable, "-c", "from cbit_cli.main import main; main()"]

DIRECT = EngineConfig(unroll=2)
"""An engine that other tests build, too."""

SETTINGS = ("--preset", "low-latency", "--set", "pipelined_writes=false", "--set", "sbox=table", "--set",
            "block_ram_rounds=140", "--set", "unroll=2")
"""What makes it."""

SMALL = {"addr_width": 32, "c_bit": 31, "id_width": 2, "asid_count": 4, "max_outstanding": 4, "duplex": False,
         "unroll": 1}
"""An engine that is soon built."""

_SECONDS = 300
_TRANSACTIONS = 300
_SEEDS = range(1, 5)


def regress(seeds, *arguments):
    return [*CBIT, "regress", "--transactions", str(_TRANSACTIONS), "--seeds", f"{seeds[0]}-{seeds[-1]}", *SETTINGS,
            "--format", "json", *arguments]


@contextlib.contextmanager
def running(*command, **options):
    """A process that does not outlive the test."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition, seconds=_SECONDS):
    """What a condition gives, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing came of waiting"
        time.sleep(0.05)
    return found


def figures(process):
    out, _ = process.communicate(timeout=_SECONDS)
    return json.loads(out)


def assert_each_has_passed_once(seeds, found):
    assert found["failures"] == []
    assert (found["passed"], found["failed"], found["mismatches"]) == (len(seeds), 0, 0)
    assert [seed["seed"] for seed in found["seeds"]] == list(seeds)
    assert all(seed["transactions"] >= _TRANSACTIONS for seed in found["seeds"])
    assert found["transactions"] == sum(seed["transactions"] for seed in found["seeds"])


@contextlib.contextmanager
def scheduler(folder):
    """The address of a Dask scheduler."""
    file = folder / "scheduler.json"
    with running(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
                 "--no-dashboard", "--no-show", "--scheduler-file", str(file), stderr=subprocess.DEVNULL) as process:
        until(lambda: (file.exists() and file.read_text().endswith("}")) or process.poll() is not None, 60)
        yield json.loads(file.read_text())["address"]


@contextlib.contextmanager
def worker(address, name, folder):
    with running(sys.executable, "-m", "distributed.cli.dask_worker", address, "--name", name, "--nthreads", "1",
                 "--no-nanny", "--no-dashboard", "--local-directory", str(folder), "--death-timeout", "60",
                 stderr=subprocess.DEVNULL) as process:
        yield process


def simulations(worker_pid):
    """Simulations of seeds that a worker has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in psutil.Process(worker_pid).children(recursive=True) if child.name() == "cbit_bench"]
    return []


def test_the_seeds_of_a_killed_worker_run_again_on_the_other_of_a_scheduler(tmp_path):
    with (scheduler(tmp_path) as address, worker(address, "first", tmp_path) as first,
          worker(address, "second", tmp_path) as second, Client(address, timeout=60) as client):
        client.wait_for_workers(2, timeout=60)
        with running(*regress(_SEEDS, "--scheduler", address), stdout=subprocess.PIPE) as command:
            until(lambda: simulations(first.pid) or command.poll() is not None)
            first.kill()
            assert_each_has_passed_once(_SEEDS, figures(command))
            assert (command.returncode, first.wait(), second.poll()) == (0, -9, None)
        assert [worker["name"] for worker in client.scheduler_info()["workers"].values()] == ["second"]


def test_the_seeds_of_a_killed_worker_of_this_machine_run_again():
    with running(*regress(_SEEDS, "--workers", "2"), stdout=subprocess.PIPE) as command:
        def busy_worker():
            assert command.poll() is None
            return [child for child in psutil.Process(command.pid).children(recursive=True)
                    if child.name() == "cbit_bench"]

        simulation = until(busy_worker)[0]
        ours = simulation.parents()[:-len(psutil.Process(command.pid).parents())]
        workers = [process for process in ours if "spawn_main" in " ".join(process.cmdline())]
        assert len(workers) == 1
        workers[0].kill()
        assert_each_has_passed_once(_SEEDS, figures(command))
        assert command.returncode == 0


def test_jobs_of_a_batch_system_work(tmp_path):
    """`sbatch` and `scancel` that start and end jobs on this machine."""
    start = f'cp "$1" {tmp_path}/job.sh; setsid sh {tmp_path}/job.sh > {tmp_path}/job.log 2>&1 &'
    for name, text in (("sbatch", f'{start} echo "Submitted batch job $!"'),
                       ("scancel", 'kill -- "-$1"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
                                "CBIT_BUILD": str(build_folder())}
    with running(*regress(_SEEDS[:2], "--slurm", "--workers", "1"), stdout=subprocess.PIPE, env=environment,
                 cwd=tmp_path) as command:
        assert_each_has_passed_once(_SEEDS[:2], figures(command))
        assert command.returncode == 0
    assert (tmp_path / "job.log").stat().st_size


def test_an_engine_that_is_not_what_it_says_fails_and_names_its_replay(tmp_path):
    """An engine of units of 64 bytes where one of 4096 is judged."""
    design = tmp_path / "engine.v"
    design.write_text(import_module("cbit.engine").generate_verilog(DIRECT))
    wrong = ("--verilog", str(design), "--set", "data_unit_bytes=4096")
    run = subprocess.run(regress((7, 8), *wrong), stdout=subprocess.PIPE, timeout=_SECONDS, check=False)
    found = json.loads(run.stdout)
    assert run.returncode == 1
    assert (found["failed"], found["mismatches"]) == (2, 2)
    for failure, seed in zip(found["failures"], (7, 8), strict=True):
        assert failure["seed"] == seed
        assert failure["error"].startswith("address 0x")
        assert "expected" in failure["error"]
        assert f"--seeds {seed}-{seed} " in failure["replay"]
        assert Path(failure["log"]).exists()


def test_the_engine_is_the_one_that_other_tests_build():
    changed = dataclasses.replace(preset("low-latency"), pipelined_writes=False, sbox=EngineConfig().sbox,
                                  block_ram_rounds=140, unroll=2)
    assert changed == DIRECT


@pytest.mark.slow
def test_a_fault_in_the_gateware_is_found_and_replayed_with_waves(tmp_path, monkeypatch):
    """Partial writes to one line that do not wait for each other."""
    hazards = import_module("cbit.write.hazards")
    monkeypatch.setattr(hazards.WriteHazards, "_is_open", lambda *_: 0)
    design = tmp_path / "engine.v"
    design.write_text(import_module("cbit.engine").generate_verilog(EngineConfig(**SMALL)))
    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={str(value).lower()}")]
    run = subprocess.run(
        [*CBIT, "regress", "--transactions", "300", "--seeds", "1-8", *SETTINGS, *settings, "--verilog", str(design),
         "--format", "json"], stdout=subprocess.PIPE, timeout=1200, check=False)
    found = json.loads(run.stdout)
    assert run.returncode == 1
    assert found["mismatches"] >= 1
    failure = found["failures"][0]
    again = subprocess.run([*CBIT, *shlex.split(failure["replay"])[1:], "--format", "json"], stdout=subprocess.PIPE,
                           timeout=1200, check=False, cwd=tmp_path)
    (repeated,) = json.loads(again.stdout)["failures"]
    assert (again.returncode, repeated["error"]) == (1, failure["error"])
    (waves,) = (tmp_path / "waves").iterdir()
    assert waves.name == f"seed-{failure['seed']}.vcd"
    with waves.open() as text:
        assert "$timescale" in text.read(10_000)
