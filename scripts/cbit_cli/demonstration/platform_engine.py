"""The engine of the demonstration's platform: the one that was asked for, if a security processor can have it."""

import click

from cbit.config import DEFAULT_PRESET, EngineConfig, preset
from cbit_sim.demo.story import GUEST_2
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["deviation", "platform_engine", "require_fit"]

_LIMITS = {"data_width": 128, "key_bits": 128, "id_width": 7}
"""Parameter to the most that a platform takes."""


def require_fit(config: EngineConfig) -> None:
    """Refuses an engine that has no room for the demonstration.

    Raises
    ------
    click.UsageError
        If so.
    """
    for name, least in (("asid_count", GUEST_2.asid + 1), ("c_bit", (PLATFORM_MEMORY_BYTES - 1).bit_length())):
        value = getattr(config, name)
        if value < least:
            raise click.UsageError(f"{name} must be {least} or more for the demo, not {value}")


def platform_engine(config: EngineConfig) -> EngineConfig:
    """The engine of the platform: ``config`` where :func:`deviation` is empty, else that of the default preset."""
    return preset(DEFAULT_PRESET) if deviation(config) else config


def deviation(config: EngineConfig) -> str:
    """Why there is no platform with such an engine, in words; empty if there is."""
    beyond = [f"{name}={getattr(config, name)}" for name, most in _LIMITS.items() if getattr(config, name) > most]
    return (f"no security processor drives an engine with {' and '.join(beyond)}: that of the platform is preset "
            f"{DEFAULT_PRESET}, and what is asked for has its cost measured") if beyond else ""
