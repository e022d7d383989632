"""The table of writes, against a list in the order of allocation."""

import dataclasses
import random

import pytest

from cbit.write.table import WriteTable
from cbit_sim.streams import simulate

ENTRIES = 5
IDS = 3
SLOTS = 3
LINES = [0x100 << 6, 0x100 << 6 | 1, 0x101 << 6, 0x101 << 6 | 63]


@dataclasses.dataclass
class Write:
    """A write in flight as the model has it."""

    index: int
    is_encrypted: bool
    is_final: bool
    id: int
    slot: int
    line: int
    is_sent: bool
    is_answered: bool = False
    is_partial: bool = False

    def overlaps(self, other):
        both = self.is_encrypted and other.is_encrypted
        return self.line == other.line if both else self.line >> 6 == other.line >> 6


class Model:
    """Keeps the writes in the order of their allocation."""

    def __init__(self):
        self.writes = []
        self.blockers = {}

    @property
    def pending(self):
        return [write for write in self.writes if not write.is_answered]

    def add(self, write):
        self.blockers[write.index] = [other for other in self.pending if other.overlaps(write)]
        self.writes.append(write)

    def may_read(self, write):
        return all(other.is_answered for other in self.blockers[write.index])

    def may_go(self, write):
        return all(other.is_answered or not other.is_partial for other in self.blockers[write.index])

    def answer_of(self, identity):
        """The write that DRAM's next answer to this ID belongs to."""
        oldest = next((write for write in self.pending if write.id == identity), None)
        return oldest if oldest is not None and oldest.is_sent else None

    def plain_must_wait(self, identity, line):
        return any(write.is_encrypted and ((not write.is_sent and write.id == identity)
                                           or (write.is_partial and write.line >> 6 == line >> 6))
                   for write in self.pending)


def check(ctx, dut, model, rng):
    assert ctx.get(dut.is_free) == (len(model.writes) < ENTRIES)
    for write in model.pending:
        if write.is_encrypted:
            assert (ctx.get(dut.may_go) >> write.index & 1) == model.may_go(write)
            assert (ctx.get(dut.may_read) >> write.index & 1) == model.may_read(write)
    identity, line, slot = rng.randrange(IDS), rng.choice(LINES), rng.randrange(SLOTS)
    ctx.set(dut.plain_id, identity)
    ctx.set(dut.plain_line, line)
    ctx.set(dut.query_id, identity)
    ctx.set(dut.drain_slot, slot)
    assert ctx.get(dut.plain_must_wait) == model.plain_must_wait(identity, line)
    assert ctx.get(dut.query_hit) == any(write.id == identity for write in model.writes)
    assert ctx.get(dut.drain_busy) == any(write.is_encrypted and write.slot == slot for write in model.pending)
    return identity, line


def choose(ctx, rng, valid, index_port, candidates):
    """Perhaps picks one of the writes and shows its index."""
    picked = rng.choice(candidates) if candidates and rng.random() < 0.6 else None
    ctx.set(valid, picked is not None)
    if picked is not None:
        ctx.set(index_port, picked.index)
    return picked


def answer(ctx, dut, model, rng):
    identity = rng.randrange(IDS)
    ctx.set(dut.respond_id, identity)
    write = model.answer_of(identity)
    responded = ctx.get(dut.responded)
    assert responded.hit == (write is not None)
    ctx.set(dut.respond, rng.random() < 0.6)
    if write is None:
        return None
    assert (responded.index, responded.is_final, responded.is_encrypted) == (
        write.index, write.is_final, write.is_encrypted)
    return write if ctx.get(dut.respond) else None


def allocate(ctx, dut, model, rng, identity, line):
    is_encrypted = rng.random() < 0.6
    enters = len(model.writes) < ENTRIES and rng.random() < 0.7
    if not is_encrypted:
        enters = enters and not model.plain_must_wait(identity, line)
    ctx.set(dut.allocate, enters)
    if not enters:
        return None
    entry = {"is_encrypted": is_encrypted, "is_final": not is_encrypted or rng.random() < 0.5,
             "id": identity, "slot": rng.randrange(SLOTS), "line": line}
    ctx.set(dut.entry, entry)
    index = ctx.get(dut.allocated)
    assert index not in [write.index for write in model.writes]
    return Write(index=index, is_sent=not is_encrypted, **entry)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_a_list(seed):
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = WriteTable(entries=ENTRIES, c_bit=24, id_width=2, slot_width=2)
    deepest = 0

    async def testbench(ctx):
        nonlocal deepest
        model = Model()
        for _ in range(1200):
            identity, line = check(ctx, dut, model, rng)
            partial = choose(ctx, rng, dut.partial, dut.partial_index, [
                write for write in model.writes[-1:] if write.is_encrypted and not write.is_sent])
            unsent = [write for write in model.pending if not write.is_sent and write is not partial]
            sent = choose(ctx, rng, dut.send, dut.send_index, [write for write in unsent[:1] if model.may_go(write)])
            answered = answer(ctx, dut, model, rng)
            delivered = choose(ctx, rng, dut.deliver, dut.deliver_index, [
                write for write in model.writes if write.is_answered and write.is_final])
            entering = allocate(ctx, dut, model, rng, identity, line)
            await ctx.tick()
            if partial is not None:
                partial.is_partial = True
            if sent is not None:
                sent.is_sent = True
            if answered is not None:
                answered.is_answered = True
                if not answered.is_final:
                    model.writes.remove(answered)
            if delivered is not None:
                model.writes.remove(delivered)
            if entering is not None:
                model.add(entering)
            deepest = max(deepest, len(model.writes))

    simulate(dut, testbench)
    assert deepest == ENTRIES
