"""A memory behind an AXI4 port in Amaranth's own simulator, for tests of single components."""

import enum
import random
from collections import deque
from types import SimpleNamespace
from typing import Any

from cbit_sim.beats import CHANNELS, Address, WriteData, lanes_of
from cbit_sim.checker import Checker

__all__ = ["AxiMemory", "sampled_channels", "seen_channels"]


def sampled_channels(port: Any) -> list[Any]:
    """What is to be sampled each cycle for :func:`seen_channels`."""
    return [part for name in CHANNELS for part in (getattr(port, name).valid, getattr(port, name).ready,
                                                   getattr(port, name).payload)]


def seen_channels(values: list[Any]) -> dict[str, Any]:
    """The channels of a port as :class:`~cbit_sim.checker.Checker` wants them, of what was sampled."""
    return {name: SimpleNamespace(valid=bool(values[3 * index]), ready=bool(values[3 * index + 1]),
                                  payload=_beat(beat, values[3 * index + 2]))
            for index, (name, beat) in enumerate(CHANNELS.items())}


def _beat(beat: Any, payload: Any) -> Any:
    names = payload.shape().members
    return beat(**{name: _plain(getattr(payload, name)) for name in beat._fields if name in names})


def _plain(value: Any) -> int:
    return int(value.value if isinstance(value, enum.Enum) else value)


class AxiMemory:
    """A memory that keeps the rules of AXI4 and sees that the manager does.

    Bursts are answered in the order in which they come, reads and writes independently, after all beats of W.

    Parameters
    ----------
    port
        The manager's port of a component in simulation.
    size_bytes : :class:`int`
        Bytes from address 0 on; the memory repeats after them.
    rng : :class:`random.Random`
        Chooses the contents and the pauses.
    stalls : :class:`float`
        How often a channel holds back, from 0 to 1.

    Attributes
    ----------
    memory : :class:`bytearray`
        The contents.
    errors : :class:`dict`
        Address of a beat to the response that it gets. A write of such a beat changes nothing.
    reads, writes : list of :class:`~cbit_sim.beats.Address`
        The bursts, in order.
    strobed : set of :class:`int`
        Addresses of all bytes that were written.
    """

    def __init__(self, port: Any, *, size_bytes: int, rng: random.Random, stalls: float = 0.0):
        self.port = port
        self.rng = rng
        self.stalls = stalls
        self.memory = bytearray(rng.randbytes(size_bytes))
        self.errors: dict[int, int] = {}
        self.reads: list[Address] = []
        self.writes: list[Address] = []
        self.strobed: set[int] = set()
        self.checker = Checker("m_axi", bus_bytes=len(port.w.payload.strb))
        self._data: deque[WriteData] = deque()
        self._unwritten: deque[Address] = deque()
        self._answers: dict[str, deque[dict[str, int]]] = {"b": deque(), "r": deque()}

    async def serve(self, ctx: Any) -> None:
        """The testbench, which runs in the background."""
        while True:
            for name in ("aw", "w", "ar"):
                ctx.set(getattr(self.port, name).ready, self.rng.random() >= self.stalls)
            _, _, *values = await ctx.tick().sample(*sampled_channels(self.port))
            channels = seen_channels(values)
            self.checker.observe(**channels)
            self._take(channels)
            for name, answers in self._answers.items():
                self._offer(ctx, getattr(self.port, name), answers, channels[name])

    def _offer(self, ctx: Any, channel: Any, answers: deque[dict[str, int]], seen: Any) -> None:
        if seen.valid and not seen.ready:
            return
        offers = bool(answers) and self.rng.random() >= self.stalls
        ctx.set(channel.valid, offers)
        if offers:
            ctx.set(channel.payload, answers.popleft())

    def _take(self, channels: dict[str, Any]) -> None:
        if channels["ar"].valid and channels["ar"].ready:
            self._read(channels["ar"].payload)
        if channels["aw"].valid and channels["aw"].ready:
            self._unwritten.append(channels["aw"].payload)
        if channels["w"].valid and channels["w"].ready:
            self._data.append(channels["w"].payload)
        while self._unwritten and len(self._data) > self._unwritten[0].len:
            self._write(self._unwritten.popleft())

    def _read(self, address: Address) -> None:
        self.reads.append(address)
        for number, (place, _) in enumerate(lanes_of(address, self.checker.bus_bytes)):
            start = place % len(self.memory)
            data = self.memory[start:start + self.checker.bus_bytes]
            self._answers["r"].append({"id": address.id, "data": int.from_bytes(data, "little"),
                                       "resp": self.errors.get(place, 0), "last": number == address.len})

    def _write(self, address: Address) -> None:
        self.writes.append(address)
        response = 0
        for place, _ in lanes_of(address, self.checker.bus_bytes):
            beat = self._data.popleft()
            error = self.errors.get(place, 0)
            response = response or error
            for lane, byte in enumerate(beat.data.to_bytes(self.checker.bus_bytes, "little")):
                if beat.strb >> lane & 1 and not error:
                    self.strobed.add(place + lane)
                    self.memory[(place + lane) % len(self.memory)] = byte
        self._answers["b"].append({"id": address.id, "resp": response})
