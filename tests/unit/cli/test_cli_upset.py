"""`cbit upset` without tools: what it prints, what it refuses."""

import json

import pytest

from cbit.config import SBox
from cbit_cli import upset as command
from cbit_cli.main import main
from cbit_cli.mutation.trial import WrongEngineError
from cbit_cli.upsets.report import Report, Struck
from cbit_sim.upset import Outcome


def struck(bit, outcome, reason=""):
    return Struck(name=f"read.issue.slot[{bit}]", sources=("read/issue.py:1",), strike=(7, bit), cycle=100,
                  outcome=outcome, reason=reason)


OUTCOMES = [struck(0, Outcome.MASKED), struck(1, Outcome.LEAKING, "DRAM's port shows plaintext"),
            struck(2, Outcome.DETECTED, "STATUS.KEY_FAULT is set")]


@pytest.fixture
def asked(monkeypatch):
    """A fake in the campaign's place: what it was asked for."""
    calls = []

    def fake(config, *, count, seed, command, progress, **_options):
        calls.append((config, count, seed))
        progress(0.5, "strike 2 of 3")
        return Report(command=command, config=config, register_bits=99, control_bits=9, struck=OUTCOMES)

    monkeypatch.setattr(command, "struck", fake)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["upset", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_each_leaking_bit_has_a_line_and_the_last_line_sums_up(capsys, asked):
    status, out, err = run(capsys, "--count", 3, "--seed", 7, "--set", "sbox=table")
    assert status == 0
    ((config, count, seed),) = asked
    assert (config.sbox, count, seed) == (SBox.TABLE, 3, 7)
    lines = out.splitlines()
    assert lines[1].split()[:2] == ["read.issue.slot[1]", "read/issue.py:1"]
    assert lines[1].endswith("DRAM's port shows plaintext")
    assert lines[2:] == ["", "3 of 9 bits of control struck, in 99 bits of registers of which the others are data: "
                         "1 masked, 0 silent, 1 detected, 1 leaking"]
    assert err.startswith("cbit: upsets\n")


def test_every_bit_may_be_asked_for_by_a_word(capsys, asked):
    assert run(capsys, "--count", "every")[0] == 0
    assert [count for _, count, _ in asked] == [None]


@pytest.mark.usefixtures("asked")
def test_strikes_as_json(capsys, tmp_path):
    file = tmp_path / "strikes.json"
    assert run(capsys, "--count", "every", "--set", "sbox=table", "--out", file)[0] == 0
    content = json.loads(file.read_text())
    assert content["command"] == "cbit upset --count every --seed 1 --preset streaming --set sbox=table"
    assert content["counts"] == {"masked": 1, "silent": 0, "detected": 1, "leaking": 1}
    assert content["strikes"][1] == {
        "name": "read.issue.slot[1]", "sources": ["read/issue.py:1"], "strike": [7, 1], "cycle": 100,
        "outcome": "leaking", "reason": "DRAM's port shows plaintext"}


@pytest.mark.parametrize(("arguments", "text"), [
    (("--count", 0), "Invalid value for '--count': 0 is not in the range 1<=x<=100000."),
    (("--count", "all"), "Invalid value for '--count': 'all' is not a valid integer range."),
    (("--seed", -1), "Invalid value for '--seed': -1 is not in the range x>=0."),
    (("--preset", "fast"), "preset must be one of streaming, "),
    (("--set", "key_bits=3"), "key_bits must be 128 or 256, not 3"),
    (("--set", "data_width=512"), "data_width must be 128, a block a beat, not 512"),
    (("--out", "nowhere/strikes.json"), "FILE must be in a folder that exists, and nowhere does not"),
])
def test_bad_input_is_refused_before_any_work(capsys, asked, arguments, text):
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cbit: {text}")
    assert not asked


def test_an_engine_that_fails_by_itself_is_told_in_one_line(capsys, monkeypatch):
    def fail(*_arguments, **_options):
        raise WrongEngineError("without a strike the engine fails: it hangs")

    monkeypatch.setattr(command, "struck", fail)
    status, _, err = run(capsys)
    assert status == 1
    assert err.endswith("cbit: without a strike the engine fails: it hangs\n")
