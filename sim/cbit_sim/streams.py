"""Drives and collects Amaranth streams in Amaranth's own simulator.

Cycle 0 is the one before the first clock edge; a helper that starts with the simulation counts with it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from amaranth.hdl import Elaboratable
from amaranth.sim import Simulator

__all__ = ["Transfer", "always", "collect", "send", "simulate"]

Transfer = tuple[int, Any]
"""The cycle of a transfer and its payload."""


def always() -> bool:
    """A pace without gaps or stalls."""
    return True


def simulate(design: Elaboratable, *testbenches: Callable[[Any], Any]) -> None:
    """Runs the testbenches on the design, clocked if it has registers, until the last of them ends."""
    simulator = Simulator(design)
    simulator.add_clock(1e-6, if_exists=True)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


async def send(ctx: Any, stream: Any, payloads: Iterable[Any], *, pace: Callable[[], bool] = always) -> list[Transfer]:
    """Sends each payload; ``pace`` says in each idle cycle whether to offer the next. Returns what went when."""
    sent = []
    cycle = 0
    for payload in payloads:
        while not pace():
            await ctx.tick()
            cycle += 1
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        accepted = False
        while not accepted:
            _, _, accepted = await ctx.tick().sample(stream.ready)
            cycle += 1
        ctx.set(stream.valid, 0)
        sent.append((cycle - 1, payload))
    return sent


async def collect(ctx: Any, stream: Any, count: int, *, pace: Callable[[], bool] | None = None) -> list[Transfer]:
    """Takes ``count`` payloads; ``pace`` says in each cycle whether to be ready, and is left out for a stream that is
    always ready. Returns what came when."""
    taken: list[Transfer] = []
    cycle = 0
    while len(taken) < count:
        if pace is not None:
            ctx.set(stream.ready, pace())
        _, _, valid, ready, payload = await ctx.tick().sample(stream.valid, stream.ready, stream.payload)
        if valid and ready:
            taken.append((cycle, payload))
        cycle += 1
    return taken
