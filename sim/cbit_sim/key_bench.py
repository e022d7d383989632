"""Key control under test, in Amaranth's own simulator."""

import random
from collections.abc import Callable
from typing import Any

from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from cbit.aes.cipher import rounds_of
from cbit.keys.control import KeyControl
from cbit.keys.types import Operation, Result, SlotState

__all__ = ["KeyBench", "active_slots"]


class KeyBench:
    """Key control, the round keys that it wrote, and commands to it.

    Parameters
    ----------
    dut : :class:`~cbit.keys.control.KeyControl`

    Attributes
    ----------
    reset : :class:`~amaranth.hdl.Signal`
        Resets it.
    round_keys : :class:`dict`
        Way, which key (0 for K1) and number of the round to the round key written last.
    inverse_keys : :class:`dict`
        If round keys are written by word: way and step of decryption to the round key of K1 that it adds.
    """

    def __init__(self, dut: KeyControl):
        self.dut = dut
        self.reset = Signal()
        self.key_bytes = dut.key_bits // 8
        self.rounds = rounds_of(dut.key_bits)
        self.round_keys: dict[tuple[int, int, int], bytes] = {}
        self.inverse_keys: dict[tuple[int, int], bytes] = {}

    def run(self, testbench: Callable[[Any], Any], *watchers: Callable[[Any], Any]) -> None:
        """Runs until the testbench ends; the watchers run beside it."""
        simulator = Simulator(ResetInserter(self.reset)(self.dut))
        simulator.add_clock(1e-6)
        for watcher in (self._collect_words if self.dut.by_word else self._collect, *watchers):
            simulator.add_testbench(watcher, background=True)
        simulator.add_testbench(testbench)
        simulator.run()

    async def _collect(self, ctx: Any) -> None:
        """Collects what is written; no pipeline may be given two round keys in a row."""
        port = self.dut.round_key
        before = None
        async for *_, valid, tweak_key, slot, number, data in ctx.tick().sample(
                port.valid, port.tweak_key, port.slot, port.round, port.data):
            if valid:
                assert tweak_key != before
                self.round_keys[slot, tweak_key, number] = data.to_bytes(16, "little")
            before = tweak_key if valid else None

    async def _collect_words(self, ctx: Any) -> None:
        port = self.dut.round_key
        async for *_, columns, tweak_key, inverse, slot, step, data in ctx.tick().sample(
                port.columns, port.tweak_key, port.inverse, port.slot, port.step, port.data):
            if not columns:
                continue
            assert not (inverse and tweak_key)
            kept: dict[Any, bytes] = self.inverse_keys if inverse else self.round_keys
            key = (slot, step) if inverse else (slot, tweak_key, step)
            words = bytearray(kept.get(key, bytes(16)))
            for column in range(4):
                if columns >> column & 1:
                    words[4 * column:4 * column + 4] = data.to_bytes(4, "little")
            kept[key] = bytes(words)

    def written(self, way: int) -> list[list[bytes]]:
        """The round keys of a way, those of K1 and those of K2."""
        return [[self.round_keys[way, tweak_key, number] for number in range(self.rounds + 1)]
                for tweak_key in (0, 1)]

    def assert_erased(self, way: int) -> None:
        """The round keys of a way are zeros."""
        assert self.written(way) == [[bytes(16)] * (self.rounds + 1)] * 2
        assert not any(any(word) for (owner, _), word in self.inverse_keys.items() if owner == way)

    async def idle(self, ctx: Any) -> int:
        """Waits until nothing runs; returns the cycles it took."""
        cycles = 0
        while ctx.get(self.dut.busy):
            await ctx.tick()
            cycles += 1
        return cycles

    async def write_word(self, ctx: Any, tweak_key: int, index: int, data: int) -> bool:
        """Returns whether the word was taken."""
        word = self.dut.word
        ctx.set(word.tweak_key, tweak_key)
        ctx.set(word.index, index)
        ctx.set(word.data, data)
        ctx.set(word.valid, 1)
        ready = ctx.get(word.ready)
        await ctx.tick()
        ctx.set(word.valid, 0)
        return bool(ready)

    async def write_keys(self, ctx: Any, *keys: bytes) -> None:
        """Stages K1 and K2."""
        for tweak_key, key in enumerate(keys):
            for index in range(self.key_bytes // 4):
                data = int.from_bytes(key[4 * index:4 * index + 4], "little")
                assert await self.write_word(ctx, tweak_key, index, data)

    async def start(self, ctx: Any, op: Operation | int, slot: int) -> None:
        """Gives a command."""
        command = self.dut.command
        ctx.set(command.op, getattr(op, "value", op))
        ctx.set(command.slot, slot)
        ctx.set(command.valid, 1)
        await ctx.tick()
        ctx.set(command.valid, 0)

    async def command(self, ctx: Any, op: Operation | int, slot: int) -> Result:
        """Gives a command and waits for its result."""
        await self.start(ctx, op, slot)
        await self.idle(ctx)
        return Result(ctx.get(self.dut.result))

    async def install(self, ctx: Any, slot: int, seed: int = 1) -> tuple[bytes, bytes]:
        """Installs random keys, which it returns."""
        rng = random.Random(seed)
        keys = rng.randbytes(self.key_bytes), rng.randbytes(self.key_bytes)
        await self.write_keys(ctx, *keys)
        assert await self.command(ctx, Operation.INSTALL, slot) == Result.OK
        return keys

    async def state(self, ctx: Any, slot: int) -> SlotState:
        """Asks for the state of a slot."""
        ctx.set(self.dut.query_slot, slot)
        await ctx.tick().repeat(2)
        return SlotState(ctx.get(self.dut.query_state))

    def active(self, ctx: Any) -> int:
        """A bit for each slot that takes new accesses."""
        return active_slots(ctx, self.dut)

    def bits(self, ctx: Any) -> tuple[int, int]:
        """:meth:`active` and ``serving``."""
        return self.active(ctx), ctx.get(self.dut.serving)


def active_slots(ctx: Any, dut: Any) -> int:
    """A bit for each slot that takes new accesses, as key control or the control port tell it."""
    active = 0
    for slot in range(dut.asid_count):
        ctx.set(dut.asked[0], slot)
        active |= ctx.get(dut.is_active[0]) << slot
    assert ctx.get(dut.host_is_active) == active & 1
    return active
