"""After WIPE, no register and no word of a memory depends on what the numbers of the unit for P-384 were."""

import random
import re

from amaranth.sim import Simulator

from cbit.psp.p384.start import Operation
from cbit.psp.p384.unit import P384


async def run(ctx, dut, operation, **registers):
    ctx.set(dut.p384_start.data, {"operation": operation, **registers})
    ctx.set(dut.p384_start.write, 1)
    await ctx.tick()
    ctx.set(dut.p384_start.write, 0)
    await ctx.tick().until(~dut.p384_status.value.busy)


def last_values(trace):
    """The last value of each signal of a VCD file, by its name with those of its scopes."""
    names, values, scopes = {}, {}, []
    for line in trace.read_text().splitlines():
        if match := re.match(r"\$scope \S+ (\S+) ", line):
            scopes.append(match[1])
        elif line.startswith("$upscope"):
            scopes.pop()
        elif match := re.match(r"\$var \S+ \d+ (\S+) (\S+)", line):
            names.setdefault(match[1], ".".join([*scopes, match[2]]))
        elif match := re.match(r"b(\S+) (\S+)$", line):
            values[match[2]] = int(match[1], 2)
        elif match := re.match(r"([01])(\S+)$", line):
            values[match[2]] = int(match[1])
    return {name: values.get(identifier, 0) for identifier, name in names.items()}


def state_after(seed, operations, trace):
    """What all signals are once a few operations with numbers of a seed are done."""
    dut = P384()
    rng = random.Random(seed)

    async def testbench(ctx):
        await ctx.tick().until(~dut.p384_status.value.busy)
        for register in (0, 1, 31, 40):
            for word in range(12):
                ctx.set(dut.window.address, 16 * register + word)
                ctx.set(dut.window.data, rng.getrandbits(32))
                ctx.set(dut.window.write, 15)
                await ctx.tick()
        ctx.set(dut.window.write, 0)
        ctx.set(dut.window.data, 0)
        for operation in operations:
            await run(ctx, dut, operation, destination=2, a=0, b=1)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    with simulator.write_vcd(str(trace)):
        simulator.run()
    return last_values(trace)


def test_wipe_leaves_nothing_behind(tmp_path):
    one, other = (state_after(seed, [Operation.MUL, Operation.WIPE], tmp_path / f"{seed}.vcd") for seed in (1, 2))
    assert len(one) > 100
    assert one == other


def test_without_it_much_is_left(tmp_path):
    one, other = (state_after(seed, [Operation.MUL], tmp_path / f"{seed}.vcd") for seed in (1, 2))
    differ = {name for name in one if one[name] != other[name]}
    assert any("quotient" in name for name in differ)
    assert any("memory" in name for name in differ)
