"""Collects the beats of an encrypted write into beats as wide as the bus."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BLOCK_BITS, BeatShape

from .entry import NUMBER_BITS, PAGE_CLASS_BITS
from .route import LINE_CLASS_BITS, Way
from .steer import beat_layout

__all__ = ["WriteGather", "event_layout", "whole_layout"]


def event_layout(*, data_width: int, id_width: int) -> StructLayout:
    """Either a plain write's first beat, or a whole beat of a line.

    Of the latter, ``written`` has a bit for each block of which some bytes are to be written; of one that
    ``is_partial`` some bytes of such a block are not. ``is_last`` marks the last beat of its line.
    """
    beat = BeatShape(data_width)
    return StructLayout({
        "is_plain": unsigned(1),
        "is_whole": unsigned(1),
        "written": unsigned(beat.blocks),
        "is_partial": unsigned(1),
        "is_last": unsigned(1),
        "number": unsigned(NUMBER_BITS),
        "id": unsigned(id_width),
        "page_class": unsigned(PAGE_CLASS_BITS),
        "line_class": unsigned(LINE_CLASS_BITS),
        "beat": unsigned(beat.number_bits),
    })


def whole_layout(*, data_width: int) -> StructLayout:
    """A beat of plaintext as wide as the bus, of whose bytes those with a bit in ``strb`` count."""
    return StructLayout({"data": unsigned(data_width), "strb": unsigned(data_width // 8)})


class WriteGather(Component):
    """Puts beats, however narrow, together to whole ones; where bytes come twice the last ones count.

    Latency: none. Throughput: one beat a cycle. Stalls: none.

    Parameters
    ----------
    data_width, id_width : :class:`int`
        Widths of a beat and of an ID.

    Members
    -------
    beat : ``In(stream.Signature(beat_layout(...), always_ready=True))``
    event : ``Out(event_layout(...))``
        What this beat begins or ends.
    whole : ``Out(whole_layout(...))``
        The whole beat, while ``event.is_whole``.
    """

    def __init__(self, *, data_width: int, id_width: int) -> None:
        self.shape = BeatShape(data_width)
        widths = {"data_width": data_width, "id_width": id_width}
        super().__init__({
            "beat": In(stream.Signature(beat_layout(**widths), always_ready=True)),
            "event": Out(event_layout(**widths)),
            "whole": Out(whole_layout(data_width=data_width)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        beat, event, whole, lanes = self.beat.payload, self.event, self.whole, self.shape.bytes
        # Bytes count only with their strobe, which is reset.
        data, strb = Signal(8 * lanes, reset_less=True), Signal(lanes)
        is_encrypted, brings = Signal(), Signal(lanes)
        blocks = [whole.strb.word_select(block, BLOCK_BITS // 8) for block in range(self.shape.blocks)]
        m.d.comb += [
            is_encrypted.eq(self.beat.valid & (beat.way == Way.ENCRYPTED)),
            # What is not encrypted brings nothing, so that bytes are kept without an enable that all would wait for.
            brings.eq(beat.strb & is_encrypted.replicate(lanes)),
            whole.strb.eq(strb | brings),
            *(whole.data.word_select(byte, 8).eq(
                Mux(brings[byte], beat.data.word_select(byte, 8), data.word_select(byte, 8)))
              for byte in range(lanes)),
            event.is_plain.eq(self.beat.valid & (beat.way == Way.PLAIN) & beat.is_first),
            event.is_whole.eq(is_encrypted & beat.is_end),
            event.written.eq(Cat(block.any() for block in blocks)),
            event.is_partial.eq(Cat(block.any() & ~block.all() for block in blocks).any()),
            *(event[field].eq(beat[field])
              for field in ("is_last", "number", "id", "page_class", "line_class", "beat")),
        ]
        m.d.sync += [data.eq(whole.data), strb.eq(Mux(event.is_whole, 0, whole.strb))]
        return m
