"""Bins that no traffic can hit, each by a rule with its reason."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from cbit_sim.coverage.shape import DENIALS, READ, WIDER

__all__ = ["RULES", "Rule", "impossible"]

Bin = tuple[str, ...]


class Rule(NamedTuple):
    """Bins of a cross, given an engine's parameters, and why none of them can be hit."""

    cross: str
    reason: str
    matches: Callable[[Mapping[str, Any], Bin], bool]


def _has_only_malformed(burst: str, size: str) -> bool:
    return burst == "RESERVED" or size == WIDER


def _has_too_few_lanes(burst: str, size: str, strobe: str) -> bool:
    return not _has_only_malformed(burst, size) and (
        (size in ("1", "2") and strobe == "holes") or (size == "1" and strobe == "part"))


def _all_asids_exist(config: Mapping[str, Any]) -> bool:
    return int(config["asid_count"]).bit_count() == 1



RULES = (
    Rule("shape", "A reserved burst, or a beat wider than the bus, is malformed before anything else is looked at.",
         lambda _, one: _has_only_malformed(one[0], one[1]) and one[3] != "denied: malformed"),
    Rule("shape", "A beat of one byte is strobed or not; a gap takes three lanes.",
         lambda _, one: _has_too_few_lanes(one[0], one[1], one[2])),
    Rule("shape", "The engine has no address bit above the C-bit.",
         lambda config, one: one[3] == "denied: address" and config["addr_width"] == config["c_bit"] + 1),
    Rule("shape", "The engine has every ASID that AxUSER can name.",
         lambda config, one: one[3] == "denied: asid range" and _all_asids_exist(config)),
    Rule("length", "A WRAP of AXI4 has 2, 4, 8 or 16 beats.",
         lambda _, one: one[1] == "WRAP" and one[2] not in ("2 to 4", "5 to 16")),
    Rule("length", "A FIXED of AXI4 has 16 beats at most.",
         lambda _, one: one[1] == "FIXED" and one[2] in ("17 to 255", "256")),
    Rule("length", "Only well-formed bursts are looked at.", lambda _, one: one[1] == "RESERVED"),
    Rule("alignment", "Only well-formed bursts are looked at.",
         lambda _, one: _has_only_malformed(one[0], one[1])),
    Rule("alignment", "A WRAP of AXI4 is aligned to its beats.",
         lambda _, one: one[0] == "WRAP" and one[2] == "none"),
    Rule("alignment", "Every address is aligned to a byte.", lambda _, one: one[1] == "1" and one[2] == "none"),
    Rule("alignment", "A beat as wide as the bus is a block.", lambda _, one: one[1] == "16" and one[2] == "beat"),
    Rule("order", "Only writes have data of their own.", lambda _, one: one[0].endswith(READ)),
    Rule("answer", "A denied access is never OKAY.",
         lambda _, one: one[0].startswith("denied") and one[1] == "OKAY"),
    Rule("answer", "Only DRAM's word makes an EXOKAY, and only plain accesses are exclusive there.",
         lambda _, one: not one[0].startswith("plain") and one[1] == "EXOKAY"),
    Rule("answer", "Only an address bit above the C-bit is denied with DECERR, and the engine has none.",
         lambda config, one: one[0].startswith("denied") and one[1] == "DECERR"
         and config["addr_width"] == config["c_bit"] + 1),
    Rule("exclusive", "The engine has no address bit above the C-bit.",
         lambda config, one: one[1] == "denied: address" and config["addr_width"] == config["c_bit"] + 1),
    Rule("exclusive", "The engine has every ASID that AxUSER can name.",
         lambda config, one: one[1] == "denied: asid range" and _all_asids_exist(config)),
    Rule("meeting", "A denied access reaches no place.",
         lambda _, one: any(kind.startswith("denied") for kind in one[:2]) and one[2] != "elsewhere"),
)
"""The crosses are those of :mod:`cbit_sim.coverage.observer`."""

assert set(DENIALS) >= {"denied: malformed", "denied: address", "denied: asid range"}


def impossible(cross: str, bins: Iterable[Bin], config: Mapping[str, Any]) -> dict[Bin, str]:
    """Those of a cross's bins that can not be hit, and why."""
    found = {}
    for one in bins:
        reason = next((rule.reason for rule in RULES if rule.cross == cross and rule.matches(config, one)), None)
        if reason is not None:
            found[one] = reason
    return found
