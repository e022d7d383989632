"""The bus of the processor inside the PSP: Wishbone classic, one word at a time."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WishboneSignature"]


class WishboneSignature(wiring.Signature):
    """A Wishbone classic port, seen from the manager (Wishbone B4, 3.2).

    Byte ``i`` of a word is bits ``8i+7..8i``. An access lasts from ``stb`` until the cycle in which ``ack`` is high,
    after which ``stb`` is low for a cycle or more; until then nothing of it changes.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of a word's address, 1 to 30.

    Members
    -------
    adr : ``Out(addr_width)``
        Address of the word, in words.
    dat_w : ``Out(32)``
        What is written.
    sel : ``Out(4)``
        Which bytes are written.
    we : ``Out(1)``
        It is a write.
    stb : ``Out(1)``
        There is an access.
    dat_r : ``In(32)``
        What is read; any value while ``ack`` is low.
    ack : ``In(1)``
        The access is done.
    """

    def __init__(self, *, addr_width: int = 30):
        self.addr_width = addr_width
        super().__init__({
            "adr": Out(addr_width),
            "dat_w": Out(32),
            "sel": Out(4),
            "we": Out(1),
            "stb": Out(1),
            "dat_r": In(32),
            "ack": In(1),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WishboneSignature) and self.addr_width == other.addr_width
