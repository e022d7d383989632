"""`cbit presets`."""

import json

from click.testing import CliRunner

from cbit.config import PRESETS, EngineConfig, SBox
from cbit_cli.presets import presets


def test_json_rebuilds_every_preset():
    listed = json.loads(CliRunner().invoke(presets, ["--format", "json"]).stdout)
    assert [entry["name"] for entry in listed] == list(PRESETS)
    for entry in listed:
        parameters = entry["parameters"] | {"sbox": SBox(entry["parameters"]["sbox"])}
        assert (entry["summary"], EngineConfig(**parameters)) == PRESETS[entry["name"]]


def test_table_has_a_line_for_every_preset():
    lines = CliRunner().invoke(presets).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["preset", *PRESETS]
    assert all(line.endswith(summary) for line, (summary, _) in zip(lines[1:], PRESETS.values()))
