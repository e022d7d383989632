"""Streams, buses and a reset from one clock to another."""

from amaranth.hdl import Module, ResetSignal, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer
from amaranth.lib.wiring import In, Out, connect, flipped

from cbit.axi.ports import Axi4Signature, AxiLiteSignature

__all__ = ["BusCrossing", "ResetCrossing", "StreamCrossing"]


class ResetCrossing(wiring.Component):
    """Resets a clock domain whenever another one is reset, and only then.

    What the other's registers have not seen at an edge of their clock is no reset. What they have seen counts here at
    once, until this domain has had two edges and the other has left its reset.

    Parameters
    ----------
    from_domain, to_domain : :class:`str`
        The domain that is reset, and the one that is to be. The latter's reset is driven by this.
    """

    def __init__(self, *, from_domain: str, to_domain: str):
        self.from_domain = from_domain
        self.to_domain = to_domain
        super().__init__({})

    def elaborate(self, _platform) -> Module:
        m = Module()
        seen = Signal(init=1, reset_less=True)
        m.d[self.from_domain] += seen.eq(ResetSignal(self.from_domain))
        m.submodules.synchronizer = ResetSynchronizer(seen, domain=self.to_domain)
        return m


class StreamCrossing(wiring.Component):
    """Carries a stream from one clock domain to another, one payload at a time.

    A payload stands still in a register while a bit that tells of it goes to the other side, and one that tells that
    it was taken comes back (C. Cummings, "Clock Domain Crossing Design & Verification Techniques", SNUG 2008).

    Latency: a cycle of the clock that it comes from, and two to three of the one that it goes to. Throughput: a payload
    in three to four cycles of each clock. A reset drops what is in flight, and nothing else: one may be over before
    the other clock has an edge. The payload is not synchronized: on its way from register to register it may take
    up to a cycle of the clock that it goes to.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Of the payload.
    from_domain, to_domain : :class:`str`
        The clock domains. One of the resets is the other one by way of a :class:`ResetCrossing`.

    Members
    -------
    i : ``In(stream.Signature(shape))``
        In ``from_domain``.
    o : ``Out(stream.Signature(shape))``
        In ``to_domain``. Its payload counts only while it is valid.
    """

    def __init__(self, *, shape: ShapeLike, from_domain: str, to_domain: str):
        self.shape = shape
        self.from_domain = from_domain
        self.to_domain = to_domain
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, _platform) -> Module:
        m = Module()
        payload = Signal(self.shape, reset_less=True)
        sent, taken = Signal(), Signal()
        m.submodules.sent = sent_there = _Seen(sent, domain=self.to_domain, other_domain=self.from_domain)
        m.submodules.taken = taken_here = _Seen(taken, domain=self.from_domain, other_domain=self.to_domain)
        m.d.comb += [
            self.i.ready.eq(taken_here.is_known & (taken_here.o == sent)),
            self.o.valid.eq(sent_there.is_known & (sent_there.o != taken)),
            self.o.payload.eq(payload),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d[self.from_domain] += [payload.eq(self.i.payload), sent.eq(~sent)]
        with m.If(self.o.valid & self.o.ready):
            m.d[self.to_domain] += taken.eq(~taken)
        return m


class _Seen(wiring.Component):
    """A bit of another clock domain, and whether it is of after the last reset.

    That is known once the other domain has been out of reset since this one was in it; then only a reset of this one,
    which each of the other brings, makes it unknown.
    """

    o: Out(1)
    is_known: Out(1)

    def __init__(self, i: Signal, *, domain: str, other_domain: str):
        self._i = i
        self._domain = domain
        self._other_domain = other_domain
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        is_reset, was_known = Signal(), Signal()
        m.submodules.bit = FFSynchronizer(self._i, self.o, o_domain=self._domain)
        m.submodules.reset = FFSynchronizer(ResetSignal(self._other_domain), is_reset, o_domain=self._domain,
                                            init=1, reset_less=False)
        m.d.comb += self.is_known.eq(was_known | ~is_reset)
        m.d[self._domain] += was_known.eq(self.is_known)
        return m


class BusCrossing(wiring.Component):
    """Carries an AXI4 or AXI4-Lite bus from one clock domain to another, each channel by a :class:`StreamCrossing`.

    Parameters
    ----------
    signature : :class:`~cbit.axi.ports.Axi4Signature` or :class:`~cbit.axi.ports.AxiLiteSignature`
        The bus.
    from_domain, to_domain : :class:`str`
        The manager's clock domain, and the subordinate's; as of :class:`StreamCrossing`.

    Members
    -------
    i : ``In(signature)``
        From the manager.
    o : ``Out(signature)``
        To the subordinate.
    """

    def __init__(self, *, signature: Axi4Signature | AxiLiteSignature, from_domain: str, to_domain: str):
        self.from_domain = from_domain
        self.to_domain = to_domain
        super().__init__({"i": In(signature), "o": Out(signature)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        there = {"from_domain": self.from_domain, "to_domain": self.to_domain}
        back = {"from_domain": self.to_domain, "to_domain": self.from_domain}
        for name in ("aw", "w", "ar"):
            source, sink = getattr(self.i, name), getattr(self.o, name)
            m.submodules[name] = crossing = StreamCrossing(shape=source.payload.shape(), **there)
            connect(m, flipped(source), crossing.i)
            connect(m, crossing.o, flipped(sink))
        for name in ("b", "r"):
            source, sink = getattr(self.o, name), getattr(self.i, name)
            m.submodules[name] = crossing = StreamCrossing(shape=source.payload.shape(), **back)
            connect(m, flipped(source), crossing.i)
            connect(m, crossing.o, flipped(sink))
        return m
