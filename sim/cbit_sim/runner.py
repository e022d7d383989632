"""Runs a bench on the engine or the wire: from pytest, from the demo, from a prompt."""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from cbit.config import EngineConfig
from cbit_sim import netlist, power_on, simulators, verilog
from cbit_sim.session import SESSION_VARIABLE

__all__ = ["BenchError", "Failure", "Progress", "build", "simulate"]

Progress = Callable[[float, str], None]
"""Called with the part that is done, 0 to 1, and a line of text."""

_POLL_SECONDS = 0.1
_COUNTS = "coverage.dat"
"""As cocotb leaves it."""


class Failure(NamedTuple):
    """Why a test has failed: its name, its exception's, which is empty where the simulation ended before, and text."""

    test: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.test}: {self.message}" if self.test else self.message


class BenchError(AssertionError):
    """A bench has failed; the text is each failed test with its message, and where the log is.

    Attributes
    ----------
    failures : sequence of :class:`Failure`
        The failed tests.
    log : :class:`~pathlib.Path` or :data:`None`
        The bench's output, in the run's folder.
    """

    def __init__(self, text: str, failures: Sequence[Failure] = (), log: Path | None = None):
        super().__init__(text)
        self.failures = failures
        self.log = log


@contextlib.contextmanager
def _followed(path: Path, progress: Progress | None) -> Iterator[None]:
    """Passes on the lines of progress that a bench appends to ``path``, while it runs."""
    if progress is None:
        yield
        return
    finished = threading.Event()

    def follow() -> None:
        with path.open(encoding="utf-8") as lines:
            while True:
                last_look = finished.wait(_POLL_SECONDS)
                for line in lines:
                    progress(*json.loads(line))
                if last_look:
                    return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        finished.set()
        follower.join()


def _failures(results: Path) -> list[Failure]:
    if not results.exists():
        return [Failure("", "", "the simulation ended without results")]
    failed = []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        for outcome in (*case.iter("failure"), *case.iter("error")):
            message = outcome.get("message") or outcome.text or "no message"
            failed.append(Failure(case.get("name") or "", outcome.get("type") or "", message.strip()))
    return failed


def build(top: str, config: EngineConfig, *, simulator: str = "verilator", waves: bool = False,
          folder: Path | None = None, source: Path | None = None, coverage: bool = False) -> tuple[Path, Path]:
    """The Verilog that :func:`simulate` simulates with these arguments, and the folder of the simulator's model of it.

    Both are made when there are none yet of this content. Raises what :func:`simulate` does.
    """
    folder = folder or verilog.build_folder()
    harnessed = verilog.harnessed(source, folder) if source else verilog.cached_verilog(top, config, folder)
    return harnessed, simulators.build_model(simulator, harnessed, folder, waves=waves, coverage=coverage,
                                             is_for_long=top.startswith("soak"))


def simulate(top: str, bench: str, *, parameters: Mapping[str, Any] | None = None, config: EngineConfig | None = None,
             simulator: str = "verilator", tests: Sequence[str] | None = None, waves: bool = False,
             progress: Progress | None = None, folder: Path | None = None, source: Path | None = None,
             plusargs: Mapping[str, int | str] | None = None, start: power_on.PowerOn = "random",
             coverage: bool = False) -> dict[str, Any]:
    """Runs the cocotb tests of a bench and returns what they report.

    Parameters
    ----------
    top : :class:`str`
        One of :data:`cbit_sim.verilog.TOPS`.
    bench : :class:`str`
        Import name of the bench, such as ``cbit_sim.benches.smoke``.
    parameters : mapping
        What the bench asks for, as JSON knows it; each bench names its own.
    config : :class:`~cbit.config.EngineConfig`
        What the engine is; by default the default preset's.
    simulator : :class:`str`
        ``verilator`` or ``icarus``.
    tests : sequence of :class:`str`
        Names of the cocotb tests to run; by default all.
    waves : :class:`bool`
        Whether to write signals over time, to ``dump.vcd`` or an FST file in the run's folder. Builds another model.
    progress : callable
        Called with a part of the work from 0 to 1 and a line of text, as the bench proceeds.
    folder : :class:`~pathlib.Path`
        Where builds and runs are kept; by default :func:`cbit_sim.verilog.build_folder`.
    source : :class:`~pathlib.Path`
        Verilog to simulate as the top, such as one of an FPGA's cells; by default what is generated for ``config``.
    plusargs : mapping
        Name to value of what that Verilog reads with ``$value$plusargs``.
    start : ``"random"`` or ``"zero"``
        What registers and memories hold before the first reset, with Verilator: the parameter ``seed`` chooses. With
        Icarus they have the Verilog's initial values.
    coverage : :class:`bool`
        Whether to count what is covered, with Verilator. Builds another model, and takes longer.

    Returns
    -------
    dict
        The bench's report, with the ``cycles`` simulated, the ``seconds``, ``cpu_seconds`` of processor time, and
        ``cycles_per_second`` of its tests, and ``log``, the path of its output. With ``coverage``, also ``coverage``,
        the traffic it has counted, and the paths ``counts`` of Verilator's counts and ``verilog`` of what they are of.

    Raises
    ------
    BenchError
        If a test fails, or the simulation ends before its tests do.
    cbit_sim.simulators.MissingToolError
        If a program that the simulator needs is not installed.
    cbit_sim.simulators.BuildError
        If the simulator refuses the Verilog.
    ValueError
        If there is no such top or simulator, or it counts nothing.
    """
    if coverage and simulator != "verilator":
        raise ValueError(f"simulator must be verilator for coverage, not {simulator!r}")
    config = config or EngineConfig()
    folder = folder or verilog.build_folder()
    runner = simulators.runner(simulator)
    source, model = build(top, config, simulator=simulator, waves=waves, folder=folder, source=source,
                          coverage=coverage)
    arguments = [f"+{name}={value}" for name, value in (plusargs or {}).items()]
    if simulator == "verilator":
        arguments += power_on.arguments(start, int((parameters or {}).get("seed", 0)))
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    run = Path(tempfile.mkdtemp(prefix=f"{bench.rsplit('.', maxsplit=1)[-1]}-{top}-", dir=runs))
    results, log = run / "results.xml", run / "simulation.log"
    report_path, progress_path = run / "report.json", run / "progress.jsonl"
    given = {**(parameters or {}), **({"coverage": True} if coverage else {})}
    session = {"top": top, "config": config.as_dict(), "parameters": given,
               "report": str(report_path), "progress": str(progress_path)}
    (run / "session.json").write_text(json.dumps(session), encoding="utf-8")
    progress_path.touch()
    # Under pytest the runner exits where it otherwise only returns; the results file says the same in both.
    with _followed(progress_path, progress), contextlib.suppress(SystemExit, RuntimeError):
        runner.test(bench, netlist.top_module(source.read_text(encoding="utf-8")), hdl_toplevel_lang="verilog",
                    build_dir=model, test_dir=run, results_xml=str(results), log_file=log, waves=waves,
                    testcase=list(tests) if tests is not None else None, timescale=("1ns", "1ps"),
                    plusargs=arguments, extra_env={SESSION_VARIABLE: str(run / "session.json")})
    failed = _failures(results)
    if failed:
        raise BenchError("\n".join([*map(str, failed), f"log: {log}"]), failed, log)
    report: dict[str, Any] = json.loads(report_path.read_text(encoding="utf-8"))
    if coverage:
        report |= {"counts": str(run / _COUNTS), "verilog": str(model / simulators.MODEL_VERILOG)}
    return report | {"log": str(log)}
