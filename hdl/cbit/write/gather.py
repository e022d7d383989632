"""Collects the beats of an encrypted write into blocks."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from .entry import NUMBER_BITS, PAGE_CLASS_BITS
from .route import LINE_CLASS_BITS, Way
from .steer import beat_layout

__all__ = ["WriteGather", "block_layout", "event_layout"]


def event_layout(*, id_width: int) -> StructLayout:
    """Either a plain write's first beat, or a block of which all beats have come.

    Of the block, some bytes are to be written if ``is_written``, and some are not if ``is_partial``, too. ``is_last``
    marks the last block of its line.
    """
    return StructLayout({
        "is_plain": unsigned(1),
        "is_block": unsigned(1),
        "is_written": unsigned(1),
        "is_partial": unsigned(1),
        "is_last": unsigned(1),
        "number": unsigned(NUMBER_BITS),
        "id": unsigned(id_width),
        "page_class": unsigned(PAGE_CLASS_BITS),
        "line_class": unsigned(LINE_CLASS_BITS),
        "block": unsigned(2),
    })


def block_layout() -> StructLayout:
    """A block of plaintext, of whose bytes those with a bit in ``strb`` count."""
    return StructLayout({"data": unsigned(128), "strb": unsigned(16)})


class WriteGather(Component):
    """Puts beats, however narrow, together to blocks; where bytes come twice the last ones count.

    Latency: none. Throughput: one beat a cycle. Stalls: none.

    Parameters
    ----------
    id_width : :class:`int`
        Width of an ID.

    Members
    -------
    beat : ``In(stream.Signature(beat_layout(...), always_ready=True))``
    event : ``Out(event_layout(...))``
        What this beat begins or ends.
    block : ``Out(block_layout())``
        The block, while ``event.is_block``.
    """

    def __init__(self, *, id_width: int) -> None:
        super().__init__({
            "beat": In(stream.Signature(beat_layout(id_width=id_width), always_ready=True)),
            "event": Out(event_layout(id_width=id_width)),
            "block": Out(block_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        beat, event, block = self.beat.payload, self.event, self.block
        # Bytes count only with their strobe, which is reset.
        data, strb = Signal(128, reset_less=True), Signal(16)
        is_encrypted, brings = Signal(), Signal(16)
        m.d.comb += [
            is_encrypted.eq(self.beat.valid & (beat.way == Way.ENCRYPTED)),
            # What is not encrypted brings nothing, so that bytes are kept without an enable that all would wait for.
            brings.eq(beat.strb & is_encrypted.replicate(16)),
            block.strb.eq(strb | brings),
            *(block.data.word_select(byte, 8).eq(
                Mux(brings[byte], beat.data.word_select(byte, 8), data.word_select(byte, 8)))
              for byte in range(16)),
            event.is_plain.eq(self.beat.valid & (beat.way == Way.PLAIN) & beat.is_first),
            event.is_block.eq(is_encrypted & beat.is_end),
            event.is_written.eq(block.strb.any()),
            event.is_partial.eq(block.strb.any() & ~block.strb.all()),
            *(event[field].eq(beat[field])
              for field in ("is_last", "number", "id", "page_class", "line_class", "block")),
        ]
        m.d.sync += [data.eq(block.data), strb.eq(Mux(event.is_block, 0, block.strb))]
        return m
