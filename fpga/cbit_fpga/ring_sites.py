"""Sites for the block RAMs of the serial bus side and its ring of AES rounds on an LFE5U-85F.

All of them lie side by side in the middle of two rows. Left to itself, the placer spreads them over the device, so that
the address of a store of eight block RAMs takes four nanoseconds on its way, and the router takes minutes for what is
crowded between.
"""

import re
from collections.abc import Mapping
from typing import Any

from cbit_fpga.round_sites import neighbors

__all__ = ["ring_sites"]

FIRST = 4
"""Of the eights of neighbors, the first that is used."""

EIGHTS = (
    (r"\bring\.keys_0\.column_(\d)\.", 0, 0),
    (r"\bring\.keys_1\.column_(\d)\.", 0, 4),
    (r"\bring\.sub_bytes_0\.rom_(\d)\.", 1, 0),
    (r"\bring\.sub_bytes_1\.rom_(\d)\.", 2, 0),
    (r"\bstore\.memory\.0\.(\d)$", 3, 0),
    (r"\bcipher\.beside\.0\.(\d)$", 4, 0),
    (r"\bwrites\.data\.memory\.0\.(\d)$", 4, 4))
"""Of block RAMs: the pattern of their names, in which eight they are, and the place of the first there."""


def ring_sites(netlist: Mapping[str, Any]) -> dict[str, str]:
    """The site of each block RAM of a serial bus side."""
    blocks = neighbors()[FIRST:]
    names = [name for module in netlist["modules"].values() for name, cell in module["cells"].items()
             if cell["type"] == "DP16KD"]
    return {name: blocks[block][place + int(match[1])] for pattern, block, place in EIGHTS for name in names
            if (match := re.search(pattern, name))}
