"""Runs a bench from a prompt: ``python -m cbit_sim engine random_traffic '{"parameters": {...}}'``."""

import argparse
import json
import sys

from cbit.config import EngineConfig, SBox
from cbit_sim.runner import simulate
from cbit_sim.simulators import SIMULATORS
from cbit_sim.verilog import TOPS


def main() -> None:
    """Prints the bench's report as JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m cbit_sim", description=__doc__)
    parser.add_argument("top", choices=TOPS)
    parser.add_argument("bench", help="name of a module in cbit_sim.benches")
    parser.add_argument("settings", nargs="?", type=json.loads, default={},
                        help="JSON with config (fields of EngineConfig) and parameters (the bench's own)")
    parser.add_argument("--simulator", choices=SIMULATORS, default=SIMULATORS[0])
    parser.add_argument("--waves", action="store_true", help="write signals over time")
    arguments = parser.parse_args()
    config = dict(arguments.settings.get("config", {}))
    if "sbox" in config:
        config["sbox"] = SBox(config["sbox"])
    report = simulate(
        arguments.top, f"cbit_sim.benches.{arguments.bench}", parameters=arguments.settings.get("parameters"),
        config=EngineConfig(**config), simulator=arguments.simulator, waves=arguments.waves,
        progress=lambda part, text: print(f"{part:4.0%} {text}", file=sys.stderr))
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
