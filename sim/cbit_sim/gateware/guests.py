"""Which keys a soak uses."""

from cbit.config import EngineConfig

__all__ = ["guests_of"]

_LEAST_SLOTS = 3
_DATA_WIDTH = 128
_MOST_GUESTS = 8


def guests_of(config: EngineConfig) -> int:
    """The guests whose keys a soak uses; the last slot has never a key, and those between are free.

    Raises
    ------
    ValueError
        If there are fewer than three slots, or the bus is wider than that of the traffic generator.
    """
    if config.asid_count < _LEAST_SLOTS:
        raise ValueError(f"asid_count must be at least {_LEAST_SLOTS} for a soak, not {config.asid_count}")
    if config.data_width != _DATA_WIDTH:
        raise ValueError(f"data_width must be {_DATA_WIDTH} for a soak, not {config.data_width}")
    return min(_MOST_GUESTS, max(1, config.asid_count - _LEAST_SLOTS))
