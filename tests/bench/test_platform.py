"""The platform under two clocks, with the monitor for its firmware."""

import pytest

from cbit_sim.monitor.build import build_monitor
from cbit_sim.platform_run import simulate_platform

CLOCKS = [(2000, 2000), (2000, 7300), (7300, 2000), (2000, 2100), (64000, 2000), (2000, 31000)]
"""Periods of the engine's clock and of the security processor's."""


@pytest.fixture(scope="module")
def monitor():
    return build_monitor()


@pytest.mark.slow
@pytest.mark.parametrize("clocks", CLOCKS)
def test_platform(clocks, monitor):
    engine_period_ps, psp_period_ps = clocks
    report = simulate_platform("cbit_sim.benches.platform", monitor, parameters={
        "engine_period_ps": engine_period_ps, "psp_period_ps": psp_period_ps, "seed": sum(clocks)})
    print(f"clocks {clocks}: {report['cycles']} cycles, {report['cycles_per_second']} cycles/s")
