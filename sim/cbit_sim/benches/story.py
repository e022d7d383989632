"""The engine acts the story, through cocotbext-axi's manager and register ports.

Parameters: ``file``, path of the bytes; ``seed``; ``folder``, where each observation is left in a file, numbered as in
the story. Report: ``responses``, the worst of each observation.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cocotb
from cocotbext.axi import AxiBurstType, AxiBus, AxiMaster

from cbit_model.access import Response
from cbit_model.dram import LINE_BYTES
from cbit_sim.clocked import Clocked, start_clock
from cbit_sim.demo.pieces import Kind, Piece
from cbit_sim.demo.story import Dump, Move, Read, Step, Story, View, Write, make_keys
from cbit_sim.dram import Dram, Personality
from cbit_sim.psp import PspPort
from cbit_sim.session import Session, current_session
from cbit_sim.traffic import user_bits

_RESET_CYCLES = 8
_WORKERS = 16
_PARTS = 200
"""Lines of progress in a run."""


class _Progress:
    """Bytes done of those of the whole story."""

    def __init__(self, session: Session, steps: Sequence[Step]):
        self._session = session
        self._total = sum(piece.size for step in steps if isinstance(step, Write | Read) for piece in step.pieces)
        self._done = 0
        self._told = 0

    def add(self, size: int, text: str) -> None:
        self._done += size
        part = self._done * _PARTS // self._total
        if part > self._told:
            self._told = part
            self._session.progress(self._done / self._total, text)


class _Actor:
    """The engine between cocotbext-axi and a DRAM model."""

    def __init__(self, dut: Any, session: Session, story: Story):
        self._dut = dut
        self._story = story
        self._config = session.config
        self._asid_width = (int(session.config["asid_count"]) - 1).bit_length()
        self._progress = _Progress(session, story.steps)
        dut.rst.value = 1
        start_clock(dut)
        self.clocked = Clocked(dut)
        self.clocked.held = True
        self.dram = Dram(dut, self.clocked, size_bytes=story.dram_bytes, seed=story.seed,
                         bus_bytes=int(session.config["data_width"]) // 8,
                         personality=Personality(latency_cycles=(20, 40)))
        self.dram.memory[:] = story.dram_at_first
        self._psp = PspPort(dut)
        self._master = AxiMaster(AxiBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
        for half in (self._master.write_if, self._master.read_if):
            half.log.setLevel(logging.WARNING)
        self.seen: list[bytes] = []
        self.responses: list[int] = []

    async def start(self) -> None:
        """Reset; then the security processor gives keys to the host and two guests, and releases the host."""
        await self.clocked.cycles(_RESET_CYCLES)
        self._dut.rst.value = 0
        self.clocked.held = False
        await self.clocked.cycles(1)
        await self._psp.wait_ready()
        for slot, keys in make_keys(self._story.seed, self._config["key_bits"]).items():
            await self._psp.install_key(slot, *keys)
        await self._psp.set_mode(sme=True, sev=True)
        await self._psp.lock()
        await self._psp.release()

    async def act(self, step: Step) -> None:
        """One step, to its end."""
        match step:
            case Write():
                await self._spread(step.pieces, lambda piece: self._write(step, piece))
            case Read():
                content = bytearray(step.size)
                responses = [Response.OKAY]
                await self._spread(step.pieces, lambda piece: self._read(step, piece, content, responses))
                self._observe(content, max(responses))
            case Dump():
                self._observe(self.dram.memory, Response.OKAY)
            case Move():
                memory = self.dram.memory
                memory[step.target:step.target + step.size] = memory[step.source:step.source + step.size]

    def _observe(self, content: bytearray, response: Response) -> None:
        self.seen.append(bytes(content))
        self.responses.append(response)

    async def _spread(self, pieces: Sequence[Piece], perform: Any) -> None:
        """All pieces, several at a time."""
        waiting = iter(pieces)
        for worker in [cocotb.start_soon(self._work(waiting, perform)) for _ in range(_WORKERS)]:
            await worker

    async def _work(self, waiting: Iterator[Piece], perform: Any) -> None:
        for piece in waiting:
            await perform(piece)

    def _burst(self, view: View, start: int, piece: Piece) -> dict[str, Any]:
        return {"address": start + piece.offset | view.c_bit << self._config["c_bit"],
                "size": piece.beat_bytes.bit_length() - 1, "user": user_bits(self._asid_width, asid=view.asid),
                "burst": AxiBurstType.WRAP if piece.kind is Kind.WRAP else AxiBurstType.INCR}

    async def _write(self, step: Write, piece: Piece) -> None:
        data = b"".join(step.data[begin:end] for begin, end in _in_bus_order(piece))
        answer = await self._master.write(data=data, **self._burst(step.view, step.start, piece))
        assert answer.resp == Response.OKAY, f"{step.view.name} writes {step.start + piece.offset:#x}: {answer.resp!r}"
        self._progress.add(piece.size, f"{step.view.name} writes")

    async def _read(self, step: Read, piece: Piece, content: bytearray, responses: list[Response]) -> None:
        answer = await self._master.read(length=piece.size, **self._burst(step.view, step.start, piece))
        responses.append(Response(answer.resp))
        taken = 0
        for begin, end in _in_bus_order(piece):
            content[begin:end] = answer.data[taken:taken + end - begin]
            taken += end - begin
        self._progress.add(piece.size, f"{step.name.replace(': ', ' reads ', 1)}")


def _in_bus_order(piece: Piece) -> list[tuple[int, int]]:
    """Begin and end of the parts of a file that a piece carries, in the order in which they pass."""
    if piece.kind is not Kind.WRAP:
        return [(piece.offset, piece.offset + piece.size)]
    line = piece.offset & -LINE_BYTES
    return [(piece.offset, line + LINE_BYTES), (line, piece.offset)]


@cocotb.test()
async def act_story(dut: Any) -> None:
    """The whole story."""
    session = current_session()
    story = Story(Path(session.parameters["file"]).read_bytes(), seed=session.parameters["seed"])
    actor = _Actor(dut, session, story)
    await actor.start()
    for step in story.steps:
        await actor.act(step)
    folder = Path(session.parameters["folder"])
    for number, content in enumerate(actor.seen):
        (folder / str(number)).write_bytes(content)
    session.report(cycles=actor.clocked.cycle, responses=actor.responses)
