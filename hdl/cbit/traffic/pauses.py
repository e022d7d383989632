"""Random gaps in a stream."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import enum, stream
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Pace", "Pauses"]


class Pace(enum.Enum, shape=2):
    """How often a payload may pass."""

    FULL = 0
    HALF = 1
    QUARTER = 2
    ALWAYS = 3


class Pauses(Component):
    """Lets payloads pass in some cycles only. What has been offered stays.

    Latency: none. Throughput: one a cycle, or as ``pace`` says.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of a payload.

    Members
    -------
    i : ``In(stream.Signature(shape))``
        Its ready comes from a register if that of ``o`` is constant.
    o : ``Out(stream.Signature(shape))``
    pace : ``In(Pace)``
    bits : ``In(2)``
        Random bits, others in each cycle.
    """

    def __init__(self, *, shape: ShapeLike) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape)), "pace": In(Pace),
                          "bits": In(2)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        is_open, may_open = Signal(), Signal()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & is_open),
            self.i.ready.eq(self.o.ready & is_open),
            may_open.eq(Mux(self.pace == Pace.HALF, self.bits[0], Mux(self.pace == Pace.QUARTER, self.bits == 0, 1))),
        ]
        # An offer that waits must stay, so the gate moves only where nothing waits at it.
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += is_open.eq(may_open)
        return m
