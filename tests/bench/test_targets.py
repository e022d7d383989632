"""What the engine costs in cycles, against the wire: the contract's targets."""

import dataclasses
import functools

import pytest

from cbit.config import DEFAULT_PRESET, PRESETS, EngineConfig, preset
from cbit.engine import latency_cycles
from cbit_sim.runner import simulate

DIRECT = EngineConfig(unroll=2)
"""An engine that other tests build, too; a single access takes the cycles of one with all rounds."""

_SHORT, _LONG = 200, 600
_LINE_BITS = 512
_LINE_BEATS = 4

MISS_CYCLES, MOST_MISS_CYCLES = 122, 141
"""What an access waits for a key that is not expanded, as the README of the keys states it."""

MOST_LOADED_MISS_CYCLES = 500
"""The same while the other direction is full, its own cycles included."""


@functools.cache
def _measured(top, bursts, config=None):
    return simulate(top, "cbit_sim.benches.latency", config=config, parameters={"bursts": bursts})


def _added(kind, reference, config):
    return (_measured("engine", _SHORT, config)["latency_cycles"][kind]["first"]
            - _measured("wire", _SHORT)["latency_cycles"][reference]["first"])


@pytest.mark.parametrize("kind", ["plain_read", "plain_write"])
def test_plain_accesses_take_at_most_one_cycle_each_way(kind):
    assert all(cycles <= 1 for cycles in _measured("engine", _SHORT, DIRECT)["ways"][kind].values())
    assert _added(kind, kind, DIRECT) == latency_cycles(DIRECT)[kind]


@pytest.mark.parametrize("config", [
    pytest.param(DIRECT, id="two rounds"), pytest.param(EngineConfig(), id="all rounds", marks=pytest.mark.slow),
    pytest.param(EngineConfig(pipelined_writes=True), id="pipelined writes", marks=pytest.mark.slow)])
def test_an_encrypted_read_takes_the_depth_of_aes_and_one_cycle(config):
    assert _added("encrypted_read", "plain_read", config) == 11
    assert latency_cycles(config)["encrypted_read"] == 11


@pytest.mark.parametrize("config", [
    *(pytest.param(config, id=name, marks=() if name == DEFAULT_PRESET else pytest.mark.slow)
      for name, (_, config) in PRESETS.items()),
    pytest.param(EngineConfig(asid_count=64), id="64 ASIDs", marks=pytest.mark.slow),
    pytest.param(dataclasses.replace(preset(DEFAULT_PRESET), asid_count=64), id="64 ASIDs, pipelined",
                 marks=pytest.mark.slow)])
def test_every_configuration_takes_the_cycles_that_it_states(config):
    # So that DRAM takes longer than any preset's tweak.
    parameters = {"bursts": 10, "dram_latency_cycles": 80}
    measured, wire = (simulate(top, "cbit_sim.benches.latency", config=each, parameters=parameters)
                      for top, each in (("engine", config), ("wire", None)))
    for kind in ("plain_read", "plain_write", "encrypted_read"):
        reference = wire["latency_cycles"][kind.replace("encrypted", "plain")]
        assert measured["latency_cycles"][kind]["first"] - reference["first"] == latency_cycles(config)[kind]


@pytest.mark.parametrize("config", [
    pytest.param(preset(DEFAULT_PRESET), id=DEFAULT_PRESET),
    pytest.param(EngineConfig(), id="no registers", marks=pytest.mark.slow),
    pytest.param(EngineConfig(pipelined_writes=True), id="pipelined writes", marks=pytest.mark.slow),
    *(pytest.param(EngineConfig(data_width=width, max_outstanding=64), id=f"{width} bits", marks=pytest.mark.slow)
      for width in (256, 512))])
@pytest.mark.parametrize("kind", ["plain_read", "plain_write", "plain_mixed", "encrypted_read", "encrypted_write",
                                  "encrypted_mixed"])
def test_random_lines_of_changing_keys_run_at_full_bandwidth(kind, config):
    def cycles(bursts):
        return _measured("engine", bursts, config)["bandwidth"][kind]["cycles"]

    least = _LINE_BITS // config.data_width * (_LONG - _SHORT)
    assert abs(cycles(_LONG) - cycles(_SHORT) - least) <= 0.005 * least


@pytest.mark.slow
def test_an_access_waits_only_for_a_key_that_is_not_expanded():
    """What the README of the keys states."""
    config = EngineConfig(asid_count=64)
    few, many = (simulate("engine", "cbit_sim.benches.guests", config=config, parameters={"guests": guests})
                 for guests in (config.key_way_count, config.asid_count - 1))
    assert latency_cycles(config)["encrypted_read"] == latency_cycles(EngineConfig())["encrypted_read"] + 1
    for kind in ("read", "write"):
        (cycles,) = few["burst_cycles"][f"{kind}_alone"]
        assert {*many["burst_cycles"][f"{kind}_alone"]} == {cycles}
        added = [int(taken) - int(cycles) for taken in many["burst_cycles"][f"{kind}_in_turn"]]
        # The guest that was at work alone still has its way when it first comes by.
        assert added.count(0) == 1
        assert MISS_CYCLES <= min(set(added) - {0}) <= max(added) <= MOST_MISS_CYCLES
    assert {*few["burst_cycles"]["write_in_turn"]} == {*few["burst_cycles"]["write_alone"]}
    assert few["stream_cycles"] == _LINE_BEATS
    assert many["stream_cycles"] < 170
    assert max(many["beside_reads"], many["beside_writes"]) < MOST_LOADED_MISS_CYCLES
