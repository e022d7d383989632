"""Sorts DRAM's beats: plain ones on their way to the manager, encrypted ones to decryption."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BeatShape
from cbit.axi.ports import Response, read_data_layout
from cbit.stream.delay import Delay
from cbit.stream.stage import Stage

from .entry import TICKET_BITS, ReadKind, burst_layout
from .lists import BurstLists
from .order import ArrivalOrder, place_layout

__all__ = ["WAITING_BEATS", "ReadSort", "cipher_beat_layout", "plain_beat_layout"]

WAITING_BEATS = 16
"""Encrypted beats that may wait for their tweaks or for the lane, those included that are being sorted."""


def plain_beat_layout(*, data_width: int, id_width: int) -> StructLayout:
    """A beat for the manager, its place in the order, and the generation of its burst."""
    return StructLayout({"beat": read_data_layout(id_width, data_width), "place": place_layout(),
                         "generation": unsigned(1)})


def cipher_beat_layout(*, data_width: int, entries: int) -> StructLayout:
    """Beat ``number`` of the burst of entry ``index``; it leaves only after ``mark`` plain beats."""
    return StructLayout({"index": range(entries), "number": unsigned(BeatShape(data_width).number_bits),
                         "data": unsigned(data_width), "resp": Response, "last": unsigned(1),
                         "mark": unsigned(TICKET_BITS)})


def _decided_layout(found: StructLayout) -> StructLayout:
    return StructLayout({"is_taken": 1, "is_plain": 1, "is_cipher": 1, "found": found})


class ReadSort(Component):
    """Finds the burst of each beat of DRAM, and sends the beat where it belongs.

    A beat that nobody has asked for is dropped.

    Latency: none, or if pipelined five cycles. Throughput: one beat a cycle. Stalls: ``i.ready`` comes
    from a register; it is low only while almost :data:`WAITING_BEATS` beats are on their way to the lane,
    whatever managers do.

    Parameters
    ----------
    data_width, id_width : :class:`int`
        Bits of a beat and of an ID.
    bursts, entries : :class:`int`
        Bursts in DRAM, and those of them that have to be decrypted.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    i : ``In(stream.Signature(read_data_layout(...)))``
    is_ready, follows, append, append_id, append_burst
        As in :class:`~cbit.read.lists.BurstLists`.
    encrypted_left : ``In(TICKET_BITS)``
        As in :class:`~cbit.read.order.ArrivalOrder`.
    plain : ``Out(stream.Signature(plain_beat_layout(...), always_ready=True))``
    cipher : ``Out(stream.Signature(cipher_beat_layout(...), always_ready=True))``
    cipher_left : ``In(1)``
        High in a cycle in which one of these enters the lane.
    """

    def __init__(self, *, data_width: int, id_width: int, bursts: int, entries: int, pipelined: bool) -> None:
        self.pipelined = pipelined
        burst = burst_layout(entries=entries)
        self.lists = BurstLists(id_width=id_width, bursts=bursts, shape=burst, beats=BeatShape(data_width).per_line,
                                pipelined=pipelined)
        self.order = ArrivalOrder(id_width=id_width, pipelined=pipelined)
        super().__init__({
            "i": In(stream.Signature(read_data_layout(id_width, data_width))),
            "is_ready": Out(1),
            "follows": Out(1),
            "append": In(1),
            "append_id": In(id_width),
            "append_burst": In(burst),
            "encrypted_left": In(TICKET_BITS),
            "plain": Out(stream.Signature(plain_beat_layout(data_width=data_width, id_width=id_width),
                                          always_ready=True)),
            "cipher": Out(stream.Signature(cipher_beat_layout(data_width=data_width, entries=entries),
                                           always_ready=True)),
            "cipher_left": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.lists = lists = self.lists
        m.submodules.order = order = self.order
        taken = StructLayout({"valid": 1, "beat": self.i.payload.shape()})
        m.submodules.arrival = arrival = Stage(shape=taken, registered=self.pipelined)
        came = arrival.o
        m.d.comb += [
            arrival.advance.eq(1),
            arrival.i.valid.eq(self.i.valid & self.i.ready),
            arrival.i.beat.eq(self.i.payload),
            self.is_ready.eq(lists.is_ready),
            self.follows.eq(lists.follows),
            lists.append.eq(self.append),
            lists.append_id.eq(self.append_id),
            lists.append_burst.eq(self.append_burst),
            lists.beat.valid.eq(came.valid),
            lists.beat.id.eq(came.beat.id),
            lists.beat.last.eq(came.beat.last),
        ]

        found, decided = lists.found, Signal(_decided_layout(lists.found.shape()))
        is_plain, is_encrypted, is_cipher = Signal(), Signal(), Signal()
        m.d.comb += [
            is_plain.eq(found.hit & (found.burst.kind == ReadKind.PLAIN)),
            is_encrypted.eq(found.hit & (found.burst.kind == ReadKind.ENCRYPTED)),
            is_cipher.eq(found.hit & (found.burst.kind != ReadKind.PLAIN)),
            order.plain.eq(is_plain),
            order.encrypted.eq(is_encrypted),
            order.id.eq(self._later(m, came.beat.id, lists.latency_cycles)),
            order.encrypted_left.eq(self.encrypted_left),
            decided.is_plain.eq(is_plain),
            decided.is_cipher.eq(is_cipher),
            decided.is_taken.eq(self._later(m, came.valid, lists.latency_cycles)),
            decided.found.eq(found),
        ]
        self._send(m, self._later(m, decided, order.latency_cycles), self._beside(m, came.beat))
        return m

    def _later(self, m: Module, value, cycles: int):
        """The value so many cycles ago."""
        for _ in range(cycles):
            m.submodules += (stage := Stage(shape=value.shape(), registered=True))
            m.d.comb += [stage.i.eq(value), stage.advance.eq(1)]
            value = stage.o
        return value

    def _beside(self, m: Module, beat):
        """The beat, as it is wanted where it has been sorted."""
        if not self.pipelined:
            return beat
        m.submodules.beside = beside = Delay(shape=beat.shape(),
                                             cycles=self.lists.latency_cycles + self.order.latency_cycles)
        m.d.comb += beside.i.eq(beat)
        return beside.o

    def _send(self, m: Module, decided, beat) -> None:
        plain, cipher, place = self.plain, self.cipher, self.order.place
        m.d.comb += [
            plain.valid.eq(decided.is_plain),
            plain.payload.beat.eq(beat),
            plain.payload.place.eq(place),
            plain.payload.generation.eq(decided.found.burst.generation),
            cipher.valid.eq(decided.is_cipher),
            cipher.payload.index.eq(decided.found.burst.index),
            cipher.payload.number.eq(decided.found.number),
            *(cipher.payload[field].eq(beat[field]) for field in ("data", "resp", "last")),
            cipher.payload.mark.eq(place.mark),
        ]
        # Beats taken that may want to wait: all that are not sorted yet, and those before the lane.
        waiting = Signal(range(WAITING_BEATS + 1))
        m.d.sync += [
            waiting.eq(waiting + (self.i.valid & self.i.ready) - (decided.is_taken & ~decided.is_cipher)
                       - self.cipher_left),
            self.i.ready.eq(waiting < WAITING_BEATS - 2),
        ]
