"""Why something is not covered, by rules that stand in ``waivers.toml``."""

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

__all__ = ["TABLE", "Item", "Waived", "Waiver", "read_waivers", "waived"]

TABLE = Path(__file__).with_name("waivers.toml")

_FIELDS = ("kind", "where", "name", "reason")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waiver:
    """Items that are not covered, and why.

    Parameters
    ----------
    kind : ``"traffic"``, ``"line"`` or ``"toggle"``
        What it is about.
    where : :class:`str`
        Regular expression of all of a cross's or a module's name.
    name : :class:`str`
        Regular expression of all of the item's name.
    reason : :class:`str`
        In a sentence.
    """

    kind: Literal["traffic", "line", "toggle"]
    where: str
    name: str
    reason: str

    def matches(self, item: "Item") -> bool:
        """Whether it is about an item."""
        return (item.kind == self.kind and re.fullmatch(self.where, item.where) is not None
                and re.fullmatch(self.name, item.name) is not None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """Something to be covered: its kind, the cross or module it is in, and its name there."""

    kind: str
    where: str
    name: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waived:
    """What became of items that are not covered.

    Parameters
    ----------
    reasons : mapping
        Item to the reason of the first waiver that is about it.
    open : sequence of :class:`Item`
        Those that no waiver is about.
    stale : sequence of :class:`str`
        What is wrong with waivers: items that they are about are covered.
    """

    reasons: Mapping[Item, str]
    open: Sequence[Item]
    stale: Sequence[str]


def read_waivers(text: str) -> list[Waiver]:
    """The waivers of a table.

    Raises
    ------
    ValueError
        If one has not exactly its fields, or an expression is none.
    """
    found = []
    for number, entry in enumerate(tomllib.loads(text).get("waiver", []), 1):
        if tuple(sorted(entry)) != tuple(sorted(_FIELDS)):
            raise ValueError(f"Waiver {number} must have {', '.join(_FIELDS)}, not {', '.join(entry)}")
        if entry["kind"] not in ("traffic", "line", "toggle"):
            raise ValueError(f"Waiver {number} must be of traffic, line or toggle, not {entry['kind']}")
        for field in ("where", "name"):
            try:
                re.compile(entry[field])
            except re.error as error:
                raise ValueError(f"Waiver {number} must have an expression as {field}, not {entry[field]!r}") from error
        found.append(Waiver(**entry))
    return found


def waived(items: Mapping[Item, int], waivers: Iterable[Waiver]) -> Waived:
    """Gives each item that has no hits a reason, and tells what is stale."""
    reasons: dict[Item, str] = {}
    stale = []
    for waiver in waivers:
        about = [item for item in items if waiver.matches(item)]
        hit = [item for item in about if items[item]]
        if hit:
            stale.append(f"{len(hit)} of {len(about)} are covered, such as {hit[0].where} {hit[0].name}: "
                         f"{waiver.reason}")
        for item in about:
            if not items[item]:
                reasons.setdefault(item, waiver.reason)
    return Waived(reasons=reasons, stale=stale, open=[item for item, hits in items.items() if not hits
                                                      and item not in reasons])
