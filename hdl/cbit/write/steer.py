"""Gives each beat of write data to the access whose turn it is."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BeatShape
from cbit.axi.ports import write_data_layout

from .entry import NUMBER_BITS, PAGE_CLASS_BITS
from .route import LINE_CLASS_BITS, Way, turn_layout

__all__ = ["WriteSteer", "beat_layout"]


def beat_layout(*, data_width: int, id_width: int) -> StructLayout:
    """A beat of a manager's, which belongs to beat number ``beat`` of a line if it is to be encrypted.

    ``is_first`` and ``is_last`` mark the ends of a plain write or line, ``is_end`` the end of a beat of the line.
    """
    return StructLayout({
        "way": Way,
        "is_first": unsigned(1),
        "is_last": unsigned(1),
        "is_end": unsigned(1),
        "number": unsigned(NUMBER_BITS),
        "id": unsigned(id_width),
        "page_class": unsigned(PAGE_CLASS_BITS),
        "line_class": unsigned(LINE_CLASS_BITS),
        "beat": unsigned(BeatShape(data_width).number_bits),
        "data": unsigned(data_width),
        "strb": unsigned(data_width // 8),
    })


class WriteSteer(Component):
    """Counts the beats of each turn, and says of each where it belongs.

    A write has the beats that its address promises. WLAST of the managers is not heeded, lest a wrong one give a
    write's data to the next.

    Latency: none. Throughput: one beat a cycle. Stalls: data that come before their turn wait.

    Parameters
    ----------
    data_width, id_width : :class:`int`
        Widths of a beat and of an ID.
    pipelined : :class:`bool`
        Whether a register tells that a beat is its turn's last.

    Members
    -------
    turn : ``In(stream.Signature(turn_layout(...)))``
        Taken with its last beat.
    next_is_single : ``In(1)``
        If pipelined, ``is_single`` as ``turn`` has it in the next cycle if in this one it is taken or not valid.
    w : ``In(stream.Signature(write_data_layout(data_width)))``
    plain_has_room : ``In(1)``
        Whether a plain beat may go on; others always may.
    beat : ``Out(stream.Signature(beat_layout(...), always_ready=True))``
    emptied : ``Out(1)``
        High with the last beat of a write that goes nowhere.
    """

    def __init__(self, *, data_width: int, id_width: int, pipelined: bool) -> None:
        self.shape = BeatShape(data_width)
        self.pipelined = pipelined
        super().__init__({
            "turn": In(stream.Signature(turn_layout(id_width=id_width))),
            "next_is_single": In(1),
            "w": In(stream.Signature(write_data_layout(data_width))),
            "plain_has_room": In(1),
            "beat": Out(stream.Signature(beat_layout(data_width=data_width, id_width=id_width), always_ready=True)),
            "emptied": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        turn, beat = self.turn.payload, self.beat.payload
        is_begun = Signal()
        beats_after = Signal(8)
        left = Signal(8)
        goes = Signal()
        m.d.comb += [
            goes.eq(self.turn.valid & self.w.valid & ((turn.way != Way.PLAIN) | self.plain_has_room)),
            self.w.ready.eq(goes),
            self.turn.ready.eq(goes & beat.is_last),
            self.beat.valid.eq(goes),
            self.emptied.eq(goes & beat.is_last & (turn.way == Way.NOWHERE)),
            *(beat[field].eq(turn[field]) for field in ("way", "number", "id", "page_class", "line_class")),
            beat.data.eq(self.w.payload.data),
            beat.strb.eq(self.w.payload.strb),
            beat.is_first.eq(~is_begun),
            beats_after.eq(Mux(is_begun, left, turn.beats) - 1),
        ]
        with m.If(goes):
            m.d.sync += [is_begun.eq(~beat.is_last), left.eq(beats_after)]
        self._find_last(m, goes, is_begun, beats_after == 0)
        self._find_place(m, goes, is_begun)
        return m

    def _find_last(self, m: Module, goes: Signal, is_begun: Signal, next_is_last: Value) -> None:
        """Whether a beat is its turn's last; if pipelined, the next turn is asked a cycle before it comes."""
        turn, beat = self.turn.payload, self.beat.payload
        is_at_last = Signal()
        if not self.pipelined:
            m.d.comb += beat.is_last.eq(Mux(is_begun, is_at_last, turn.is_single))
            with m.If(goes):
                m.d.sync += is_at_last.eq(next_is_last)
            return
        m.d.comb += beat.is_last.eq(is_at_last)
        with m.If(goes & ~is_at_last):
            m.d.sync += is_at_last.eq(next_is_last)
        with m.Elif(goes | ~self.turn.valid):
            m.d.sync += is_at_last.eq(self.next_is_single)

    def _find_place(self, m: Module, goes: Signal, is_begun: Signal) -> None:
        """A beat ends its line's where the address bits above its size, and below that of the bus, are all ones."""
        turn, beat, bits = self.turn.payload, self.beat.payload, self.shape.size
        byte, next_byte = Signal(6), Signal(6)
        below_size = (1 << turn.size[:3])[:7] - 1
        m.d.comb += [
            byte.eq(Mux(is_begun, next_byte, turn.first_byte)),
            beat.beat.eq(byte[bits:]),
            beat.is_end.eq(beat.is_last | (~turn.is_fixed & (byte[:bits] | below_size[:bits]).all())),
        ]
        with m.If(goes):
            m.d.sync += next_byte.eq(Mux(turn.is_fixed, byte, byte + (1 << turn.size)[:bits + 1]))
