"""The golden model at an AXI4 port in Amaranth's own simulator, for gateware that is a manager."""

import random
from typing import Any, NamedTuple

from amaranth.hdl import Value

from cbit_model.access import Access, Burst, Response
from cbit_model.memory import Memory, WriteBeat

__all__ = ["Beat", "GoldenPort"]

_MOST_WAITING = 16
_LONGEST_WAIT = 40


class Beat(NamedTuple):
    """A beat of R."""

    id: int
    data: int
    resp: Response
    last: bool


class GoldenPort:
    """A subordinate that answers as the golden model says, late, and in a random order where AXI4 leaves it open.

    What it does is spread over methods, so that a test may do one of them wrongly.

    Parameters
    ----------
    port
        The AXI4 port of the component under test.
    memory : :class:`~cbit_model.memory.Memory`
        Who answers.
    seed : :class:`int`
        Of times and order.
    """

    def __init__(self, port: Any, memory: Memory, *, seed: int):
        self.memory = memory
        self.rng = random.Random(seed)
        self._port = port
        self._cycle = 0
        self._asid_width = (memory.asid_count - 1).bit_length()
        self._addresses: list[Access] = []
        self._data: list[list[WriteBeat]] = [[]]
        self._answers: dict[str, list[tuple[int, list[Any]]]] = {"r": [], "b": []}

    def read(self, access: Access) -> list[Beat]:
        """Carries out a read."""
        beats = self.memory.read(access)
        return [Beat(access.id, int.from_bytes(beat.data, "little"), beat.response, number == len(beats))
                for number, beat in enumerate(beats, 1)]

    def write(self, access: Access, beats: list[WriteBeat]) -> Response:
        """Carries out a write."""
        return self.memory.write(access, beats)

    def oldest(self, answers: list[tuple[int, list[Any]]], number: int) -> bool:
        """Whether no answer before that of ``number`` is of its ID."""
        return all(other[0].id != answers[number][1][0].id for _, other in answers[:number])

    async def run(self, ctx: Any) -> None:
        """A testbench that never ends."""
        port = self._port
        offered: dict[str, Any] = {"r": None, "b": None}
        while True:
            readies = {name: self.rng.random() < 0.8 and len(self._answers["r"]) < _MOST_WAITING
                       for name in ("ar", "aw", "w")}
            for name, ready in readies.items():
                ctx.set(getattr(port, name).ready, ready)
            for name, offer in offered.items():
                ctx.set(getattr(port, name).valid, offer is not None)
                if offer is not None:
                    ctx.set(getattr(port, name).payload, offer)
            *_, ar, ar_burst, ar_valid, aw, aw_burst, aw_valid, w, w_valid, r_ready, b_ready = await ctx.tick().sample(
                port.ar.payload, Value.cast(port.ar.payload.burst), port.ar.valid, port.aw.payload,
                Value.cast(port.aw.payload.burst), port.aw.valid, port.w.payload, port.w.valid, port.r.ready,
                port.b.ready)
            self._cycle += 1
            if ar_valid and readies["ar"]:
                self._answer("r", self.read(self._access(ar, ar_burst)))
            if aw_valid and readies["aw"]:
                self._addresses.append(self._access(aw, aw_burst))
            if w_valid and readies["w"]:
                self._data[-1].append(WriteBeat(w.data.to_bytes(16, "little"), w.strb))
                if w.last:
                    self._data.append([])
            if self._addresses and len(self._data) > 1:
                access = self._addresses.pop(0)
                self._answer("b", [self._response(access, self.write(access, self._data.pop(0)))])
            for name, ready in (("r", r_ready), ("b", b_ready)):
                if ready or offered[name] is None:
                    offered[name] = self._next(name)

    def _access(self, payload: Any, burst: int) -> Access:
        user = payload.user >> self._asid_width
        return Access(address=payload.addr, asid=payload.user & ((1 << self._asid_width) - 1), npt_c=bool(user & 1),
                      dma=bool(user & 2), walk=bool(user & 4), prot=payload.prot, id=payload.id,
                      length=payload.len + 1, size=payload.size, burst=Burst(burst))

    def _response(self, access: Access, response: Response) -> Any:
        return Beat(access.id, 0, response, last=True)

    def _answer(self, name: str, beats: list[Beat]) -> None:
        self._answers[name].append((self._cycle + self.rng.randrange(_LONGEST_WAIT), beats))

    def _next(self, name: str) -> dict[str, Any] | None:
        """A beat of an answer that may come now."""
        answers = self._answers[name]
        due = [number for number, (cycle, _) in enumerate(answers)
               if cycle <= self._cycle and self.oldest(answers, number)]
        if not due:
            return None
        number = self.rng.choice(due)
        beat = answers[number][1].pop(0)
        if not answers[number][1]:
            del answers[number]
        fields = {"id": beat.id, "resp": beat.resp.value}
        return fields | ({"data": beat.data, "last": beat.last} if name == "r" else {})
