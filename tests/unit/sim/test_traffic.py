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


@pytest.mark.parametrize("ids", [1, 2, 4, _IDS, 16])
@pytest.mark.parametrize("block", range(0, 8 * 64, 16))
def test_every_byte_has_one_owner(block, ids):
    masks = [owner_mask(block, identifier, ids) for identifier in range(ids)]
    assert sum(masks) == ALL_LANES
    assert all(left & right == 0 for index, left in enumerate(masks) for right in masks[index + 1:])


@pytest.mark.parametrize("name", [*PATTERNS, "mixed"])
def test_pauses_never_stop_for_good(name):
    for channel, pattern in pauses(name, 4).items():
        assert channel in CHANNELS
        assert not all(next(pattern) for _ in range(200))


def test_unknown_pause_is_refused():
    patterns = "none, light, heavy, bursty, alternate, frozen"
    with pytest.raises(ValueError, match=f"Pattern must be one of {patterns}, not 'much'"):
        pauses("much", 1)


def test_a_new_ground_keeps_its_exclusive_page_from_others():
    model, traffic = _traffic(11, denied=0.0)
    before = traffic.ground
    traffic.ground = Ground(list(before.slots), [page for page in range(16) if before.slots[page] is None][-1:])
    assert traffic.ground.exclusive_pages != before.exclusive_pages
    for _ in range(2000):
        address = traffic.next().address
        page = (address.addr & ~(1 << model.c_bit)) // PAGE_BYTES
        assert address.lock or page not in traffic.ground.exclusive_pages


def test_where_nobody_may_go_all_are_refused():
    model, traffic = _traffic(12, denied=0.0)
    model.reset()
    model.set_mode(sme=False, tsme=True, sev=False)
    traffic.ground = Ground.random(16, [], random.Random(1), plain=False)
    for _ in range(20):
        access = access_of(traffic.next().address, 4)
        assert decide(access, mode=model.mode, active=(), asid_count=12, c_bit=47).violation is not None


@pytest.mark.parametrize("slot", [0, 1, 7])
def test_accesses_do_not_depend_on_an_unsettled_slot(slot):
    model, traffic = _traffic(13)
    traffic.unsettled = slot
    traffic.ground = Ground.random(16, sorted(model.slots.active - {slot}), random.Random(2))
    users = collections.Counter()
    for _ in range(1500):
        access = access_of(traffic.next().address, 4)
        settled, *others = [decide(access, mode=model.mode, active=active, asid_count=12, c_bit=47)
                            for active in (model.slots.active - {slot}, model.slots.active | {slot})]
        assert others == [settled]
        users[settled.slot] += 1
    assert set(model.slots.active - {slot}) < set(users)
