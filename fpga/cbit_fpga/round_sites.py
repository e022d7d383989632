"""Sites for the block RAMs of AES rounds on an LFE5U-85F.

Left to itself, the placer spreads the eight block RAMs of a round over the device, and half of a cycle is spent on the
way from one to the next. Here each round has eight that are neighbors, and the next round those beside them.
"""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["neighbors", "round_sites"]

ROWS = ((82, 70), (46, 22))
"""The rows of block RAMs, in pairs that are near each other."""

GROUPS = tuple(4 + 9 * number + (2 if number >= 7 else 0) for number in range(13))
"""Where in a row four neighbors begin, which are two columns apart."""

BLOCK_RAM_OF_ROUND = re.compile(r"(.*)\bround_(\d+)\.sub_bytes\.rom_(\d+)\.block_ram$")


def neighbors() -> list[list[str]]:
    """Sites of eight neighbors, each eight beside those before: to the right in one pair of rows, back in the other."""
    return [[f"X{group + 2 * place}/Y{row}/EBR{place}" for row in rows for place in range(4)]
            for rows, groups in zip(ROWS, (GROUPS, GROUPS[::-1])) for group in groups]


def round_sites(netlist: Mapping[str, Any]) -> dict[str, str]:
    """The site of each block RAM of an AES round; of what no longer fits there is none.

    Pipelines follow each other in the order of their names, the rounds of each in theirs.
    """
    rounds: dict[tuple[str, int], dict[int, str]] = {}
    for module in netlist["modules"].values():
        for name, cell in module["cells"].items():
            match = BLOCK_RAM_OF_ROUND.match(name)
            if match and cell["type"] == "DP16KD":
                pipeline, number, place = match.groups()
                rounds.setdefault((pipeline, int(number)), {})[int(place)] = name
    return {name: block[place] for block, (_, cells) in zip(neighbors(), sorted(rounds.items()))
            for place, name in cells.items()}
