"""From DRAM's read data to the manager's, in the order that each ID asks for."""

from amaranth import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import read_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.queue import ReservedQueue

from .entry import delivery_layout

__all__ = ["ReadDeliver"]

PLAIN, DECRYPTED, WAITING, DENIED = range(4)


class ReadDeliver(Component):
    """Chooses the next beat for the manager among plain, decrypted and denied ones.

    Plain beats go first, so that encrypted ones of other IDs do not delay them; a plain beat that has to
    go behind an encrypted one of its own ID waits in a queue of its own.

    Latency: one cycle for plain beats, none for the others. Throughput: one beat a cycle. Stalls:
    ``plain`` never waits; ``r`` stays while the manager waits.

    Parameters
    ----------
    entries, id_width, data_width : :class:`int`
        Size of the table, widths of an ID and of a beat.
    plain_beats : :class:`int`
        Plain beats that can be stored.
    patience : :class:`int`
        How many plain beats in a row may pass others that wait.

    Members
    -------
    plain : ``In(stream.Signature(delivery_layout(...), always_ready=True))``
    plain_must_wait : ``In(1)``
        Whether that beat has to go behind an encrypted one.
    decrypted : ``In(stream.Signature(delivery_layout(...)))``
    denied : ``In(stream.Signature(read_data_layout(...)))``
    first_in_line : ``In(entries)``
        Bursts before which nothing of their ID remains to be delivered.
    r : ``Out(stream.Signature(read_data_layout(...)))``
    plain_delivered : ``Out(1)``
        High in a cycle in which a plain beat leaves.
    deliver : ``Out(1)``
        High in a cycle in which the last beat of burst ``deliver_index`` leaves.
    deliver_index : ``Out(range(entries))``
    """

    def __init__(self, *, entries: int, id_width: int, data_width: int, plain_beats: int, patience: int) -> None:
        self.delivery_layout = delivery_layout(entries=entries, id_width=id_width, data_width=data_width)
        self.plain_beats = plain_beats
        self.patience = patience
        beat = read_data_layout(id_width, data_width)
        super().__init__({
            "plain": In(stream.Signature(self.delivery_layout, always_ready=True)),
            "plain_must_wait": In(1),
            "decrypted": In(stream.Signature(self.delivery_layout)),
            "denied": In(stream.Signature(beat)),
            "first_in_line": In(entries),
            "r": Out(stream.Signature(beat)),
            "plain_delivered": Out(1),
            "deliver": Out(1),
            "deliver_index": Out(range(entries)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.arbiter = arbiter = PatientArbiter(count=4, patience=self.patience)
        queues = {}
        for source, name in ((PLAIN, "plain"), (WAITING, "waiting")):
            queues[source] = queue = ReservedQueue(shape=self.delivery_layout, depth=self.plain_beats, bypass=False)
            m.submodules[name] = queue
            m.d.comb += [
                queue.i.payload.eq(self.plain.payload),
                queue.i.valid.eq(self.plain.valid & (self.plain_must_wait == (source == WAITING))),
            ]
        sources = {PLAIN: queues[PLAIN].o, DECRYPTED: self.decrypted, WAITING: queues[WAITING].o}

        def is_first(source):
            return self.first_in_line.bit_select(sources[source].payload.index, 1)

        chosen = Signal(self.delivery_layout)
        taken = Signal()
        m.d.comb += [
            arbiter.requests[PLAIN].eq(sources[PLAIN].valid),
            arbiter.requests[DECRYPTED].eq(sources[DECRYPTED].valid & is_first(DECRYPTED)),
            arbiter.requests[WAITING].eq(sources[WAITING].valid & is_first(WAITING)),
            arbiter.requests[DENIED].eq(self.denied.valid),
            arbiter.taken.eq(self.r.ready),
            taken.eq(arbiter.valid & self.r.ready),
            self.r.valid.eq(arbiter.valid),
            self.r.payload.eq(chosen.beat),
            self.deliver.eq(taken & chosen.is_end),
            self.deliver_index.eq(chosen.index),
            self.plain_delivered.eq(taken & ((arbiter.choice == PLAIN) | (arbiter.choice == WAITING))),
        ]
        with m.Switch(arbiter.choice):
            for source, beats in sources.items():
                with m.Case(source):
                    m.d.comb += [chosen.eq(beats.payload), beats.ready.eq(taken)]
            with m.Default():
                m.d.comb += [chosen.beat.eq(self.denied.payload), self.denied.ready.eq(taken)]
        return m
