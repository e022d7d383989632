"""A file's cut into bursts: every byte once, every burst legal."""

import random

import pytest

from cbit_model.access import malformed
from cbit_sim.demo.model_actor import access_of
from cbit_sim.demo.pieces import PAGE_BYTES, Kind, cut, pages, runs, shares
from cbit_sim.demo.story import GUEST_1


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
    for pieces in (cut(size, random.Random(seed)), list(pages(size))):
        assert covered(pieces, size) == [1] * size
        assert not any(malformed(access_of(GUEST_1, 3 * PAGE_BYTES, piece, 47)) for piece in pieces)


def test_all_kinds_occur_in_a_file_of_some_size():
    found = shares(cut(1 << 17, random.Random(1)))
    assert set(found) == {kind.value for kind in Kind}
    assert sum(found.values()) == pytest.approx(1)


def test_wrapping_bursts_stay_within_what_one_burst_can_carry():
    wraps = [piece for piece in cut(1 << 17, random.Random(1)) if piece.kind is Kind.WRAP]
    assert {piece.offset % 64 for piece in wraps} == {0, 16, 32, 48}
    assert all(piece.offset % PAGE_BYTES + 64 <= PAGE_BYTES for piece in wraps)


def test_runs_join_neighbors_within_a_line():
    found = [(piece.offset, piece.size) for piece in runs([3, 4, 5, 9, 62, 63, 64, 65])]
    assert found == [(3, 3), (9, 1), (62, 2), (64, 2)]
    assert list(runs([])) == []
