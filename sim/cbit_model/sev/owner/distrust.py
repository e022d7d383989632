"""How a guest's owner refuses."""

__all__ = ["DistrustError"]


class DistrustError(Exception):
    """What was given does not prove what it should; the text says what is wrong with what."""
