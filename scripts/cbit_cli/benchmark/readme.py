"""The README's table of engines, written from the committed results.

As a program it writes the table into the README of the current folder.
"""

import json
from pathlib import Path

from cbit_cli.benchmark.tables import readme_table
from cbit_cli.files import write_together

__all__ = ["BEGIN", "END", "RESULTS", "with_table"]

RESULTS = Path("benchmarks") / "results.json"
"""Where the results are, from the root of the repository."""

BEGIN = "<!-- Written by make readme from benchmarks/results.json. -->\n"
END = "<!-- End of what make readme writes. -->\n"


def with_table(readme: str, table: str) -> str:
    """A README with another table between the marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n\n{END}{after}"


def _main() -> None:
    readme = Path("README.md")
    table = readme_table(json.loads(RESULTS.read_text(encoding="utf-8")))
    write_together({readme: with_table(readme.read_text(encoding="utf-8"), table).encode()})


if __name__ == "__main__":
    _main()
