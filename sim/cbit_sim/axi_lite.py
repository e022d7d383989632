"""Accesses to an AXI4-Lite port in Amaranth's own simulator, for tests of single components."""

import typing

from cbit.csr.map import register

__all__ = ["Registers", "read", "write"]


async def _send(ctx: typing.Any, channel: typing.Any, payload: dict[str, int]) -> None:
    ctx.set(channel.payload, payload)
    ctx.set(channel.valid, 1)
    await ctx.tick().until(channel.ready)
    ctx.set(channel.valid, 0)


async def _receive(ctx: typing.Any, channel: typing.Any) -> typing.Any:
    ctx.set(channel.ready, 1)
    (payload,) = await ctx.tick().sample(channel.payload).until(channel.valid)
    ctx.set(channel.ready, 0)
    return payload


async def read(ctx: typing.Any, port: typing.Any, address: int) -> tuple[int, int]:
    """Reads a word.

    Returns
    -------
    The word and the response as a number.
    """
    await _send(ctx, port.ar, {"addr": address})
    payload = await _receive(ctx, port.r)
    return payload.data, payload.resp.value


async def write(ctx: typing.Any, port: typing.Any, address: int, word: int, *, strobes: int = 0xf) -> int:
    """Writes a word, address before data.

    Returns
    -------
    The response as a number.
    """
    await _send(ctx, port.aw, {"addr": address})
    await _send(ctx, port.w, {"data": word, "strb": strobes})
    payload = await _receive(ctx, port.b)
    return int(payload.resp.value)


class Registers:
    """The registers behind a port, by the names of registers and fields.

    Parameters
    ----------
    port
        The AXI4-Lite port of a component in simulation.
    map_name : :class:`str`
        Which registers it has: one of :data:`cbit.csr.map.MAP_NAMES`.
    """

    def __init__(self, port: typing.Any, map_name: str):
        self._port = port
        self._map_name = map_name

    async def read(self, ctx: typing.Any, name: str) -> dict[str, int]:
        """The fields of a register, which the port must not refuse."""
        found = register(self._map_name, name)
        word, response = await read(ctx, self._port, found.offset)
        assert response == 0, f"{name} is refused with {response}"
        return {field.name: word >> field.lsb & (1 << field.width) - 1 for field in found.fields}

    async def write(self, ctx: typing.Any, name: str, **values: int) -> int:
        """Writes a register field by field; those that are not named are zero. Returns the response."""
        found = register(self._map_name, name)
        word = sum(values[field.name] << field.lsb for field in found.fields if field.name in values)
        return await write(ctx, self._port, found.offset, word)
