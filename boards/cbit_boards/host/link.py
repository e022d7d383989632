"""Requests to a board, and its answers, over a port that may lose some."""

import time

from cbit_boards.host.frames import Answer, AnswerParser, Operation, Request, request_frame
from cbit_boards.host.port import Port

__all__ = ["Link", "NoAnswerError"]

_BITS_A_BYTE = 10
_FRAME_BYTES = 40
_SEQUENCES = 256


class NoAnswerError(Exception):
    """A board has not answered, however often it was asked."""


class Link:
    """Asks one thing at a time, and again where no answer comes.

    A request that is repeated has the number of the first, so that the board does not carry it out twice. Number 0 is
    for IDENTIFY, which the board always carries out: with it every link begins.

    Parameters
    ----------
    port : :class:`~cbit_boards.host.port.Port`
        Open.
    seconds : :class:`float`
        How long to wait for an answer, beside the time that both frames take on the wire.
    tries : :class:`int`
        How often to ask.

    Attributes
    ----------
    repeats : :class:`int`
        How often a request had to be repeated.
    """

    def __init__(self, port: Port, *, seconds: float = 1.0, tries: int = 4) -> None:
        self.port = port
        self.seconds = seconds
        self.tries = tries
        self.repeats = 0
        self._sequence = 0
        self._parser = AnswerParser()

    def ask(self, request: Request) -> Answer:
        """The answer to a request, whatever its outcome.

        Raises
        ------
        NoAnswerError
            If there is none.
        cbit_boards.host.port.PortClosedError
            If the port is gone.
        """
        sequence = self._number(request)
        frame = request_frame(sequence, request)
        on_wire = (len(frame) + request.length + _FRAME_BYTES) * _BITS_A_BYTE / self.port.baud
        for attempt in range(self.tries):
            self.repeats += attempt > 0
            self.port.write(frame)
            answer = self._answer(sequence, time.monotonic() + on_wire + self.seconds)
            if answer is not None:
                return answer
        raise NoAnswerError(
            f"{self.port.name} does not answer at {self.port.baud} baud, asked {self.tries} times: is a board with "
            "Cbit there, and the rate one that its clock can follow?")

    def _number(self, request: Request) -> int:
        if request.operation is Operation.IDENTIFY:
            return 0
        self._sequence = self._sequence % (_SEQUENCES - 1) + 1
        return self._sequence

    def _answer(self, sequence: int, deadline: float) -> Answer | None:
        while time.monotonic() < deadline:
            for answer in self._parser.feed(self.port.read()):
                if answer.sequence == sequence:
                    return answer
        return None
