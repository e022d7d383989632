"""What keeps a manager out until it may come in."""

from amaranth import Module
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature

__all__ = ["ManagerGate"]


class ManagerGate(Component):
    """Passes an AXI4 manager's bus on while it is open, and nothing of what the manager offers while it is not.

    Latency: none. Throughput: what comes. Stalls: while it is closed, addresses and data wait.

    Parameters
    ----------
    signature : :class:`~cbit.axi.ports.Axi4Signature`
        Of the bus.

    Members
    -------
    open : ``In(1)``
        Once it is high, it stays so until reset.
    i : ``In(signature)``
        From the manager.
    o : ``Out(signature)``
        To the subordinate.
    """

    def __init__(self, *, signature: Axi4Signature) -> None:
        super().__init__({"open": In(1), "i": In(signature), "o": Out(signature)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        for name in ("aw", "w", "ar"):
            source, sink = getattr(self.i, name), getattr(self.o, name)
            m.d.comb += [
                sink.valid.eq(source.valid & self.open),
                source.ready.eq(sink.ready & self.open),
                sink.payload.eq(source.payload),
            ]
        for name in ("b", "r"):
            source, sink = getattr(self.o, name), getattr(self.i, name)
            m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready), sink.payload.eq(source.payload)]
        return m
