"""Accesses to a Wishbone port in Amaranth's own simulator, for tests of single components."""

import typing

__all__ = ["read", "write"]


async def _access(ctx: typing.Any, port: typing.Any, address: int, limit_cycles: int) -> int | None:
    """The word that comes with the acknowledgment; :data:`None` if there is none within the limit."""
    ctx.set(port.adr, address // 4)
    ctx.set(port.stb, 1)
    answer = None
    for _ in range(limit_cycles):
        _, _, is_done, word = await ctx.tick().sample(port.ack, port.dat_r)
        if is_done:
            answer = word
            break
    ctx.set(port.stb, 0)
    await ctx.tick()
    return answer


async def read(ctx: typing.Any, port: typing.Any, address: int, *, limit_cycles: int = 1000) -> int | None:
    """Reads a word; :data:`None` if it is not acknowledged."""
    ctx.set(port.we, 0)
    ctx.set(port.sel, 0xF)
    return await _access(ctx, port, address, limit_cycles)


async def write(ctx: typing.Any, port: typing.Any, address: int, word: int, *, sel: int = 0xF,
                limit_cycles: int = 1000) -> bool:
    """Writes bytes of a word; whether that is acknowledged."""
    ctx.set(port.we, 1)
    ctx.set(port.sel, sel)
    ctx.set(port.dat_w, word)
    return await _access(ctx, port, address, limit_cycles) is not None
