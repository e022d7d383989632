"""The demonstration with the engine itself: the golden model agrees, and the measurements are the contract's."""

import random

import pytest

from cbit.config import DEFAULT_PRESET, EngineConfig, preset
from cbit_model.access import Response
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.judge import compare, compare_owners
from cbit_sim.demo.model_actor import act
from cbit_sim.demo.story import Story
from cbit_sim.runner import simulate

STORY_CONFIG = preset(DEFAULT_PRESET)
COST_CONFIG = EngineConfig()


@pytest.mark.parametrize("size", [1, 4113])
def test_engine_acts_the_story_as_the_model_does(tmp_path, size):
    story = Story(random.Random(size).randbytes(size), seed=size)
    (tmp_path / "file").write_bytes(story.data)
    report = simulate("engine", "cbit_sim.benches.story", config=STORY_CONFIG, parameters={
        "file": str(tmp_path / "file"), "seed": size, "folder": str(tmp_path)})
    expected = act(story, STORY_CONFIG.as_dict())
    got = {name: ((tmp_path / str(number)).read_bytes(), Response(report["responses"][number]))
           for number, name in enumerate(expected)}
    assert compare(story, expected, got) > 0
    compare_owners(story, got)


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
