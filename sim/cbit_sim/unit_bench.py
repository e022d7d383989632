"""A unit of the security processor beside the buffer, in Amaranth's own simulator."""

import typing

from amaranth import Module
from amaranth.hdl import Elaboratable
from amaranth.lib import wiring

from cbit.psp.buffer import BUFFER_BYTES, Buffer

__all__ = ["UnitBench"]

Order = typing.Literal["big", "little"]


class UnitBench(Elaboratable):
    """A unit, the buffer that it works in, and what the processor does with both.

    Parameters
    ----------
    unit
        Has a port ``buffer`` and ports named after registers.
    """

    def __init__(self, unit: typing.Any):
        self.unit = unit
        self.memory = Buffer(units=1)

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.unit = self.unit
        m.submodules.memory = self.memory
        wiring.connect(m, self.unit.buffer, self.memory.units[0])
        return m

    async def _access(self, ctx: typing.Any, address: int, word: int | None) -> int:
        port = self.memory.processor
        ctx.set(port.valid, 1)
        ctx.set(port.address, address)
        ctx.set(port.strobes, 0b1111 if word is not None else 0)
        ctx.set(port.write_data, word or 0)
        await ctx.tick()
        ctx.set(port.valid, 0)
        ctx.set(port.strobes, 0)
        return int(ctx.get(port.read_data))

    async def load(self, ctx: typing.Any, offset: int, data: bytes) -> None:
        """Writes whole words into the buffer."""
        for place in range(0, len(data), 4):
            await self._access(ctx, (offset + place) // 4, int.from_bytes(data[place:place + 4], "little"))

    async def dump(self, ctx: typing.Any, offset: int = 0, length: int = BUFFER_BYTES) -> bytes:
        """Reads whole words from the buffer."""
        words = [await self._access(ctx, (offset + place) // 4, None) for place in range(0, length, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)

    async def write(self, ctx: typing.Any, name: str, index: int | None = None, **fields: int) -> bool:
        """Writes a register, or an element of an array; whether it was not refused."""
        port = getattr(self.unit, name.lower())
        for field in port.data.shape():
            ctx.set(port.data[field[0]], fields.get(field[0], 0))
        if index is not None:
            ctx.set(port.index, index)
        if ctx.get(port.refuse):
            return False
        ctx.set(port.write, 1)
        await ctx.tick()
        ctx.set(port.write, 0)
        return True

    async def write_words(self, ctx: typing.Any, name: str, data: bytes, order: Order) -> None:
        """Writes an array of words."""
        for index in range(len(data) // 4):
            word = int.from_bytes(data[4 * index:4 * index + 4], order)
            assert await self.write(ctx, name, index=index, word=word), f"{name} is refused"

    def words(self, ctx: typing.Any, name: str, order: Order) -> bytes:
        """What an array of words reads."""
        words = ctx.get(getattr(self.unit, name.lower()).value)
        return b"".join(int(entry.word).to_bytes(4, order) for entry in words)

    async def finish(self, ctx: typing.Any, name: str, limit_cycles: int) -> int:
        """Waits until a unit is no longer busy; how many cycles that took.

        Raises
        ------
        TimeoutError
            If it stays busy for so many cycles.
        """
        status = getattr(self.unit, name.lower()).value
        for cycle in range(limit_cycles):
            if not ctx.get(status.busy):
                return cycle
            await ctx.tick()
        raise TimeoutError(f"{name} is busy for over {limit_cycles} cycles")
