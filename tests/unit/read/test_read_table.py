"""The table of bursts in flight, against a list in the order of allocation."""

import dataclasses
import random

import pytest

from cbit.read.entry import MERGE_ENTRIES, ReadKind
from cbit.read.table import ReadTable
from cbit_sim.streams import simulate

ENTRIES = MERGE_ENTRIES + 4
IDS = 3
SLOTS = 3


@dataclasses.dataclass
class Reading:
    """A burst in flight as the model has it."""

    index: int
    kind: ReadKind
    id: int
    slot: int
    first_block: int
    beats: int
    came: int = 0
    is_slow: bool = False
    is_decrypted: bool = False

    @property
    def is_waiting(self):
        return self.came < self.beats


class Model:
    """Keeps the bursts in the order of their allocation."""

    def __init__(self):
        self.bursts = []

    def is_free(self, indices):
        return any(index not in [burst.index for burst in self.bursts] for index in indices)

    def earlier(self, burst):
        """Managers' bursts of its ID that must be delivered before it."""
        before = self.bursts[:self.bursts.index(burst)]
        return [other for other in before if other.id == burst.id and other.kind is not ReadKind.MERGE]

    def next_of(self, identity):
        """The burst that DRAM's next beat of this ID belongs to."""
        return next((burst for burst in self.bursts if burst.id == identity and burst.is_waiting), None)


MANAGERS = range(ENTRIES - MERGE_ENTRIES)
MERGES = range(ENTRIES - MERGE_ENTRIES, ENTRIES)


def check(ctx, dut, model, rng):
    assert ctx.get(dut.manager_free) == model.is_free(MANAGERS)
    assert ctx.get(dut.merge_free) == model.is_free(MERGES)
    for burst in model.bursts:
        assert ctx.get(dut.slots[burst.index]) == burst.slot
        if burst.kind is not ReadKind.MERGE:
            assert (ctx.get(dut.first_in_line) >> burst.index & 1) == (not model.earlier(burst))
    slot, identity = rng.randrange(SLOTS), rng.randrange(IDS)
    ctx.set(dut.drain_slot, slot)
    ctx.set(dut.query_id, identity)
    assert ctx.get(dut.drain_busy) == any(burst.slot == slot and burst.kind is not ReadKind.PLAIN
                                          and not burst.is_decrypted for burst in model.bursts)
    assert ctx.get(dut.query_hit) == any(burst.id == identity and burst.kind is not ReadKind.MERGE
                                         for burst in model.bursts)


def receive(ctx, dut, model, rng):
    """Offers a beat of DRAM; what is to happen at the clock edge."""
    identity = rng.randrange(IDS)
    ctx.set(dut.receive_id, identity)
    burst = model.next_of(identity)
    received = ctx.get(dut.received)
    assert received.hit == (burst is not None)
    if burst is None:
        ctx.set(dut.receive, rng.random() < 0.5)
        return lambda: None
    must_wait = burst.is_slow or burst.kind is not ReadKind.PLAIN or any(
        other.is_slow or other.kind is not ReadKind.PLAIN for other in model.earlier(burst))
    assert received.index == burst.index
    assert received.kind == burst.kind
    assert received.block == (burst.first_block + burst.came) % 4
    if burst.kind is ReadKind.PLAIN:
        assert received.must_wait == must_wait
    comes = rng.random() < 0.7
    ctx.set(dut.receive, comes)
    ctx.set(dut.receive_last, burst.came == burst.beats - 1)

    def commit():
        burst.came += comes
        burst.is_slow |= comes and must_wait
    return commit


def decrypt(ctx, dut, model, rng):
    """Says of an encrypted burst, all of whose beats have come, that its last block is decrypted."""
    ready = [burst for burst in model.bursts
             if burst.kind is not ReadKind.PLAIN and not burst.is_waiting and not burst.is_decrypted]
    burst = rng.choice(ready) if ready and rng.random() < 0.6 else None
    ctx.set(dut.decrypt, burst is not None)
    if burst is not None:
        ctx.set(dut.decrypt_index, burst.index)
    return burst


def deliver(ctx, dut, model, rng):
    """Ends a burst all of whose beats have come and are decrypted, in the order of its ID."""
    done = [burst for burst in model.bursts
            if not burst.is_waiting and (burst.is_decrypted or burst.kind is ReadKind.PLAIN)]
    leaving = []
    for port, index_port, kinds in ((dut.deliver, dut.deliver_index, (ReadKind.PLAIN, ReadKind.ENCRYPTED)),
                                    (dut.merge, dut.merge_index, (ReadKind.MERGE,))):
        ready = [burst for burst in done if burst.kind in kinds
                 and (burst.kind is ReadKind.MERGE or not model.earlier(burst))]
        leaves = bool(ready) and rng.random() < 0.6
        ctx.set(port, leaves)
        if leaves:
            leaving.append(rng.choice(ready))
            ctx.set(index_port, leaving[-1].index)
    return leaving


def allocate(ctx, dut, model, rng):
    """Enters a burst if there is room for it."""
    kind = rng.choice(list(ReadKind))
    rooms = MERGES if kind is ReadKind.MERGE else MANAGERS
    enters = model.is_free(rooms) and rng.random() < 0.7
    ctx.set(dut.allocate, enters)
    if not enters:
        return None
    first = rng.randrange(4)
    beats = {ReadKind.PLAIN: rng.randint(1, 4), ReadKind.ENCRYPTED: rng.randint(1, 4 - first), ReadKind.MERGE: 1}[kind]
    entry = {"kind": kind, "id": rng.randrange(IDS), "slot": rng.randrange(SLOTS), "first_block": first}
    ctx.set(dut.entry, entry)
    index = ctx.get(dut.allocated)
    assert index in rooms
    assert index not in [burst.index for burst in model.bursts]
    return Reading(index=index, beats=beats, **entry)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_a_list(seed):
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = ReadTable(entries=ENTRIES, id_width=2, slot_width=2, blocks=16)
    deepest = 0

    async def testbench(ctx):
        nonlocal deepest
        model = Model()
        for _ in range(1200):
            check(ctx, dut, model, rng)
            commit_beat = receive(ctx, dut, model, rng)
            leaving = deliver(ctx, dut, model, rng)
            decrypted = decrypt(ctx, dut, model, rng)
            entering = allocate(ctx, dut, model, rng)
            await ctx.tick()
            commit_beat()
            for burst in leaving:
                model.bursts.remove(burst)
            if decrypted is not None:
                decrypted.is_decrypted = True
            if entering is not None:
                model.bursts.append(entering)
            deepest = max(deepest, len(model.bursts))

    simulate(dut, testbench)
    assert deepest == ENTRIES
