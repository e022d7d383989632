"""`cbit mutate` without tools: what it prints, what it refuses."""

import json

import pytest

from cbit.config import EngineConfig, SBox
from cbit_cli import mutate as command
from cbit_cli.main import main
from cbit_cli.mutation.campaign import Shares
from cbit_cli.mutation.report import Judged, Report
from cbit_cli.mutation.sample import Mutant
from cbit_cli.mutation.trial import WrongEngineError


def judged(number, *, bench=None, module=None, kind="bit"):
    mutant = Mutant(kind=kind, change="$1 ($and) Y[0] inverted", module="cbit.core.read", sources=("read/path.py:1",),
                    is_aes=number == 1, command="-mode inv")
    return Judged(number=number, mutant=mutant, bench=bench, reason="", equivalent_within=module)


OUTCOMES = [judged(1, bench="smoke"), judged(2, bench="guests"), judged(3, bench="smoke"),
            judged(4, module="cbit.core.read"), judged(5, kind="operator")]


@pytest.fixture
def asked(monkeypatch):
    """A fake in the campaign's place: what it was asked for."""
    calls = []

    def fake(config, *, shares, seed, command, progress, **_options):
        calls.append((config, shares, seed))
        progress(0.5, "mutant 2 of 5")
        return Report(command=command, config=config, cycles={"smoke": 100, "guests": 200}, judged=OUTCOMES)

    monkeypatch.setattr(command, "judged", fake)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["mutate", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_each_mutant_has_a_line_and_the_last_line_sums_up(capsys, asked):
    status, out, err = run(capsys, "--count", 40, "--seed", 7, "--set", "sbox=table")
    assert status == 0
    ((config, shares, seed),) = asked
    assert (config.sbox, shares, seed) == (SBox.TABLE, Shares(bits=24, operators=12, aes=4), 7)
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["1", "2", "3", "4", "5"]
    assert [line.count("killed by") for line in lines[1:6]] == [1, 1, 1, 0, 0]
    assert lines[4].endswith("equivalent within cbit.core.read")
    assert lines[5].endswith("SURVIVED")
    assert lines[-1] == ("5 mutants, 1 of them in AES: 3 killed (smoke 2, guests 1), 1 proven equivalent, 1 survived: "
                         "75.0% of those that are not equivalent")
    assert err.startswith("cbit: mutants\n")


@pytest.mark.usefixtures("asked")
def test_mutants_as_json(capsys, tmp_path):
    file = tmp_path / "mutants.json"
    assert run(capsys, "--set", "sbox=table", "--out", file)[0] == 0
    content = json.loads(file.read_text())
    assert content["command"] == "cbit mutate --count 100 --seed 1 --preset streaming --set sbox=table"
    assert (content["killed"], content["equivalent"], content["score"]) == (3, 1, 0.75)
    assert content["mutants"][0] == {
        "number": 1, "kind": "bit", "change": "$1 ($and) Y[0] inverted", "module": "cbit.core.read",
        "sources": ["read/path.py:1"], "is_aes": True, "command": "-mode inv", "bench": "smoke", "reason": "",
        "equivalent_within": None}


def test_no_mutants_that_are_not_equivalent_are_all_killed():
    report = Report(command="", config=EngineConfig(), cycles={}, judged=[judged(1, module="cbit.core.read")])
    assert report.score == 1


@pytest.mark.parametrize(("arguments", "text"), [
    (("--count", 0), "Invalid value for '--count': 0 is not in the range 1<=x<=10000."),
    (("--seed", -1), "Invalid value for '--seed': -1 is not in the range x>=0."),
    (("--preset", "fast"), "preset must be one of streaming, "),
    (("--set", "key_bits=3"), "key_bits must be 128 or 256, not 3"),
    (("--set", "data_width=256"), "data_width must be 128, as wide as the benches' blocks, not 256"),
    (("--out", "nowhere/mutants.json"), "FILE must be in a folder that exists, and nowhere does not"),
])
def test_bad_input_is_refused_before_any_work(capsys, asked, arguments, text):
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cbit: {text}")
    assert not asked


def test_an_engine_that_fails_by_itself_is_told_in_one_line(capsys, monkeypatch):
    def fail(*_arguments, **_options):
        raise WrongEngineError("without a mutation the engine fails smoke")

    monkeypatch.setattr(command, "judged", fail)
    status, _, err = run(capsys)
    assert status == 1
    assert err.endswith("cbit: without a mutation the engine fails smoke\n")
