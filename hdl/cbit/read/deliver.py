"""From plain and decrypted beats to the manager's, in the order that each ID asks for."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import read_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.hop import Hop

from .decrypt import decrypted_layout
from .deep_queue import DeepQueue
from .entry import TICKET_BITS
from .order import has_reached
from .sort import plain_beat_layout

__all__ = ["ReadDeliver"]

PLAIN, DECRYPTED, DENIED = range(3)


class ReadDeliver(Component):
    """Stores beats and chooses the next for the manager among plain, decrypted and denied ones.

    Plain beats go first, so that encrypted ones of other IDs do not delay them, up to ``patience`` times
    in a row; each beat goes only in its place.

    Latency: one cycle for plain beats, none for the others; if pipelined three, three, and one. Throughput:
    one beat a cycle. Stalls: only ``denied`` waits; ``r`` stays while the manager waits.

    Parameters
    ----------
    id_width : :class:`int`
        Bits of an ID.
    plain_beats, decrypted_blocks : :class:`int`
        What can be stored.
    patience : :class:`int`
        How many plain beats in a row may pass others that wait.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    plain : ``In(stream.Signature(plain_beat_layout(...), always_ready=True))``
    decrypted : ``In(stream.Signature(decrypted_layout(...), always_ready=True))``
    denied : ``In(stream.Signature(read_data_layout(...)))``
    r : ``Out(stream.Signature(read_data_layout(...)))``
    left : ``Out(1)``
        High in a cycle in which a plain beat or a decrypted block has left its store.
    end, ended : ``Out(1)``
        It was the last one of a burst of generation ``ended``.
    encrypted_left : ``Out(TICKET_BITS)``
        Number of decrypted blocks that have left.
    """

    def __init__(self, *, id_width: int, plain_beats: int, decrypted_blocks: int, patience: int,
                 pipelined: bool) -> None:
        self.plain_beats = plain_beats
        self.decrypted_blocks = decrypted_blocks
        self.patience = patience
        self.pipelined = pipelined
        beat = read_data_layout(id_width, 128)
        self.chosen_layout = StructLayout({"beat": beat, "repeat": unsigned(4)})
        super().__init__({
            "plain": In(stream.Signature(plain_beat_layout(id_width=id_width), always_ready=True)),
            "decrypted": In(stream.Signature(decrypted_layout(id_width=id_width), always_ready=True)),
            "denied": In(stream.Signature(beat)),
            "r": Out(stream.Signature(beat)),
            "left": Out(1),
            "end": Out(1),
            "ended": Out(1),
            "encrypted_left": Out(TICKET_BITS),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        plain_left = Signal(TICKET_BITS)
        plain, plain_may = self._store(m, "plain", self.plain_beats, bypass=False)
        decrypted, decrypted_may = self._store(m, "decrypted", self.decrypted_blocks, bypass=not self.pipelined)
        m.d.comb += [
            plain_may.eq(~plain.i.payload.place.is_behind
                         | has_reached(self.encrypted_left, plain.i.payload.place.mark)),
            decrypted_may.eq(has_reached(plain_left, decrypted.i.payload.mark)),
        ]

        m.submodules.arbiter = arbiter = PatientArbiter(count=3, patience=self.patience)
        m.submodules.chosen = chosen = Hop(shape=self.chosen_layout, registered=self.pipelined)
        taken = Signal(3)
        goes = Signal()
        m.d.comb += [
            arbiter.requests[PLAIN].eq(plain.o.valid),
            arbiter.requests[DECRYPTED].eq(decrypted.o.valid),
            arbiter.requests[DENIED].eq(self.denied.valid),
            arbiter.taken.eq(chosen.i.ready),
            arbiter.keep.eq(not self.pipelined),
            chosen.i.valid.eq(arbiter.valid),
            goes.eq(arbiter.valid & chosen.i.ready),
            *(taken[number].eq(goes & (arbiter.choice == number)) for number in range(3)),
            plain.o.ready.eq(taken[PLAIN]),
            decrypted.o.ready.eq(taken[DECRYPTED]),
            self.denied.ready.eq(taken[DENIED]),
            self.left.eq(taken[PLAIN] | taken[DECRYPTED]),
        ]
        with m.Switch(arbiter.choice):
            with m.Case(PLAIN):
                m.d.comb += [
                    chosen.i.payload.beat.eq(plain.o.payload.beat),
                    self.end.eq(taken[PLAIN] & plain.o.payload.beat.last),
                    self.ended.eq(plain.o.payload.generation),
                ]
            with m.Case(DECRYPTED):
                m.d.comb += [
                    chosen.i.payload.beat.eq(decrypted.o.payload.beat),
                    chosen.i.payload.repeat.eq(decrypted.o.payload.repeat),
                    self.end.eq(taken[DECRYPTED] & decrypted.o.payload.is_end),
                    self.ended.eq(decrypted.o.payload.generation),
                ]
            with m.Default():
                m.d.comb += chosen.i.payload.beat.eq(self.denied.payload)
        m.d.sync += [
            plain_left.eq(plain_left + taken[PLAIN]),
            self.encrypted_left.eq(self.encrypted_left + taken[DECRYPTED]),
        ]
        self._repeat(m, chosen)
        return m

    def _store(self, m: Module, name: str, depth: int, *, bypass: bool) -> tuple[Hop, Signal]:
        """A store of beats, what comes out of it, and the signal that lets its oldest beat out."""
        source = getattr(self, name)
        queue = DeepQueue(shape=source.payload.shape(), depth=depth, bypass=bypass, pipelined=self.pipelined)
        out = Hop(shape=source.payload.shape(), registered=self.pipelined)
        m.submodules[name] = queue
        m.submodules[f"{name}_out"] = out
        may_leave = Signal(name=f"{name}_may_leave")
        m.d.comb += [
            queue.i.payload.eq(source.payload),
            queue.i.valid.eq(source.valid),
            out.i.payload.eq(queue.o.payload),
            out.i.valid.eq(queue.o.valid & may_leave),
            queue.o.ready.eq(out.i.ready & may_leave),
        ]
        return out, may_leave

    def _repeat(self, m: Module, chosen: Hop) -> None:
        """Gives a block once for each beat that it serves."""
        repeated = Signal(4)
        is_last = Signal()
        m.d.comb += [
            is_last.eq(repeated == chosen.o.payload.repeat),
            self.r.valid.eq(chosen.o.valid),
            self.r.payload.eq(chosen.o.payload.beat),
            self.r.payload.last.eq(chosen.o.payload.beat.last & is_last),
            chosen.o.ready.eq(self.r.ready & is_last),
        ]
        with m.If(self.r.valid & self.r.ready):
            m.d.sync += repeated.eq(Mux(is_last, 0, repeated + 1))
