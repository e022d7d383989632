"""The pins of an SDR SDRAM, as the controller drives them, and on a board."""

from amaranth import Module
from amaranth.hdl import Value
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SdramPads", "connect_output", "connect_pads"]

_BOARD_NAMES = {"a": "a", "ba": "ba", "dm": "dqm", "ras_n": "ras", "cas_n": "cas", "we_n": "we"}
"""Pins to the names that boards of ``amaranth-boards`` have for them."""

_FIXED_BY_SOME = {"cke": "clk_en", "cs_n": "cs"}
"""The same of pins that a board may have tied to the level at which the chip works."""


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


def connect_pads(m: Module, pads, ports, *, has_byte_masks: bool = True) -> None:
    """Connects a controller's pins to a board's, with a buffer for each, all but the clock.

    Parameters
    ----------
    m : :class:`~amaranth.hdl.Module`
        Gets the buffers.
    pads
        Of the signature :class:`SdramPads`.
    ports
        The board's ports: ``platform.request("sdram", dir={name: "-" for each pin})``, with the names of
        ``amaranth-boards``.
    has_byte_masks
        Whether the board has wired the masks of bytes. Without, the controller must be given whole beats only.

    Raises
    ------
    ValueError
        If a pin is missing that the controller must have, or there are fewer of a kind than it has, or there are masks
        of bytes where there should be none. With masks that are not there, a write of a byte would write its neighbors.
    """
    if not has_byte_masks and hasattr(ports, _BOARD_NAMES["dm"]):
        raise ValueError(f"The board's SDRAM must have no pins {_BOARD_NAMES['dm']}, for it is told to have none")
    wanted = _BOARD_NAMES | {pin: name for pin, name in _FIXED_BY_SOME.items() if hasattr(ports, name)}
    if not has_byte_masks:
        del wanted["dm"]
    for pin, name in {**wanted, "dq_o": "dq"}.items():
        count = len(getattr(ports, name, ()))
        if count < len(getattr(pads, pin)):
            raise ValueError(f"The board's SDRAM must have {len(getattr(pads, pin))} pins {name}, not {count}")
    for pin, name in wanted.items():
        connect_output(m, pin, getattr(ports, name), getattr(pads, pin))
    for bit in range(len(pads.dq_o)):
        m.submodules[f"dq_{bit}_pin"] = buffer = io.Buffer("io", ports.dq[bit])
        m.d.comb += [
            buffer.o.eq(pads.dq_o[bit]),
            buffer.oe.eq(pads.dq_oe[bit]),
            pads.dq_i[bit].eq(buffer.i),
        ]


def connect_output(m: Module, name: str, port: io.SingleEndedPort, signal: Value) -> None:
    """Drives pins of a chip, the first of a port, with a buffer for each: with the level of a signal, also where the
    board's pins are active low, as registers of pins must drive them, with no logic in between."""
    pins = port[:len(signal)]
    m.submodules[f"{name}_pins"] = buffer = io.Buffer("o", io.SingleEndedPort(pins.io, direction=pins.direction))
    m.d.comb += buffer.o.eq(signal)
