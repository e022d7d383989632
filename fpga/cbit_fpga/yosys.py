"""Yosys, in a process of its own: it keeps state, and ends its process when it fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["YosysError", "run_yosys"]

_RUN = "from pyosys import libyosys; libyosys.run_pass('tee -q -o yosys.log script script.ys')"


class YosysError(RuntimeError):
    """Yosys has refused what it was given; the text is its last message."""


def run_yosys(script: str, folder: Path) -> None:
    """Runs a script in a folder, where it leaves ``yosys.log``.

    Raises
    ------
    YosysError
        If yosys fails.
    """
    (folder / "script.ys").write_text(script, encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", _RUN], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         text=True, check=False, env=os.environ | {"PYTHONHASHSEED": "0"})
    if run.returncode:
        log = folder / "yosys.log"
        errors = re.findall(r"^ERROR: (.*)", log.read_text() if log.exists() else "", re.MULTILINE)
        raise YosysError(errors[-1] if errors else f"yosys ended with status {run.returncode}: {run.stderr}")
