"""Serial ports, and pseudo-terminals in their place."""

import contextlib
import errno
import os
import termios
from typing import Protocol

import serial

__all__ = ["Port", "PortClosedError", "PortError", "SerialPort"]

_POLL_SECONDS = 0.02
_WRITE_SECONDS = 30.0
_REASONS = {
    errno.ENOENT: "there is no such device",
    errno.EACCES: "you may not use it; on Debian users of the group dialout may",
    errno.EBUSY: "another program uses it",
    errno.EWOULDBLOCK: "another program uses it",
    errno.ENOTTY: "it is no serial port",
    errno.EINVAL: "it is no serial port, or can not have this rate",
    errno.ENXIO: "there is no such device",
    errno.EISDIR: "it is a folder",
}


class PortError(Exception):
    """A port can not be opened; the text says why."""


class PortClosedError(Exception):
    """A port that was open is gone: a cable was pulled, or a simulation has ended."""


class Port(Protocol):
    """What carries bytes both ways.

    Members
    -------
    name : :class:`str`
        As the user has called it.
    baud : :class:`int`
        Bits in a second.
    """

    @property
    def name(self) -> str: ...

    @property
    def baud(self) -> int: ...

    def write(self, content: bytes) -> None:
        """Sends. Raises :class:`PortClosedError`."""

    def read(self) -> bytes:
        """What has come, or comes within some milliseconds; perhaps nothing. Raises :class:`PortClosedError`."""

    def close(self) -> None:
        """Leaves the port to others."""


class SerialPort:
    """A serial port of this machine, which nobody else may use meanwhile. What has come before is forgotten.

    Parameters
    ----------
    name : :class:`str`
        Of the device, as `/dev/ttyUSB0`.
    baud : :class:`int`
        Bits in a second.

    Raises
    ------
    PortError
        If it can not be opened.
    """

    def __init__(self, name: str, *, baud: int) -> None:
        self.name = name
        self.baud = baud
        try:
            self._serial = serial.Serial(name, baud, timeout=_POLL_SECONDS, write_timeout=_WRITE_SECONDS,
                                         exclusive=True)
        except (OSError, termios.error, ValueError) as error:
            raise PortError(f"{name} can not be opened: {_reason(error)}") from error

    def write(self, content: bytes) -> None:
        """As of :class:`Port`."""
        try:
            self._serial.write(content)
        except (OSError, termios.error) as error:
            raise PortClosedError(f"{self.name} has gone in the middle of a transfer") from error

    def read(self) -> bytes:
        """As of :class:`Port`."""
        try:
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (OSError, termios.error) as error:
            raise PortClosedError(f"{self.name} has gone in the middle of a transfer") from error

    def close(self) -> None:
        """As of :class:`Port`."""
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()


def _reason(error: BaseException) -> str:
    """In words; pyserial tells some reasons only by the error that its own came of."""
    number = error.args[0] if error.args else None
    if isinstance(number, int):
        return _REASONS.get(number, os.strerror(number))
    if isinstance(error, ValueError) or error.__context__ is None:
        return str(error)
    return _reason(error.__context__)
