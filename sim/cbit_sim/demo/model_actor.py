"""The golden model acts the story: what each observer must see."""

from collections.abc import Mapping
from typing import Any

from cbit_model.access import BLOCK_BYTES, Access, Burst, Response, burst_beats
from cbit_model.memory import ALL_LANES, Memory, WriteBeat
from cbit_sim.demo.pieces import Kind, Piece
from cbit_sim.demo.story import Dump, Move, Read, Story, View, Write, make_keys

__all__ = ["Observation", "access_of", "act"]

Observation = tuple[bytes, Response]
"""What was seen, and the worst response on the way."""


def access_of(view: View, start: int, piece: Piece, c_bit: int) -> Access:
    """The burst of a piece of a file that begins at ``start``."""
    first = start + piece.offset
    length = -(-(first % piece.beat_bytes + piece.size) // piece.beat_bytes)
    burst = Burst.WRAP if piece.kind is Kind.WRAP else Burst.INCR
    return Access(address=first | view.c_bit << c_bit, asid=view.asid, length=length,
                  size=piece.beat_bytes.bit_length() - 1, burst=burst)


def act(story: Story, config: Mapping[str, Any]) -> dict[str, Observation]:
    """The observations of a story, by name.

    Parameters
    ----------
    story : :class:`~cbit_sim.demo.story.Story`
        What happens.
    config : mapping
        The fields of :class:`cbit.config.EngineConfig`.
    """
    memory = Memory(size_bytes=story.dram_bytes,
                    **{name: config[name] for name in ("addr_width", "c_bit", "asid_count", "key_bits",
                                                       "data_unit_bytes")})
    memory.dram.content[:] = story.dram_at_first
    for slot, keys in make_keys(story.seed, config["key_bits"]).items():
        memory.install(slot, *keys)
    memory.set_mode(sme=True, tsme=False, sev=True)
    memory.release()
    seen: dict[str, Observation] = {}
    for step in story.steps:
        match step:
            case Write():
                _write(memory, step)
            case Read():
                seen[step.name] = _read(memory, step)
            case Dump():
                seen[step.name] = (bytes(memory.dram.content), Response.OKAY)
            case Move():
                content = memory.dram.content
                content[step.target:step.target + step.size] = content[step.source:step.source + step.size]
    return seen


def _write(memory: Memory, step: Write) -> None:
    for piece in step.pieces:
        access = access_of(step.view, step.start, piece, memory.c_bit)
        end = BLOCK_BYTES if piece.kind is Kind.WRAP else piece.offset + piece.size
        beats = []
        for container, lanes in burst_beats(step.start + piece.offset, access.length, access.size, access.burst):
            offset = container - step.start
            if piece.kind is not Kind.WRAP and end - offset < BLOCK_BYTES:
                lanes &= (1 << (end - offset)) - 1
            beats.append(WriteBeat(step.data[offset:offset + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0"), lanes))
        response = memory.write(access, beats)
        assert response == Response.OKAY


def _read(memory: Memory, step: Read) -> Observation:
    content = bytearray(step.size)
    worst = Response.OKAY
    for piece in step.pieces:
        access = access_of(step.view, step.start, piece, memory.c_bit)
        places = burst_beats(step.start + piece.offset, access.length, access.size, access.burst)
        for (container, lanes), beat in zip(places, memory.read(access), strict=True):
            worst = max(worst, beat.response)
            _take(beat.data, lanes, content, container - step.start)
    return bytes(content), worst


def _take(data: bytes, lanes: int, content: bytearray, offset: int) -> None:
    """Copies the lanes of a beat that lie within the content."""
    if lanes == ALL_LANES and offset + BLOCK_BYTES <= len(content):
        content[offset:offset + BLOCK_BYTES] = data
        return
    for lane in range(min(BLOCK_BYTES, len(content) - offset)):
        if lanes >> lane & 1:
            content[offset + lane] = data[lane]
