"""The order in which a request is carried out and answered."""

from amaranth import Array, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import enum, stream
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.soc.checks import is_one_of
from cbit.soc.inbox import InboxSignature
from cbit.soc.looks import LOOKS
from cbit.soc.outbox import OutboxSignature
from cbit.soc.protocol import Operation, Outcome

__all__ = ["Dispatcher", "Worker"]

_IDLE_BITS = 12


class Worker(enum.Enum, shape=2):
    """Who carries out a request."""

    IDENTITY = 0
    MEMORY = 1
    REGISTERS = 2


class Dispatcher(Component):
    """Has each request carried out by a worker once, and answered; a repeated one is only answered again.

    Before each request, and every 4096 cycles while there is none, it has the registers looked at that
    :mod:`cbit.soc.looks` names. A worker that is idle for too long is not asked again until reset.

    Latency: what the looks take, and five cycles. Throughput: a request at a time.

    Parameters
    ----------
    patience_bits : :class:`int`
        A worker is given ``2**patience_bits`` cycles from byte to byte. 6 to 32.

    Members
    -------
    inbox : ``In(InboxSignature())``
        Requests.
    outbox : ``Out(OutboxSignature())``
        Answers.
    line_busy : ``In(1)``
        An answer is being sent.
    refusal : ``In(Outcome)``
        What is wrong with the request.
    looks : ``Out(1)``
        The registers are asked for a look, not for the request.
    look_number : ``Out(range(LOOKS))``
        Which look.
    look_ends, look_is_good : ``Out(1)``
        As of :class:`~cbit.soc.looks.BoardState`.
    worker : ``Out(Worker)``
        Who is asked.
    start : ``Out(1)``
        It begins.
    done : ``In(1)``
        It has ended.
    response : ``In(Response)``
        With what.
    i : ``In(stream.Signature(8))``
        Bytes that it gives.
    o : ``Out(stream.Signature(8))``
        Bytes for it.
    flush : ``Out(1)``
        High for a cycle for each FLUSH.

    Raises
    ------
    ValueError
        If ``patience_bits`` is out of range.
    """

    def __init__(self, *, patience_bits: int) -> None:
        if patience_bits not in range(6, 33):
            raise ValueError(f"patience_bits must be 6 to 32, not {patience_bits!r}")
        self.patience_bits = patience_bits
        super().__init__({
            "inbox": In(InboxSignature()),
            "outbox": Out(OutboxSignature()),
            "line_busy": In(1),
            "refusal": In(Outcome),
            "looks": Out(1),
            "look_number": Out(range(LOOKS)),
            "look_ends": Out(1),
            "look_is_good": Out(1),
            "worker": Out(Worker),
            "start": Out(1),
            "done": In(1),
            "response": In(Response),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            "flush": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        inbox, outbox, request = self.inbox, self.outbox, self.inbox.request
        idle, patience = Signal(_IDLE_BITS), Signal(self.patience_bits)
        last, outcome, is_lost = Signal(8), Signal(Outcome), Array(Signal(name=f"{w.name}_lost") for w in Worker)
        is_lost_now, is_over = is_lost[self.worker.as_value()], patience.all()
        m.d.comb += self.worker.eq(self._choose(request.operation))
        m.d.sync += [idle.eq(idle + 1), patience.eq(patience + 1)]

        # Looks, then the request: its number, the work, its outcome, and the whole sent.
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += self.look_number.eq(0)
                with m.If(inbox.valid | idle.all()):
                    m.next = "LOOK"
            self._look(m, patience, is_over, is_lost_now)
            with m.State("BEGIN"):
                m.d.comb += [inbox.rewind.eq(1), outbox.clear.eq(inbox.valid)]
                m.next = "NUMBER"
                with m.If(~inbox.valid):
                    m.next = "IDLE"
                with m.Elif((request.sequence == last) & (last != 0)):
                    m.d.comb += [outbox.clear.eq(0), outbox.repeat.eq(1), inbox.take.eq(1)]
                    m.next = "SENDING"
            with m.State("NUMBER"):
                m.d.comb += [outbox.data.valid.eq(1), outbox.data.payload.eq(request.sequence)]
                m.d.sync += last.eq(request.sequence)
                m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += [outcome.eq(self.refusal), patience.eq(0)]
                m.next = "OUTCOME"
                with m.If(self.refusal == Outcome.OK):
                    m.d.comb += self.flush.eq(request.operation == Operation.FLUSH.value)
                    with m.If(is_lost_now):
                        m.d.sync += outcome.eq(Outcome.NO_ANSWER)
                    with m.Elif(~self.flush):
                        m.d.comb += self.start.eq(1)
                        m.next = "WORK"
            with m.State("WORK"):
                self._pass_bytes(m)
                with m.If((self.o.valid & self.o.ready) | self.i.valid):
                    m.d.sync += patience.eq(0)
                m.d.sync += outcome.eq(self._outcome())
                with m.If(self.done | is_over):
                    m.next = "OUTCOME"
                with m.If(~self.done & is_over):
                    m.d.sync += [outcome.eq(Outcome.NO_ANSWER), is_lost_now.eq(1)]
            with m.State("OUTCOME"):
                m.d.comb += [outbox.data.valid.eq(1), outbox.data.payload.eq(outcome)]
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [outbox.finish.eq(1), inbox.take.eq(1)]
                m.next = "SENDING"
            with m.State("SENDING"):
                with m.If(~self.line_busy):
                    m.next = "IDLE"
        return m

    def _choose(self, operation: Value) -> Value:
        is_memory = is_one_of(operation, Operation.READ_MEMORY, Operation.WRITE_MEMORY, Operation.READ_RAW,
                              Operation.WRITE_RAW)
        is_identity = is_one_of(operation, Operation.IDENTIFY, Operation.FLUSH)
        own = Mux(is_memory, Worker.MEMORY, Mux(is_identity, Worker.IDENTITY, Worker.REGISTERS))
        return Mux(self.looks, Worker.REGISTERS, own)

    def _look(self, m: Module, patience: Signal, is_over: Value, is_lost: Value) -> None:
        """States from LOOK until BEGIN follows."""
        with m.State("LOOK"):
            m.d.comb += [self.looks.eq(1), self.start.eq(~is_lost)]
            m.d.sync += patience.eq(0)
            m.next = "LOOKING"
        with m.State("LOOKING"):
            m.d.comb += [
                self.looks.eq(1), self.i.ready.eq(1),
                self.look_ends.eq(is_lost | self.done | is_over),
                self.look_is_good.eq(self.done & ~is_lost & (self.response == Response.OKAY)),
            ]
            with m.If(is_over & ~self.done):
                m.d.sync += is_lost.eq(1)
            with m.If(self.look_ends):
                m.d.sync += self.look_number.eq(self.look_number + 1)
                m.next = "LOOK"
                with m.If(self.look_number == LOOKS - 1):
                    m.next = "BEGIN"

    def _pass_bytes(self, m: Module) -> None:
        m.d.comb += [
            self.o.valid.eq(self.inbox.data.valid), self.o.payload.eq(self.inbox.data.payload),
            self.inbox.data.ready.eq(self.o.ready),
            self.outbox.data.valid.eq(self.i.valid), self.outbox.data.payload.eq(self.i.payload),
            self.i.ready.eq(1),
        ]

    def _outcome(self) -> Value:
        failed = Mux(self.response == Response.DECERR, Outcome.DECERR, Outcome.SLVERR)
        is_good = (self.response == Response.OKAY) | (self.response == Response.EXOKAY)
        return Mux(is_good, Outcome.OK, failed)
