"""Watches streams in Amaranth's own simulator for the rule that what is offered stays offered."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from amaranth.hdl import Elaboratable, Value, ValueCastable
from amaranth.sim import Simulator

__all__ = ["foreseen", "simulate_watched"]


def simulate_watched(design: Elaboratable, streams: Iterable[Any], *testbenches: Callable[[Any], Any],
                     limit_cycles: int = 30_000) -> None:
    """Runs the testbenches until the last of them ends, and watches ``streams`` all the while.

    Raises
    ------
    AssertionError
        If a stream takes back or changes a payload that has not been taken, or after ``limit_cycles``.
    """
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.add_testbench(_limiter(limit_cycles), background=True)
    for stream in streams:
        simulator.add_testbench(_watcher(stream), background=True)
    simulator.run()


def foreseen(stream: Any, next_id: Any, count: int) -> Callable[[Any], Coroutine[Any, Any, None]]:
    """A testbench for ``count`` payloads: ``next_id`` tells the ID of each a cycle before the stream moves to it."""
    async def watch(ctx: Any) -> None:
        taken, moved, told = 0, False, None
        while taken < count:
            _, _, valid, ready, payload, tells = await ctx.tick().sample(
                stream.valid, stream.ready, stream.payload, next_id)
            if valid and moved:
                assert payload.id == told, f"{payload.id} came where {told} was told"
            taken += valid and ready
            moved, told = ready or not valid, tells

    return watch


def _watcher(stream: Any) -> Callable[[Any], Coroutine[Any, Any, None]]:
    def shown(bits: int) -> Any:
        is_structured = isinstance(stream.payload, ValueCastable)
        return stream.payload.shape().from_bits(bits) if is_structured else bits

    async def watch(ctx: Any) -> None:
        offered = None
        bits = Value.cast(stream.payload)
        async for _, _, valid, ready, payload in ctx.tick().sample(stream.valid, stream.ready, bits):
            if offered is not None:
                assert valid, f"{shown(offered)} was taken back"
                assert payload == offered, f"{shown(offered)} became {shown(payload)} while it waited"
            offered = payload if valid and not ready else None

    return watch


def _limiter(cycles: int) -> Callable[[Any], Coroutine[Any, Any, None]]:
    async def limit(ctx: Any) -> None:
        for _ in range(cycles):
            await ctx.tick()
        raise AssertionError(f"Not done after {cycles} cycles")

    return limit
