"""The README's table of engines is that of the committed results, and these are of the presets."""

import json
from pathlib import Path

from cbit.config import PRESETS
from cbit_cli.benchmark.readme import RESULTS, with_table
from cbit_cli.benchmark.tables import readme_table

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
