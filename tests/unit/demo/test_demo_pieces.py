"""A file's cut into bursts: every byte once, every burst legal."""

import random

import pytest

from cbit.config import EngineConfig
from cbit_model.access import malformed
from cbit_sim.beats import lanes_of
from cbit_sim.demo.bursts import Bursts
from cbit_sim.demo.pieces import PAGE_BYTES, Kind, cut, pages, runs, shares
from cbit_sim.demo.story import GUEST_1
from cbit_sim.scoreboard import access_of


def covered(pieces, size):
    counts = [0] * size
    for piece in pieces:
        first = piece.offset & -64 if piece.kind is Kind.WRAP else piece.offset
        for offset in range(first, first + piece.size):
            counts[offset] += 1
    return counts


@pytest.mark.parametrize("size", [1, 15, 63, 64, 100, PAGE_BYTES, PAGE_BYTES + 1, 73743])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_byte_is_carried_once_by_legal_bursts(size, seed):
    config = EngineConfig()
    bursts = Bursts(config)
    for pieces in (cut(size, random.Random(seed)), list(pages(size))):
        assert covered(pieces, size) == [1] * size
        made = [bursts.read(GUEST_1, 3 * PAGE_BYTES, piece) for piece in pieces]
        assert not any(malformed(access_of(burst.address, config.asid_width)) for burst in made)


@pytest.mark.parametrize("size", [1, 100, PAGE_BYTES + 1, 20000])
def test_bursts_carry_the_bytes_of_their_pieces_and_no_others(size):
    """A memory of bytes, written by the strobes and read by the beat, ends as the file, and is read as the file."""
    data, start = random.Random(size).randbytes(size), 3 * PAGE_BYTES
    memory, content = bytearray(size + 16), bytearray(size)
    bursts = Bursts(EngineConfig(id_width=2))
    identifiers = set()
    for piece in cut(size, random.Random(1)):
        write, read = bursts.write(GUEST_1, start, piece, data), bursts.read(GUEST_1, start, piece)
        places = [container - start for container, _ in lanes_of(read.address._replace(addr=start + piece.offset), 16)]
        for place, beat in zip(places, write.data, strict=True):
            for lane in range(16):
                if beat.strb >> lane & 1:
                    memory[place + lane] = beat.data >> 8 * lane & 0xFF
            read.read.append(int.from_bytes(memory[place:place + 16], "little"))
        assert [beat.last for beat in write.data] == [0] * read.address.len + [1]
        Bursts.take(content, start, piece, read)
        identifiers |= {write.address.id, read.address.id}
    assert bytes(content) == data
    assert memory == data + bytes(16)
    assert size <= 100 or identifiers == {0, 1, 2, 3}


def test_all_kinds_occur_in_a_file_of_some_size():
    found = shares(cut(1 << 17, random.Random(1)))
    assert set(found) == {kind.value for kind in Kind}
    assert sum(found.values()) == pytest.approx(1)


def test_wrapping_bursts_begin_with_any_block_of_a_line():
    wraps = [piece for piece in cut(1 << 17, random.Random(1)) if piece.kind is Kind.WRAP]
    assert {piece.offset % 64 for piece in wraps} == {0, 16, 32, 48}


def test_runs_join_neighbors_within_a_line():
    found = [(piece.offset, piece.size) for piece in runs([3, 4, 5, 9, 62, 63, 64, 65])]
    assert found == [(3, 3), (9, 1), (62, 2), (64, 2)]
    assert list(runs([])) == []
