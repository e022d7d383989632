"""AXI channels of a simulated design, stepped together once a clock cycle.

One coroutine steps all channels of all ports: this is several times faster than a coroutine for each channel, which is
how general bus models work, and it gives every model the same notion of a cycle.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import cocotb
from cocotb.triggers import Event, RisingEdge

__all__ = ["Address", "Channel", "Clocked", "ReadData", "Sink", "Source", "WriteData", "WriteResponse"]

_WORD_BITS = 32


class Address(NamedTuple):
    """A beat of AW or AR; fields are AMBA's."""

    id: int
    addr: int
    len: int
    size: int = 4
    burst: int = 1
    lock: int = 0
    cache: int = 0
    prot: int = 0
    qos: int = 0
    region: int = 0
    user: int = 0


class WriteData(NamedTuple):
    """A beat of W. Byte *i* is bits *8i+7..8i* of ``data`` and bit *i* of ``strb``."""

    data: int
    strb: int
    last: int


class WriteResponse(NamedTuple):
    """A beat of B."""

    id: int
    resp: int


class ReadData(NamedTuple):
    """A beat of R."""

    id: int
    data: int
    resp: int
    last: int


Payload = Address | WriteData | WriteResponse | ReadData
_PAYLOADS: dict[str, type[Payload]] = {"aw": Address, "w": WriteData, "b": WriteResponse, "ar": Address,
                                       "r": ReadData}


class Step(Protocol):
    """Something that does its work of one cycle."""

    def step(self) -> None: ...


class Clocked:
    """Steps models at every rising edge of a clock, in the order in which they were added.

    What a step reads of the design are the values before the edge; what it drives appears after it.

    Attributes
    ----------
    cycle : :class:`int`
        Edges seen.
    held : :class:`bool`
        Whether models are not stepped, as while the design is in reset.
    """

    def __init__(self, clock: Any):
        self.cycle = 0
        self.held = False
        self._edge = RisingEdge(clock)
        self._steps: list[Callable[[], None]] = []
        self._waiting: list[tuple[Callable[[], bool], Event]] = []
        self._task = cocotb.start_soon(self._run())

    def add(self, model: Step) -> None:
        """Steps a model from now on."""
        self._steps.append(model.step)

    def stop(self) -> None:
        """Steps nothing any longer."""
        self._task.cancel()

    async def until(self, condition: Callable[[], bool], limit: int) -> None:
        """Waits until a condition holds after some edge.

        Raises
        ------
        TimeoutError
            If it does not within ``limit`` cycles.
        """
        deadline = self.cycle + limit
        event = Event()
        self._waiting.append((lambda: condition() or self.cycle >= deadline, event))
        await event.wait()
        if not condition():
            raise TimeoutError(f"nothing came of {limit} cycles of waiting, at cycle {self.cycle}")

    async def cycles(self, count: int) -> None:
        """Waits for a number of cycles."""
        last = self.cycle + count
        await self.until(lambda: self.cycle >= last, count + 1)

    async def _run(self) -> None:
        while True:
            await self._edge
            self.cycle += 1
            if not self.held:
                for step in self._steps:
                    step()
            if self._waiting:
                met = [entry for entry in self._waiting if entry[0]()]
                for entry in met:
                    self._waiting.remove(entry)
                    entry[1].set()


def _reader(handle: Any) -> Callable[[], int]:
    """Reads an output as an integer, without the logic array that cocotb makes for each look at ``value``.

    Undefined bits of a wide output raise :exc:`ValueError`.
    """
    raw = handle._handle
    if len(handle) <= _WORD_BITS:
        look: Callable[[], int] = raw.get_signal_val_long
        return look
    return lambda: int(raw.get_signal_val_binstr(), 2)


class Channel:
    """One channel of one port, as it was at the last edge.

    Parameters
    ----------
    dut
        cocotb's handle of the design.
    name : :class:`str`
        Port and channel, such as ``s_axi_aw``.
    pause : iterator of :class:`bool`
        Asked once a cycle in which the channel could start or accept a beat; a true value keeps it from that.

    Attributes
    ----------
    valid, ready : :class:`bool`
        The handshake. ``ready`` is only known where ``valid`` is true or the bench drives it.
    payload
        What the channel carries, where ``valid`` is true.
    """

    def __init__(self, dut: Any, name: str, pause: Iterator[bool] | None = None):
        self.name = name
        self.pause = pause
        self.valid = False
        self.ready = False
        self.payload: Any = None
        self._type = _PAYLOADS[name.rsplit("_", maxsplit=1)[-1]]
        self._fields = [(index, getattr(dut, name + field)) for index, field in enumerate(self._type._fields)
                        if hasattr(dut, name + field)]
        self._valid_pin = getattr(dut, f"{name}valid")
        self._ready_pin = getattr(dut, f"{name}ready")

    @property
    def taken(self) -> bool:
        """Whether a beat has passed at the last edge."""
        return self.valid and self.ready

    def _paused(self) -> bool:
        return self.pause is not None and next(self.pause)


class Source(Channel):
    """A channel that the bench drives.

    ``supply`` is asked for the next beat when one can start; :data:`None` means none in this cycle.
    """

    def __init__(self, dut: Any, name: str, supply: Callable[[], Payload | None], pause: Iterator[bool] | None = None):
        super().__init__(dut, name, pause)
        self._supply = supply
        self._read_ready = _reader(self._ready_pin)
        self._driving: Payload | None = None
        self._driven: list[int | None] = [None] * len(self._type._fields)
        self.reset()

    def reset(self) -> None:
        """Takes back what is offered, as a reset demands."""
        self.valid, self._driving = False, None
        self._valid_pin.value = 0

    def step(self) -> None:
        """One cycle: notes whether the offered beat was taken, and offers the next one."""
        offered = self._driving
        if offered is not None:
            self.valid, self.payload = True, offered
            self.ready = bool(self._read_ready())
            if not self.ready:
                return
        else:
            self.valid = False
        following = None if self._paused() else self._supply()
        if following is not None:
            self._drive(following)
            if offered is None:
                self._valid_pin.value = 1
        elif offered is not None:
            self._valid_pin.value = 0
        self._driving = following

    def _drive(self, payload: Payload) -> None:
        driven = self._driven
        for index, pin in self._fields:
            value = payload[index]
            if driven[index] != value:
                pin.value = driven[index] = value


class Sink(Channel):
    """A channel that the design drives.

    ``accept`` is given each beat that passes. ``has_room`` says whether another may be accepted afterwards.
    """

    def __init__(self, dut: Any, name: str, accept: Callable[[Any], None],
                 has_room: Callable[[], bool] | None = None, pause: Iterator[bool] | None = None):
        super().__init__(dut, name, pause)
        self._accept = accept
        self._has_room = has_room
        self._read_valid = _reader(self._valid_pin)
        self._read_fields = [0] * len(self._type._fields)
        self._readers = [(index, _reader(pin)) for index, pin in self._fields]
        self._driving = False
        self.reset()

    def reset(self) -> None:
        """Accepts nothing, until stepped again."""
        self.valid = self.ready = self._driving = False
        self._ready_pin.value = 0

    def step(self) -> None:
        """One cycle: takes the beat that has passed, and says whether the next one may."""
        self.ready = self._driving
        self.valid = bool(self._read_valid())
        if self.valid:
            values = self._read_fields
            for index, read in self._readers:
                values[index] = read()
            self.payload = self._type._make(values)
            if self.ready:
                self._accept(self.payload)
        driving = (self._has_room is None or self._has_room()) and not self._paused()
        if driving != self._driving:
            self._ready_pin.value = self._driving = driving
