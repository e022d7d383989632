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
    firmware : :class:`bytes`
        That of the security processor. A SoC has one if there is any.
    """

    config: EngineConfig
    part: str = ""
    firmware: bytes = dataclasses.field(default=b"", repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"config": self.config.as_dict(), "part": self.part,
                **({"firmware": self.firmware.hex()} if self.firmware else {})}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Subject":
        """The inverse of :meth:`as_dict`."""
        config = values["config"]
        return cls(EngineConfig(**config | {"sbox": SBox(config["sbox"])}), values["part"],
                   bytes.fromhex(values.get("firmware", "")))

    @property
    def wide_luts(self) -> bool:
        """Whether the S-boxes want LUTs joined to wider ones, which other logic does not."""
        return self.config.sbox is SBox.TABLE
