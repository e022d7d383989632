"""How far the writes have come: which lines have entered, which have been sent, which are settled."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from .entry import NUMBER_BITS, PAGE_CLASS_BITS, near_bits

__all__ = ["WriteProgress"]

EPOCH_CYCLES = 4
"""The least length of an epoch: until all that was sent in the one before has been counted."""


class WriteProgress(Component):
    """Numbers the lines of encrypted writes, and knows of how many DRAM has answered that and all before.

    Bursts sent, plain ones too, belong to the epoch of their sending. An epoch ends when all bursts of the one before
    are answered: then the lines sent before it began are settled.

    Latency: all outputs come from registers, ``page_is_busy`` through one selection. A line is settled one or two
    epochs after its sending; an epoch lasts as long as DRAM takes for the slowest of its bursts, or 4 cycles, or if
    pipelined a cycle more.

    Parameters
    ----------
    entries : :class:`int`
        Bursts in flight.
    pipelined : :class:`bool`
        Whether ``has_room`` is heeded a cycle later, and a register parts the steps to an epoch's end.

    Members
    -------
    enter : ``In(1)``
        A line enters.
    number : ``Out(NUMBER_BITS)``
        What the next line is called.
    has_room : ``Out(1)``
        High while fewer lines are not settled than their near numbers tell apart.
    send : ``In(1)``
        A burst is sent: a line if ``send_is_line``, else a plain write to ``send_page_class``.
    send_is_line, send_page_class : ``In``
    epoch : ``Out(1)``
        The epoch, of two in turn, to which it belongs.
    answer : ``In(1)``
        DRAM has answered a burst of epoch ``answer_epoch``.
    answer_epoch : ``In(1)``
    sent, settled : ``Out(near_bits(entries))``
        The near numbers of the first line that has not been sent, and of the first that is not settled.
    page_class : ``In(PAGE_CLASS_BITS)``
    page_is_busy : ``Out(1)``
        High while a plain write to this class of pages is not settled.
    """

    def __init__(self, *, entries: int, pipelined: bool) -> None:
        self.entries = entries
        self.pipelined = pipelined
        near = near_bits(entries)
        super().__init__({
            "enter": In(1),
            "number": Out(NUMBER_BITS, init=1),
            "has_room": Out(1),
            "send": In(1),
            "send_is_line": In(1),
            "send_page_class": In(PAGE_CLASS_BITS),
            "epoch": Out(1),
            "answer": In(1),
            "answer_epoch": In(1),
            "sent": Out(near, init=1),
            "settled": Out(near, init=1),
            "page_class": In(PAGE_CLASS_BITS),
            "page_is_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        unsettled, boundary = Signal.like(self.settled, init=0), Signal.like(self.settled)
        ends = self._watch_epochs(m)
        m.d.comb += unsettled.eq(self.number - self.settled)
        m.d.sync += [
            self.number.eq(self.number + self.enter),
            self.sent.eq(self.sent + (self.send & self.send_is_line)),
            # What enters in this cycle and the next is not counted yet.
            self.has_room.eq(unsettled < 4 * self.entries - 2 - self.pipelined),
        ]
        with m.If(ends):
            m.d.sync += [self.epoch.eq(~self.epoch), self.settled.eq(boundary), boundary.eq(self.sent)]
        self._watch_pages(m, ends)
        return m

    def _watch_epochs(self, m: Module) -> Signal:
        """Counts the bursts of both epochs that are not answered; the signal returned ends an epoch."""
        ends, age = Signal(), Signal(range(EPOCH_CYCLES))
        sent, sent_epoch, answered, answered_epoch = Signal(), Signal(), Signal(), Signal()
        is_clear = Signal(2)
        m.d.sync += [
            sent.eq(self.send), sent_epoch.eq(self.epoch),
            answered.eq(self.answer), answered_epoch.eq(self.answer_epoch),
        ]
        for epoch in range(2):
            count = Signal(range(self.entries + 1), name=f"count_{epoch}")
            m.d.sync += [
                count.eq(count + (sent & (sent_epoch == epoch)) - (answered & (answered_epoch == epoch))),
                is_clear[epoch].eq(count == 0),
            ]
        may_end = (age == EPOCH_CYCLES - 1) & Mux(self.epoch, is_clear[0], is_clear[1])
        if self.pipelined:
            m.d.sync += ends.eq(may_end & ~ends)
        else:
            m.d.comb += ends.eq(may_end)
        with m.If(ends):
            m.d.sync += age.eq(0)
        with m.Elif(age != EPOCH_CYCLES - 1):
            m.d.sync += age.eq(age + 1)
        return ends

    def _watch_pages(self, m: Module, ends: Signal) -> None:
        recent, earlier, sent = (Signal(1 << PAGE_CLASS_BITS, name=name) for name in ("recent", "earlier", "sent_to"))
        m.d.comb += [
            Cat(sent).eq(Mux(self.send & ~self.send_is_line, 1 << self.send_page_class, 0)),
            self.page_is_busy.eq((recent | earlier).bit_select(self.page_class, 1)),
        ]
        m.d.sync += recent.eq(recent | sent)
        with m.If(ends):
            m.d.sync += [earlier.eq(recent), recent.eq(sent)]
