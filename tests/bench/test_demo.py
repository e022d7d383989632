"""The demonstration with gateware: the golden model agrees, and the measurements are the contract's."""

import random

import pytest

from cbit.config import EngineConfig, preset
from cbit_sim.demo.actor import act
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.judge import compare, compare_owners
from cbit_sim.demo.platforms import GoldenPlatform
from cbit_sim.demo.story import Story
from cbit_sim.runner import simulate
from cbit_sim.simulated_platform import SimulatedPlatform

COST_CONFIG = EngineConfig(unroll=2)
"""An engine that other tests build, too."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["streaming", "compact"])
def test_a_platform_acts_the_story_as_the_model_does(monkeypatch, name):
    """Its guests are launched from a page, and write what follows."""
    monkeypatch.setattr("cbit_sim.demo.story.LARGEST_IMAGE_BYTES", 4096)
    config, story = preset(name), Story(random.Random(3).randbytes(12345), seed=3)
    with SimulatedPlatform(3, config=config) as platform:
        account = act(story, platform, config)
        words = platform.entropy_words()
    assert compare(act(story, GoldenPlatform(words, config), config).seen, account.seen) > 20 * len(story.data)
    compare_owners(story, account.seen)
    assert all(stage.cycles > 0 for stage in account.stages)


def test_cost_is_measured_against_the_wire():
    parameters = {"seed": 1, "samples": 20, "bursts": 100}
    reports = {top: simulate(top, "cbit_sim.benches.cost", config=COST_CONFIG, parameters=parameters)
               for top in ("engine", "wire")}
    cost = Cost.of(reports["engine"], reports["wire"])
    added = {row.kind: row.added for row in cost.latency}
    assert added["plain read"] <= 2
    assert added["plain write"] <= 2
    assert added["encrypted read"] == COST_CONFIG.aes_latency_cycles + 1
    assert added["partial write"] > added["encrypted write"] > added["plain write"]
    assert all(0 < row.ratio <= 1 for row in cost.bandwidth)
    nothing = Cost.of(reports["wire"], reports["wire"])
    assert not any(row.added or row.loaded_tail for row in nothing.latency)
