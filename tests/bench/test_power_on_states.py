"""Registers and memories that hold anything when power comes, and one cycle of reset."""

import dataclasses
import re

import pytest

from cbit.config import EngineConfig
from cbit.engine import generate_verilog
from cbit_sim.power_on import registers
from cbit_sim.runner import BenchError, simulate

SMALL = EngineConfig(addr_width=32, c_bit=31, id_width=2, asid_count=4, max_outstanding=4, duplex=False, unroll=1)
"""An engine that is soon built."""

DIRECT = EngineConfig(unroll=2)
"""One that other tests build, too."""

FEW_WAYS = dataclasses.replace(SMALL, asid_count=12, key_ways=3, pipelined=True)

_BENCH = "cbit_sim.benches.power_on"
_SEEDS = range(1, 31)


def without_reset(text, module, name):
    """The Verilog with a register of a module that reset leaves alone."""
    start = re.search(rf"^module \\\S*\.{module} ", text, re.MULTILINE).start()
    following = re.search(rf"    \\?{name} +<= (\S+) ;", text[start:])[1]
    branch = re.compile(rf"    if \(rst\) begin\n      {re.escape(following)} +=.*?\n    end\n")
    return text[:start] + branch.sub("", text[start:], count=1)


def test_nothing_survives_a_reset_of_one_cycle():
    reports = [simulate("engine", _BENCH, config=DIRECT, parameters={"seed": seed}, start=start)
               for seed, start in ((1, "zero"), (1, "random"), (2, "random"))]
    zero, first, second = ([int(bits, 2) for bits in report["before"].values()] for report in reports)
    assert sum(map(bool, zero)) < sum(map(bool, first))
    assert first != second


def test_reset_sets_every_state():
    states = [register for register in registers(generate_verilog(SMALL)) if "fsm_state" in register.name]
    assert len(states) > 3
    assert all(register.is_reset for register in states)


@pytest.mark.slow
@pytest.mark.parametrize("config", [SMALL, FEW_WAYS], ids=["small", "few ways"])
def test_many_power_on_states(config):
    for seed in _SEEDS:
        simulate("engine", _BENCH, config=config, parameters={"seed": seed})
        simulate("engine", "cbit_sim.benches.random_traffic", config=config,
                 parameters={"seed": seed, "transactions": 300})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["release", "locked"])
def test_a_register_that_reset_forgets_is_found(name, tmp_path):
    """From zeros, as a simulator would have them, it is not."""
    design = tmp_path / "engine.v"
    design.write_text(without_reset(generate_verilog(SMALL), "switches", name))
    def is_found(seed, start="random"):
        try:
            simulate("engine", _BENCH, config=SMALL, source=design, parameters={"seed": seed}, start=start)
        except BenchError as error:
            return "nothing_survives_a_reset" in str(error)
        return False

    assert not is_found(0, "zero")
    assert any(is_found(seed) for seed in range(8))
