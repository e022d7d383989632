"""The AXI4 port of LiteDRAM's module, and what must stand before it."""

from typing import Any

from amaranth.hdl import Cat, Const

from .bounds import Bounds
from .generate import AXI_PORT
from .spec import DramSpec

__all__ = ["DATA_WIDTH", "READS", "WRITES", "axi_pins", "bounds"]

DATA_WIDTH = 128

READS = 31
"""More than LiteDRAM ever has in flight."""

WRITES = 16
"""What LiteDRAM has room for: it gives up the answers of more, if they are not taken at once."""


def bounds(memory: DramSpec, *, addr_width: int, id_width: int) -> Bounds:
    """What must stand before a controller's port, for a manager whose addresses and IDs have these widths."""
    return Bounds(addr_width=addr_width, data_width=DATA_WIDTH, id_width=id_width, memory_width=memory.address_width,
                  reads=READS, writes=WRITES)


def axi_pins(port: Any) -> dict[str, object]:
    """What an instance of LiteDRAM's module has to be given for its AXI4 port, which knows these fields alone.

    Parameters
    ----------
    port
        Of the signature :class:`~cbit.axi.ports.Axi4Signature`, seen from its manager.
    """
    pins: dict[str, object] = {}
    for channel, fields in (("aw", ("id", "addr", "len", "size", "burst")),
                            ("ar", ("id", "addr", "len", "size", "burst")), ("w", ("data", "strb", "last"))):
        stream = getattr(port, channel)
        pins |= {f"i_{AXI_PORT}{channel}{field}": stream.payload[field] for field in fields}
        pins |= {f"i_{AXI_PORT}{channel}valid": stream.valid, f"o_{AXI_PORT}{channel}ready": stream.ready}
    for channel in ("aw", "ar"):
        # It has one bit more than AXI4's.
        pins[f"i_{AXI_PORT}{channel}size"] = Cat(getattr(port, channel).payload.size, Const(0, 1))
    for channel, fields in (("b", ("id", "resp")), ("r", ("id", "data", "resp", "last"))):
        stream = getattr(port, channel)
        pins |= {f"o_{AXI_PORT}{channel}{field}": stream.payload[field] for field in fields}
        pins |= {f"o_{AXI_PORT}{channel}valid": stream.valid, f"i_{AXI_PORT}{channel}ready": stream.ready}
    return pins
