# amaranth: UnusedElaboratable=no

"""What a chip is told before it is used, as the registers of LiteDRAM's controller pass it on."""

import itertools
import re

import pytest
from amaranth.sim import Simulator

from cbit.dram.initialize import SdrInitializer

CLOCK_HZ = 50_000_000
REGISTERS = {name: 0x800 + 4 * number for number, name in enumerate((
    "sdram_dfii_control", "sdram_dfii_pi0_command", "sdram_dfii_pi0_command_issue", "sdram_dfii_pi0_address",
    "sdram_dfii_pi0_baddress"))} | {"ddrctrl_init_done": 0}
NAMES = {0b1101: "refresh", 0b1011: "precharge", 0b1111: "mode"}


def told(cas_latency, *, wait_states=0, power_up_us=200):
    """Each command with the cycle in which it is issued, its address and bank; and writes of other registers."""
    dut = SdrInitializer(registers=REGISTERS, cas_latency=cas_latency, clock_hz=CLOCK_HZ, power_up_us=power_up_us)
    names = {address: name for name, address in REGISTERS.items()}
    seen, values = [], {}

    async def testbench(ctx):
        cycle = 0
        while not ctx.get(dut.done):
            ctx.set(dut.o.ready, 0)
            for _ in range(wait_states):
                await ctx.tick()
            ctx.set(dut.o.ready, 1)
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            cycle += 1 + wait_states
            if valid:
                name = names[beat.address]
                values[name] = beat.data
                if name == "sdram_dfii_pi0_command_issue":
                    seen.append((cycle, NAMES[values["sdram_dfii_pi0_command"]], values["sdram_dfii_pi0_address"],
                                 values["sdram_dfii_pi0_baddress"]))
                elif name in ("sdram_dfii_control", "ddrctrl_init_done"):
                    seen.append((cycle, name, beat.data, None))
        for _ in range(20):
            assert not ctx.get(dut.o.valid)
            assert ctx.get(dut.done)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return seen


@pytest.mark.parametrize("wait_states", [0, 3])
@pytest.mark.parametrize("cas_latency", [2, 3])
def test_a_chip_is_told_what_its_data_sheet_wants(cas_latency, wait_states):
    first, *commands, controller, opened = told(cas_latency, wait_states=wait_states)
    assert first[1:3] == ("sdram_dfii_control", 0b0010)
    assert [each[1:] for each in commands] == [
        ("precharge", 1 << 10, 0), *[("refresh", 0, 0)] * 8, ("mode", cas_latency << 4, 0)]
    assert controller[1:3] == ("sdram_dfii_control", 0b0001)
    assert opened[1:3] == ("ddrctrl_init_done", 1)
    assert commands[0][0] - first[0] >= 200 * CLOCK_HZ // 1_000_000
    longest_ns = 80
    times = [each[0] for each in (*commands, controller)]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= longest_ns * CLOCK_HZ / 1e9


def test_power_up_takes_as_long_as_it_is_told():
    first, precharge, *_ = told(2, power_up_us=1)
    assert 50 <= precharge[0] - first[0] <= 60


@pytest.mark.parametrize(("change", "message"), [
    ({"cas_latency": 4}, "cas_latency must be 2 or 3, not 4"),
    ({"power_up_us": 0}, "power_up_us must be positive, not 0")])
def test_arguments_are_checked(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SdrInitializer(registers=REGISTERS, clock_hz=CLOCK_HZ, **{"cas_latency": 2} | change)
