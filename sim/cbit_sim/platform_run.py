"""Runs benches on the platform with a firmware image."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_sim.entropy_words import ENTROPY
from cbit_sim.firmware import FIRMWARE, hexadecimal
from cbit_sim.runner import Progress, simulate

__all__ = ["PLATFORM_CONFIG", "simulate_platform"]

PLATFORM_CONFIG = EngineConfig(duplex=False, unroll=1, max_outstanding=4, asid_count=16)
"""An engine that is soon built, with the addresses and ASIDs of the presets."""


def simulate_platform(bench: str, firmware: bytes, *, config: EngineConfig = PLATFORM_CONFIG,
                      parameters: Mapping[str, Any] | None = None, tests: Sequence[str] | None = None,
                      waves: bool = False, progress: Progress | None = None,
                      entropy: Path | None = None) -> dict[str, Any]:
    """As :func:`cbit_sim.runner.simulate` with the top ``platform``, whose processor runs ``firmware``.

    What raw words it takes is left in the file ``entropy``, if there is one: :mod:`cbit_sim.entropy_words`.
    """
    with tempfile.TemporaryDirectory() as folder:
        image = hexadecimal(firmware, Path(folder))
        files = {FIRMWARE: str(image)} | ({ENTROPY: str(entropy)} if entropy is not None else {})
        return simulate("platform", bench, config=config, parameters=parameters, tests=tests, waves=waves,
                        progress=progress, plusargs=files)
