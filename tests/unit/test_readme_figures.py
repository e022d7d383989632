"""The README's table of engines is that of the committed results, and these are of the presets."""

import json
from pathlib import Path

import pytest

from cbit.config import PRESETS
from cbit_cli.benchmark.readme import RESULTS, with_table
from cbit_cli.benchmark.tables import readme_table
from cbit_fpga.devices import DEVICES
from cbit_fpga.elaboration import elaborate
from cbit_fpga.subject import Subject
from cbit_fpga.synthesis import gateware_digest

ROOT = Path(__file__).parents[2]
RESULT = json.loads((ROOT / RESULTS).read_text())


def test_readme_has_the_table_of_the_results():
    readme = (ROOT / "README.md").read_text()
    assert readme_table(RESULT) in readme
    assert with_table(readme, readme_table(RESULT)) == readme


def test_results_are_of_presets_as_they_are():
    for row in RESULT["rows"]:
        config = PRESETS[row["preset"]][1].as_dict()
        assert {name: config[name] for name in row["config"]} == row["config"]
        assert row["part"] == ""


@pytest.mark.slow
@pytest.mark.parametrize("row", RESULT["rows"], ids=lambda row: row["preset"])
def test_results_are_of_the_gateware_as_it_is(row):
    subject = Subject(PRESETS[row["preset"]][1])
    assert gateware_digest(elaborate(subject, DEVICES[row["device"]])) == row.get("gateware")
