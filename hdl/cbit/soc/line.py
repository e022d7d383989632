"""The serial line: requests from it, answers onto it."""

from amaranth import Module, Signal
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.soc.inbox import Inbox, InboxSignature
from cbit.soc.outbox import Outbox, OutboxSignature
from cbit.soc.rate import RateMeter
from cbit.soc.receiver import UartReceiver
from cbit.soc.transmitter import UartTransmitter

__all__ = ["SerialLine"]


class SerialLine(Component):
    """Takes frames from the line at whatever rate each comes, and sends answers at the rate of the last.

    While a request is kept or an answer is sent, what comes is not looked at.

    Parameters
    ----------
    rate_bits : :class:`int`
        As of :class:`~cbit.soc.rate.RateMeter`.

    Members
    -------
    rx : ``In(1)``, tx : ``Out(1)``
        The line, high at rest. ``rx`` is asynchronous.
    busy : ``Out(1)``
        An answer is being sent.
    inbox : ``Out(InboxSignature())``
        The request that has come.
    outbox : ``In(OutboxSignature())``
        The answer to it.
    """

    def __init__(self, *, rate_bits: int) -> None:
        self.rate_bits = rate_bits
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "busy": Out(1),
            "inbox": Out(InboxSignature()),
            "outbox": In(OutboxSignature()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.inbox, m.submodules.outbox = inbox, outbox = Inbox(), Outbox()
        m.submodules.meter = meter = RateMeter(rate_bits=self.rate_bits)
        m.submodules.receiver = receiver = UartReceiver(rate_bits=self.rate_bits)
        m.submodules.transmitter = transmitter = UartTransmitter(rate_bits=self.rate_bits)
        line, rate = Signal(init=1), Signal(self.rate_bits)
        m.submodules.rx = FFSynchronizer(self.rx, line, init=1)
        connect(m, receiver.o, inbox.i)
        connect(m, inbox.o, flipped(self.inbox))
        connect(m, flipped(self.outbox), outbox.i)
        connect(m, outbox.o, transmitter.i)
        begins = meter.found & ~inbox.o.valid & ~self.busy
        m.d.comb += [
            meter.line.eq(line), receiver.line.eq(line), self.tx.eq(transmitter.line),
            receiver.start.eq(begins), inbox.start.eq(begins),
            receiver.eight_bits.eq(rate), transmitter.eight_bits.eq(rate),
            self.busy.eq(outbox.busy | transmitter.busy),
        ]
        with m.If(begins):
            m.d.sync += rate.eq(meter.eight_bits)
        return m
