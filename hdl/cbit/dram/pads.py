"""The pins of an SDR SDRAM, as the controller drives them."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SdramPads"]


class SdramPads(wiring.Signature):
    """The pins of SDR SDRAM, seen from the controller, all but the clock. Those that end in ``_n`` are active low.

    Parameters
    ----------
    row_width, bank_width : :class:`int`
        Bits of a row's address, and of a bank's.
    width : :class:`int`
        Data pins. A multiple of 8.

    Members
    -------
    a : ``Out(row_width)``
    ba : ``Out(bank_width)``
    cke, cs_n, ras_n, cas_n, we_n : ``Out(1)``
    dm : ``Out(width // 8)``
        High: the byte is not written.
    dq_o, dq_oe : ``Out(width)``
        Data, and which of their pins are driven.
    dq_i : ``In(width)``
    """

    def __init__(self, *, row_width: int, bank_width: int, width: int):
        self.row_width = row_width
        self.bank_width = bank_width
        self.width = width
        super().__init__({
            "a": Out(row_width),
            "ba": Out(bank_width),
            **{name: Out(1) for name in ("cke", "cs_n", "ras_n", "cas_n", "we_n")},
            "dm": Out(width // 8),
            "dq_o": Out(width),
            "dq_oe": Out(width),
            "dq_i": In(width),
        })
