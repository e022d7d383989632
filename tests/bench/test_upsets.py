"""Flipped bits of control registers: what leaks without guard, and that nothing does with it."""

from collections import Counter

import pytest

from cbit.config import SBox, preset
from cbit_cli.configuration import changed
from cbit_cli.upsets.campaign import struck
from cbit_fpga.store import Store
from cbit_sim.upset import Outcome

SMALL = {"pipelined_writes": False, "sbox": SBox.TABLE, "unroll": 2, "asid_count": 8, "id_width": 2, "addr_width": 32,
         "c_bit": 31}

LEAKING = [
    "control.switches.mode.tsme", "read_front.slice.entry_1.slot[0]", "read_front.slice.entry_1.route[1]",
    "read_front.slice.entry_0.id[0]", "write_front.slice.entry_0.route[0]", "write_front.slice.entry_1.len[4]",
    "write_front.slice.entry_0.extent.chunks_after[1]", "write.steer.left[1]", "read.decrypt.waiting.some",
    "write.encrypt.beats.read__addr[0]", "read.deliver.decrypted.front.level[0]", "write.turns.queue.level[0]"]
"""Bits whose flip has leaked: of a mode, a slot, routes, lengths, an ID, a count of beats, queues. Not every flip
does."""

SEEDS = range(1, 5)


def engine(preset_name, **settings):
    return changed(preset(preset_name), SMALL | settings)


@pytest.mark.slow
def test_bits_that_leak_are_detected_if_guarded():
    found = {}
    for guarded in (False, True):
        config = engine("low-latency", guarded=guarded)
        found[guarded] = Counter(one.outcome for seed in SEEDS
                                 for one in struck(config, seed=seed, store=Store(), names=LEAKING).struck)
    assert found[False][Outcome.LEAKING] >= len(LEAKING) // 2
    assert found[True] == {Outcome.DETECTED: len(SEEDS) * len(LEAKING)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["low-latency", "streaming"])
def test_a_sample_of_a_guarded_engine_leaks_nothing(name):
    report = struck(engine(name, guarded=True), seed=2, store=Store(), count=400)
    print(report.table())
    assert report.counts[Outcome.LEAKING] == 0
    assert report.counts[Outcome.DETECTED] > report.counts[Outcome.SILENT] + report.counts[Outcome.MASKED]
