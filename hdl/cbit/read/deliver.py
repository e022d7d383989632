"""From plain and decrypted beats to the manager's, in the order that each ID asks for."""

from collections.abc import Callable

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.axi.beat import BeatShape
from cbit.axi.ports import read_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.hop import Hop
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage

from .decrypt import decrypted_layout
from .deep_queue import DeepQueue
from .entry import TICKET_BITS
from .gate import Gate
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
    data_width, id_width : :class:`int`
        Bits of a beat and of an ID.
    plain_beats, decrypted_beats : :class:`int`
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
        High in a cycle in which a plain or a decrypted beat has left its store, or if pipelined after it.
    end, ended : ``Out(1)``
        It was the last one of a burst of generation ``ended``.
    encrypted_left : ``Out(TICKET_BITS)``
        Number of decrypted beats that have left.
    """

    def __init__(self, *, data_width: int, id_width: int, plain_beats: int, decrypted_beats: int, patience: int,
                 pipelined: bool) -> None:
        self.repeat = unsigned(BeatShape(data_width).size)
        self.plain_beats = plain_beats
        self.decrypted_beats = decrypted_beats
        self.patience = patience
        self.pipelined = pipelined
        widths = {"data_width": data_width, "id_width": id_width}
        beat = read_data_layout(id_width, data_width)
        self.chosen_layout = StructLayout({"beat": beat, "repeat": self.repeat, "is_single": unsigned(1)})
        super().__init__({
            "plain": In(stream.Signature(plain_beat_layout(**widths), always_ready=True)),
            "decrypted": In(stream.Signature(decrypted_layout(**widths), always_ready=True)),
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
        plain = self._store(m, "plain", self.plain_beats, self.encrypted_left, lambda payload, left:
                            ~payload.place.is_behind | has_reached(left, payload.place.mark), bypass=False)
        decrypted = self._store(m, "decrypted", self.decrypted_beats, plain_left, lambda payload, left:
                                has_reached(left, payload.mark), bypass=not self.pipelined)
        chosen = self._part(m, "chosen", self.chosen_layout)
        requests, taken = Signal(3), Signal(3)
        m.submodules.arbiter = arbiter = PatientArbiter(count=3, patience=self.patience)
        m.d.comb += [
            requests.eq(Cat(plain.o.valid, decrypted.o.valid, self.denied.valid)),
            arbiter.requests.eq(requests),
            arbiter.taken.eq(chosen.i.ready),
            arbiter.keep.eq(not self.pipelined),
            chosen.i.valid.eq(arbiter.valid),
            *(taken[number].eq(requests[number] & chosen.i.ready & (arbiter.choice == number)) for number in range(3)),
            *(source.ready.eq(taken[number]) for number, source in enumerate((plain.o, decrypted.o, self.denied))),
        ]
        with m.If(taken[PLAIN]):
            m.d.sync += plain_left.eq(plain_left + 1)
        with m.If(taken[DECRYPTED]):
            m.d.sync += self.encrypted_left.eq(self.encrypted_left + 1)
        self._take(m, arbiter.choice, plain.o.payload, decrypted.o.payload, chosen.i.payload)
        self._tell(m, taken, plain.o.payload, decrypted.o.payload)
        self._repeat(m, chosen)
        return m

    def _store(self, m: Module, name: str, depth: int, left: Signal, may_leave: Callable[..., Value], *,
               bypass: bool) -> Gate:
        """A store of beats; returns the gate through which they leave."""
        source = getattr(self, name)
        m.submodules[name] = queue = DeepQueue(shape=source.payload.shape(), depth=depth, bypass=bypass,
                                               pipelined=self.pipelined)
        m.submodules[f"{name}_gate"] = gate = Gate(shape=source.payload.shape(), state=left.shape(),
                                                   may_leave=may_leave, pipelined=self.pipelined)
        connect(m, queue.o, gate.i)
        m.d.comb += [queue.i.payload.eq(source.payload), queue.i.valid.eq(source.valid), gate.state.eq(left)]
        return gate

    def _part(self, m: Module, name: str, shape):
        """A wire, or if pipelined two registers."""
        m.submodules[name] = part = (
            RegisterSlice(shape=shape) if self.pipelined else Hop(shape=shape, registered=False))
        return part

    def _take(self, m: Module, choice: Signal, plain, decrypted, chosen) -> None:
        with m.Switch(choice):
            with m.Case(PLAIN):
                m.d.comb += chosen.beat.eq(plain.beat)
            with m.Case(DECRYPTED):
                m.d.comb += [chosen.beat.eq(decrypted.beat), chosen.repeat.eq(decrypted.repeat)]
            with m.Default():
                m.d.comb += chosen.beat.eq(self.denied.payload)
        m.d.comb += chosen.is_single.eq(chosen.repeat == 0)

    def _tell(self, m: Module, taken: Signal, plain, decrypted) -> None:
        """Tells of what has left its store."""
        layout = StructLayout({"left": 1, "end": 1, "ended": 1})
        m.submodules.gone = gone = Stage(shape=layout, registered=self.pipelined)
        m.d.comb += [
            gone.advance.eq(1),
            gone.i.left.eq(taken[PLAIN] | taken[DECRYPTED]),
            gone.i.end.eq((taken[PLAIN] & plain.beat.last) | (taken[DECRYPTED] & decrypted.is_end)),
            gone.i.ended.eq(Mux(taken[PLAIN], plain.generation, decrypted.generation)),
            *(getattr(self, field).eq(gone.o[field]) for field in ("left", "end", "ended")),
        ]

    def _repeat(self, m: Module, chosen) -> None:
        """Gives a decrypted beat once for each beat of the manager that it serves."""
        given = chosen.o.payload
        repeated = Signal(self.repeat)
        is_repeat, is_last_repeat, is_last = Signal(), Signal(), Signal()
        m.d.comb += [
            is_last.eq(Mux(is_repeat, is_last_repeat, given.is_single)),
            self.r.valid.eq(chosen.o.valid),
            self.r.payload.eq(given.beat),
            self.r.payload.last.eq(given.beat.last & is_last),
            chosen.o.ready.eq(self.r.ready & is_last),
        ]
        with m.If(self.r.valid & self.r.ready):
            m.d.sync += [
                is_repeat.eq(~is_last),
                is_last_repeat.eq(repeated + 1 == given.repeat),
                repeated.eq(Mux(is_last, 0, repeated + 1)),
            ]
