"""Random traffic holds what it promises: repeatable, on its ground, with every kind of refusal."""

import collections
import random

import pytest

from cbit_model.access import Violation, decide
from cbit_model.memory import ALL_LANES, Memory
from cbit_sim.pauses import CHANNELS, PATTERNS, pauses
from cbit_sim.scoreboard import access_of
from cbit_sim.traffic import PAGE_BYTES, Ground, Traffic, owner_mask

_IDS = 8


def _traffic(seed: int, *, c_bit: int = 47, addr_width: int = 48, asid_count: int = 12,
             denied: float = 0.3) -> tuple[Memory, Traffic]:
    model = Memory(size_bytes=16 * PAGE_BYTES, c_bit=c_bit, addr_width=addr_width, asid_count=asid_count)
    for slot in (0, 1, 5):
        model.install(slot, bytes([slot]) * 16, bytes([slot + 100]) * 16)
    model.set_mode(sme=True, tsme=False, sev=True)
    model.release()
    ground = Ground.random(16, [0, 1, 5], random.Random(seed))
    return model, Traffic(model, ground, asid_width=4, ids=_IDS, seed=seed, denied=denied)


def test_the_same_seed_gives_the_same_traffic():
    first, second = (_traffic(7)[1] for _ in range(2))
    for _ in range(200):
        left, right = first.next(), second.next()
        assert (left.address, left.data) == (right.address, right.data)


def test_every_refusal_occurs_and_the_allowed_keep_to_their_ground():
    model, traffic = _traffic(3, c_bit=44)
    seen = collections.Counter()
    for _ in range(6000):
        transaction = traffic.next()
        access = access_of(transaction.address, 4)
        decision = decide(access, mode=model.mode, active=model.slots.active, asid_count=12, c_bit=44)
        seen[decision.violation] += 1
        if decision.violation is None:
            page = (access.address & ~(1 << 44)) // PAGE_BYTES
            assert traffic.ground.slots[page] == decision.slot
            assert access.lock or page not in traffic.ground.exclusive_pages
    possible = set(Violation) - {Violation.SEV_OFF, Violation.SME_OFF}
    assert possible | {None} == set(seen), seen


def test_writers_keep_to_their_bytes():
    model, traffic = _traffic(5, denied=0.0)
    for _ in range(2000):
        transaction = traffic.next()
        if transaction.data is None or transaction.address.lock:
            continue
        for beat in transaction.data:
            assert beat.strb == 0 or any(
                beat.strb & ~owner_mask(block, transaction.address.id, _IDS) == 0
                for block in range(0, 16 * PAGE_BYTES, 16))
    assert model.violations.first is None


@pytest.mark.parametrize("block", range(0, 8 * 64, 16))
def test_every_byte_has_one_owner(block):
    masks = [owner_mask(block, identifier, _IDS) for identifier in range(_IDS)]
    assert sum(masks) == ALL_LANES
    assert all(left & right == 0 for index, left in enumerate(masks) for right in masks[index + 1:])


@pytest.mark.parametrize("name", [*PATTERNS, "mixed"])
def test_pauses_never_stop_for_good(name):
    for channel, pattern in pauses(name, 4).items():
        assert channel in CHANNELS
        assert not all(next(pattern) for _ in range(200))


def test_unknown_pause_is_refused():
    with pytest.raises(ValueError, match="Pattern must be one of none, light, heavy, bursty, alternate, not 'much'"):
        pauses("much", 1)
