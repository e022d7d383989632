"""Engines and the wire before LiteDRAM and an SDRAM chip at its pins, which notes what breaks its rules."""

import dataclasses
import statistics

import pytest

from cbit.config import EngineConfig, preset
from cbit.dram import axi_port, bounds, initialize
from cbit.engine import latency_cycles
from cbit_sim import verilog
from cbit_sim.gateware import dram_top
from cbit_sim.runner import BenchError, simulate
from cbit_sim.surroundings import PERSONALITIES

COMPACT = preset("compact")
"""What SDR SDRAM of 16 bits wants."""

OTHER_CHIPS = {
    "133 MHz": {"module": "MT48LC16M16", "memory_bytes": 1 << 25, "clock_hz": 133_000_000},
    "64 MiB": {"module": "AS4C32M16", "memory_bytes": 1 << 26, "clock_hz": 60_000_000},
    "32 bits": {"module": "MT48LC16M16", "memory_bytes": 1 << 26, "clock_hz": 50_000_000, "width": 32},
}

_SEED = 12


def _with_chip(bench, *, chip=verilog.CHIP, tests=None, **parameters):
    """Runs a bench on the wire before a chip, of gateware as it is just now."""
    folder = verilog.build_folder()
    text = verilog.with_chip(EngineConfig(), has_engine=False, folder=folder, **chip)
    return simulate("dram_wire", f"cbit_sim.benches.{bench}", source=verilog.kept(text, "chip", folder), tests=tests,
                    parameters={"seed": _SEED, "memory_bytes": chip["memory_bytes"], **parameters})


def _random_traffic(config, *, personality, transactions, seed):
    report = simulate("dram", "cbit_sim.benches.random_traffic", config=config, parameters={
        "seed": seed, "transactions": transactions, "personality": personality,
        "memory_bytes": verilog.CHIP["memory_bytes"]})
    print(f"seed {seed}: {report['transactions']} transactions, {report['refreshes']} refreshes, {report['events']}")
    assert report["transactions"] >= transactions
    assert report["refreshes"] > transactions // 10


def _cost(config, **parameters):
    engine, wire = (simulate(top, "cbit_sim.benches.cost", config=each, parameters={"seed": 1, **parameters})
                    for top, each in (("dram", config), ("dram_wire", None)))
    return engine, wire


def _added(engine, wire, kind):
    """Cycles of an access on an idle bus; the median, as refreshes meet other accesses of the wire's."""
    return statistics.median(engine["latency"]["idle"][kind]) - statistics.median(wire["latency"]["idle"][kind])


def _ratios(engine, wire):
    """Bandwidth against the wire's."""
    return {kind: engine["bandwidth"][kind]["beats"] / engine["bandwidth"][kind]["cycles"]
            / (wire["bandwidth"][kind]["beats"] / wire["bandwidth"][kind]["cycles"]) for kind in engine["bandwidth"]}


def test_corners_of_the_controller():
    simulate("dram_wire", "cbit_sim.benches.corners_dram",
             parameters={"seed": _SEED, "memory_bytes": verilog.CHIP["memory_bytes"]})


def test_random_traffic_of_an_engine():
    _random_traffic(COMPACT, personality="stalled", transactions=300, seed=_SEED)


@pytest.mark.parametrize(("samples", "bursts"), [(1, 100), pytest.param(60, 300, marks=pytest.mark.slow)])
def test_encryption_costs_no_bandwidth(samples, bursts):
    """SDRAM of 16 bits is the bottleneck, encrypted or not, but for partial writes, which wait for what they read."""
    engine, wire = _cost(COMPACT, samples=samples, bursts=bursts)
    ratios = _ratios(engine, wire)
    for kind, ratio in ratios.items():
        idle = wire["latency"]["idle"].get(kind)
        cycles = f"{statistics.median(idle):g} cycles and {_added(engine, wire, kind):g}, " if idle else ""
        beats = wire["bandwidth"][kind]
        print(f"{kind}: {cycles}{beats['beats'] / beats['cycles']:.3f} beats a cycle, {ratio:.2f} of it")
    partial = ratios.pop("partial write")
    assert min(ratios.values()) > 0.97
    assert 0.1 < partial < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("personality", PERSONALITIES)
@pytest.mark.parametrize("config", [pytest.param(EngineConfig(), id="default"), pytest.param(COMPACT, id="compact"),
                                    pytest.param(dataclasses.replace(COMPACT, guarded=True), id="guarded")])
def test_much_random_traffic_of_engines(config, personality):
    _random_traffic(config, personality=personality, transactions=2000, seed=_SEED + 1)


@pytest.mark.slow
def test_what_an_engine_adds_to_an_access():
    """As much as beside any DRAM that takes longer than a tweak: the tweak is hidden."""
    config = EngineConfig()
    engine, wire = _cost(config, samples=100, bursts=400)
    for kind in ("plain read", "encrypted read"):
        assert _added(engine, wire, kind) == latency_cycles(config)[kind.replace(" ", "_")]
    ratios = _ratios(engine, wire)
    ratios.pop("partial write")
    assert min(ratios.values()) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("chip", OTHER_CHIPS)
def test_other_chips(chip):
    _with_chip("corners_dram", chip=OTHER_CHIPS[chip])
    _with_chip("random_traffic", chip=OTHER_CHIPS[chip], transactions=500, personality="swift")


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "value", "test"), [
    (axi_port, "WRITES", 31, "answers_that_nobody_takes"),
    (bounds.Bounds, "_is_beyond", lambda self, address: address.payload.addr[self.memory_width + 1:].any(),
     "beyond_the_memory"),
    (bounds.Bounds, "_is_beyond", lambda _self, address: address.payload.addr[47:].any(), "beyond_the_memory")])
def test_planted_faults_are_found(monkeypatch, module, name, value, test):
    monkeypatch.setattr(module, name, value)
    with pytest.raises(BenchError, match=f"^{test}: "):
        _with_chip("corners_dram", tests=[test])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [
    ("_REFRESHES", 1), ("_CAS_LATENCY_BIT", 5), ("_ALL_BANKS", 0), ("CKE", 0)])
def test_a_chip_that_is_not_initialized_as_it_must_be_notes_it(monkeypatch, name, value):
    monkeypatch.setattr(initialize, name, value)
    with pytest.raises(BenchError, match=r"the chip's rules .* are broken"):
        _with_chip("random_traffic", chip=OTHER_CHIPS["133 MHz"], transactions=50, personality="swift")


@pytest.mark.slow
@pytest.mark.parametrize("name", dram_top.TIMES_NS)
def test_a_chip_that_is_slower_than_its_controller_thinks_notes_it(monkeypatch, name):
    # What lies between two commands for other reasons is longer than some times.
    factor = {"REFRESH": 0.3, "RRD": 20, "WR": 20}.get(name, 4)
    monkeypatch.setitem(dram_top.TIMES_NS, name, dram_top.TIMES_NS[name] * factor)
    with pytest.raises(BenchError, match=r"the chip's rules .* are broken"):
        _with_chip("random_traffic", transactions=200, personality="swift")
