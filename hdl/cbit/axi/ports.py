"""AXI4 and AXI4-Lite inside the gateware: each channel is a stream of a struct.

Field names are AMBA's without the channel's letters (IHI 0022, A2); byte ``i`` of a beat is bits ``8i+7..8i``.
"""

from amaranth.hdl import unsigned
from amaranth.lib import enum, stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

__all__ = ["Axi4Signature", "AxiLiteSignature", "Burst", "Response", "address_layout", "read_data_layout",
           "response_layout", "write_data_layout"]


class Burst(enum.Enum, shape=2):
    """How the address of a burst moves from beat to beat (AxBURST; IHI 0022, A3.4.1). 0b11 is reserved."""

    FIXED = 0
    INCR = 1
    WRAP = 2


class Response(enum.Enum, shape=2):
    """The answer to an access (xRESP; IHI 0022, A3.4.4)."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3


def _require_data_width(data_width: int, choices: tuple[int, ...]) -> None:
    if data_width not in choices:
        raise ValueError(f"data_width must be one of {', '.join(map(str, choices))}, not {data_width!r}")


def address_layout(*, addr_width: int, id_width: int, user_width: int = 0) -> StructLayout:
    """Payload of AW and AR. ``user`` is there when ``user_width`` is over zero."""
    fields = {
        "id": unsigned(id_width),
        "addr": unsigned(addr_width),
        "len": unsigned(8),
        "size": unsigned(3),
        "burst": Burst,
        "lock": unsigned(1),
        "cache": unsigned(4),
        "prot": unsigned(3),
        "qos": unsigned(4),
        "region": unsigned(4),
    }
    if user_width > 0:
        fields["user"] = unsigned(user_width)
    return StructLayout(fields)


def write_data_layout(data_width: int) -> StructLayout:
    """Payload of W."""
    return StructLayout({"data": unsigned(data_width), "strb": unsigned(data_width // 8), "last": unsigned(1)})


def response_layout(id_width: int) -> StructLayout:
    """Payload of B."""
    return StructLayout({"id": unsigned(id_width), "resp": Response})


def read_data_layout(id_width: int, data_width: int) -> StructLayout:
    """Payload of R."""
    return StructLayout({"id": unsigned(id_width), "data": unsigned(data_width), "resp": Response,
                         "last": unsigned(1)})


class Axi4Signature(wiring.Signature):
    """An AXI4 port, seen from the manager.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address. 1 to 64.
    data_width : :class:`int`
        Bits of a beat. A power of two from 8 to 1024.
    id_width : :class:`int`
        Bits of an ID.
    user_width : :class:`int`
        Bits of AxUSER; zero means that there is none.

    Members
    -------
    aw, ar : ``Out(stream.Signature(address_layout(...)))``
    w : ``Out(stream.Signature(write_data_layout(...)))``
    b : ``In(stream.Signature(response_layout(...)))``
    r : ``In(stream.Signature(read_data_layout(...)))``

    Raises
    ------
    ValueError
        If the data width is none that AXI4 has.
    """

    def __init__(self, *, addr_width: int, data_width: int, id_width: int, user_width: int = 0):
        _require_data_width(data_width, (8, 16, 32, 64, 128, 256, 512, 1024))
        self.addr_width = addr_width
        self.data_width = data_width
        self.id_width = id_width
        self.user_width = user_width
        address = stream.Signature(address_layout(addr_width=addr_width, id_width=id_width, user_width=user_width))
        super().__init__({
            "aw": Out(address),
            "w": Out(stream.Signature(write_data_layout(data_width))),
            "b": In(stream.Signature(response_layout(id_width))),
            "ar": Out(address),
            "r": In(stream.Signature(read_data_layout(id_width, data_width))),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Axi4Signature) and self.members == other.members


class AxiLiteSignature(wiring.Signature):
    """An AXI4-Lite port, seen from the manager.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address. 1 to 64.
    data_width : :class:`int`
        Bits of a beat. 32 or 64.

    Members
    -------
    aw, ar : ``Out(stream.Signature(StructLayout({"addr", "prot"})))``
    w : ``Out(stream.Signature(StructLayout({"data", "strb"})))``
    b : ``In(stream.Signature(StructLayout({"resp"})))``
    r : ``In(stream.Signature(StructLayout({"data", "resp"})))``

    Raises
    ------
    ValueError
        If the data width is none that AXI4-Lite has.
    """

    def __init__(self, *, addr_width: int, data_width: int = 32):
        _require_data_width(data_width, (32, 64))
        self.addr_width = addr_width
        self.data_width = data_width
        address = stream.Signature(StructLayout({"addr": unsigned(addr_width), "prot": unsigned(3)}))
        super().__init__({
            "aw": Out(address),
            "w": Out(stream.Signature(StructLayout({"data": unsigned(data_width), "strb": unsigned(data_width // 8)}))),
            "b": In(stream.Signature(StructLayout({"resp": Response}))),
            "ar": Out(address),
            "r": In(stream.Signature(StructLayout({"data": unsigned(data_width), "resp": Response}))),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AxiLiteSignature) and self.members == other.members
