"""Engines against the traffic generator, with no Python in their cycles."""

from importlib import import_module

import pytest

from cbit.config import EngineConfig, SBox, preset
from cbit_cli.configuration import changed
from cbit_sim.soak import soak
from cbit_sim.verilog import generate

SMALL = EngineConfig(addr_width=32, c_bit=31, id_width=2, asid_count=4, max_outstanding=4, duplex=False, unroll=1)
"""An engine that is soon built. One slot has keys now and then that nobody uses, and one never."""

SOAKED = changed(preset("streaming"), {"sbox": SBox.TABLE, "unroll": 2})
"""Registers between all steps, a pipeline for each direction: but few rounds, and S-boxes that are soon simulated."""

_CYCLES = 100_000_000


def test_a_short_soak():
    found = soak(SMALL, cycles=200_000, seed=1, phase_cycles=70_000, step_cycles=10_000)
    print(f"{found.bursts} bursts, {found.events}, {found.cycles / found.cpu_seconds:.0f} cycles/s")
    assert (found.error, found.errors, found.kinds) == ("", 0, [])
    assert found.cycles == 200_000
    assert min(found.counts.values()) > 100
    assert found.events["exchange"] == 2
    assert found.events["retire"] + found.events["zeroize"] > 3


def test_less_than_three_slots_are_refused():
    with pytest.raises(ValueError, match=r"^asid_count must be at least 3 for a soak, not 2$"):
        soak(EngineConfig(asid_count=2), cycles=1, seed=1)


@pytest.mark.slow
def test_a_wire_is_found_to_hide_nothing_and_deny_nothing():
    found = soak(SMALL, cycles=100_000, seed=1, top="wire", step_cycles=5000)
    assert found.cycles < 100_000
    assert {"EXPOSED", "RESPONSE"} <= {*found.kinds}
    assert found.error


def without_hazards(monkeypatch):
    """Partial writes to one line that do not wait for each other."""
    monkeypatch.setattr(import_module("cbit.write.hazards").WriteHazards, "_is_open", lambda *_: 0)


def one_key(monkeypatch):
    """A policy that gives all who are encrypted the key of slot 0."""
    policy = import_module("cbit.access.policy").KeyPolicy
    right = policy.elaborate

    def elaborate(self, platform):
        m = right(self, platform)
        m.d.comb += self.slot.eq(0)
        return m

    monkeypatch.setattr(policy, "elaborate", elaborate)


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "kind"), [(without_hazards, "SILENCE"), (one_key, "EXPOSED")])
def test_a_fault_in_the_gateware_is_found(tmp_path, monkeypatch, fault, kind):
    fault(monkeypatch)
    design = tmp_path / "soak.v"
    design.write_text(generate("soak", SMALL))
    found = soak(SMALL, cycles=5_000_000, seed=1, source=design)
    print(f"{found.error}, within {found.cycles} cycles")
    assert found.error
    assert kind in found.kinds


@pytest.mark.slow
def test_a_hundred_million_cycles():
    found = soak(SOAKED, cycles=_CYCLES, seed=1)
    print(f"{found.bursts} bursts, {found.bytes} bytes, {found.events}, {found.cycles / found.cpu_seconds:.0f} Hz")
    assert (found.error, found.cycles) == ("", _CYCLES)
    assert found.bursts > _CYCLES // 50
