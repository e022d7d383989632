"""Accesses to an AXI4-Lite port in Amaranth's own simulator, for tests of single components."""

import typing

__all__ = ["read", "write"]


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
