"""What is measured: an engine, or a part of one."""

import dataclasses
from typing import Any

from cbit.config import EngineConfig, SBox

__all__ = ["Subject"]


@dataclasses.dataclass(frozen=True)
class Subject:
    """An engine or one of its parts.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        What the engine is.
    part : :class:`str`
        Names of submodules from the engine down, joined by dots; empty for the engine itself.
    """

    config: EngineConfig
    part: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"config": self.config.as_dict(), "part": self.part}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Subject":
        """The inverse of :meth:`as_dict`."""
        config = values["config"]
        return cls(EngineConfig(**config | {"sbox": SBox(config["sbox"])}), values["part"])

    @property
    def wide_luts(self) -> bool:
        """Whether the S-boxes want LUTs joined to wider ones, which other logic does not."""
        return self.config.sbox is SBox.TABLE
