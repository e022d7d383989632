"""A register in a stream that is there or not."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

__all__ = ["Hop"]


class Hop(Component):
    """Parts the payload of a stream's two sides by a register, or joins them by a wire.

    Latency: one cycle if registered, or none. Throughput: one entry a cycle. Stalls: ``i.ready`` is
    combinational from ``o.ready``; the payload at ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    registered : :class:`bool`
        Whether the register is there.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    """

    def __init__(self, *, shape: ShapeLike, registered: bool) -> None:
        self.registered = registered
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, _platform) -> Module:
        m = Module()
        if not self.registered:
            connect(m, flipped(self.i), flipped(self.o))
            return m
        valid = Signal()
        # Counts only beside the valid bit, which is reset.
        payload = Signal(self.o.payload.shape(), reset_less=True)
        m.d.comb += [
            self.i.ready.eq(self.o.ready | ~valid),
            self.o.valid.eq(valid),
            self.o.payload.eq(payload),
        ]
        with m.If(self.i.ready):
            m.d.sync += [valid.eq(self.i.valid), payload.eq(self.i.payload)]
        return m
