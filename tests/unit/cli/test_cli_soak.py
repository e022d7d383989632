"""`cbit soak` without simulations: what it asks for, prints and refuses."""

import json
import shlex

import pytest

from cbit.config import preset
from cbit.traffic.generator import COUNTS
from cbit_cli import soak as command
from cbit_cli.main import main
from cbit_sim.runner import BenchError
from cbit_sim.simulators import BuildError, MissingToolError
from cbit_sim.soak import Soaked

RIGHT = Soaked(cycles=5000, counts={name: 10 * (number + 1) for number, name in enumerate(COUNTS.members)}, errors=0,
               kinds=[], error="", events={"install": 9, "exchange": 1}, seconds=2.0, cpu_seconds=1.0, log="here/log")


@pytest.fixture
def asked(monkeypatch):
    """A fake in the simulation's place, which gives the first of ``outcomes``."""
    calls, outcomes = [], [RIGHT]

    def soaked(config, *, cycles, seed, progress):
        calls.append((config, cycles, seed))
        progress(0.5, "2,500 cycles, 20 bursts")
        if isinstance(outcomes[0], Exception):
            raise outcomes[0]
        return outcomes[0]

    monkeypatch.setattr(command, "soaked", soaked)
    monkeypatch.setattr(command, "build_soak", lambda _config: None)
    return calls, outcomes


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["soak", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_figures_and_the_command_that_repeats_it(capsys, asked):
    calls, _ = asked
    status, out, err = run(capsys, "--cycles", 5000, "--seed", 7, "--preset", "compact", "--set", "key_bits=256")
    assert status == 0
    *figures, last = out.splitlines()
    assert dict(line.rsplit(maxsplit=1) for line in figures) == {
        "cycles": "5,000", "bursts": "30", "beats": "70", "bytes": "110", "denied": "70", "hidden": "80",
        "keys changed": "10", "errors": "0", "wall seconds": "2.0", "processor seconds": "1.0",
        "cycles per second": "2,500"}
    assert err.splitlines()[:2] == ["cbit: building the simulation", "cbit: simulating 5,000 cycles"]
    run(capsys, *shlex.split(last)[2:])
    assert calls[0] == calls[1]
    assert (calls[0][0].key_bits, calls[0][1:]) == (256, (5000, 7))


def test_defaults(capsys, asked):
    assert run(capsys)[0] == 0
    assert asked[0] == [(preset("streaming"), 1_000_000, 1)]


@pytest.mark.parametrize("errors", [3, 0])
def test_an_error_is_status_1(capsys, asked, errors):
    """That counts differ is one, too, though no answer was wrong."""
    _, outcomes = asked
    outcomes[0] = Soaked(**vars(RIGHT) | {"errors": errors, "kinds": ["DATA"], "error": "DATA of a read"})
    status, out, _ = run(capsys, "--cycles", 5000)
    assert status == 1
    assert "DATA of a read" in out.splitlines()
    status, out, _ = run(capsys, "--cycles", 5000, "--format", "json")
    figures = json.loads(out)
    assert (status, figures["error"], figures["errors"]) == (1, "DATA of a read", max(errors, 1))
    assert figures["command"] == "cbit soak --cycles 5000 --seed 1 --preset streaming"
    assert (figures["counts"], figures["key_events"], figures["log"]) == (RIGHT.counts, RIGHT.events, RIGHT.log)


@pytest.mark.parametrize("error", [BenchError("traffic has not ended"), BuildError("no model"),
                                   MissingToolError("make must be installed")])
def test_what_keeps_it_from_running_is_status_1_with_the_command(capsys, asked, error):
    asked[1][0] = error
    status, out, err = run(capsys, "--seed", 5)
    assert (status, out) == (1, "")
    assert err.splitlines()[-2:] == [f"cbit: {error}", "cbit: cbit soak --cycles 1000000 --seed 5 --preset streaming"]


@pytest.mark.parametrize(("arguments", "text"), [
    (("--cycles", "0"), "--cycles"), (("--seed", "-1"), "--seed"), (("--seed", str(1 << 32)), "--seed"),
    (("--preset", "none"), "preset must be one of streaming"), (("--set", "key_bits=3"), "128 or 256"),
    (("--set", "asid_count=2"), "asid_count must be at least 3 for a soak, not 2"), (("--format", "html"), "--format"),
    (("--set", "data_width=256"), "data_width must be 128 for a soak, not 256")])
def test_bad_input_is_one_line_with_status_2(capsys, asked, arguments, text):
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n"), asked[0]) == (2, "", 1, [])
    assert text in err
