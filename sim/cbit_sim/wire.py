"""What a process and the simulation that it drives say to each other: a JSON object a line."""

import json
import socket
from typing import Any

__all__ = ["Wire"]


class Wire:
    """One end of a connected socket. Bytes go as hexadecimal digits.

    Parameters
    ----------
    connection : :class:`socket.socket`
        Connected.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rwb")

    def send(self, **message: Any) -> None:
        """Sends an object. Raises :exc:`OSError` if the other end has gone."""
        self._stream.write(json.dumps(message).encode() + b"\n")
        self._stream.flush()

    def receive(self) -> dict[str, Any]:
        """Waits for an object.

        Raises
        ------
        EOFError
            If the other end has gone.
        """
        try:
            line = self._stream.readline()
        except ConnectionResetError:
            line = b""
        if not line.endswith(b"\n"):
            raise EOFError("The other end of the wire has gone")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Leaves."""
        self._stream.close()
        self._connection.close()
