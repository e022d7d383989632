"""The other end of a serial line, for what is simulated without Python in its cycles."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import Component, In, Out

__all__ = ["SerialHost"]

_BITS = 10
_DEPTH = 4096


class SerialHost(Component):
    """Sends bytes as 8N1 and receives them, at a fixed rate, each through a queue.

    Parameters
    ----------
    cycles_a_bit : :class:`int`
        The rate.

    Members
    -------
    given : ``In(8)``, put : ``In(1)``
        A byte to send; those beyond 4096 that wait are lost.
    sending : ``Out(1)``
        Some are not yet sent.
    received : ``Out(8)``, is_received : ``Out(1)``, take : ``In(1)``
        The oldest byte that has come, whether there is one, and whether it goes.
    tx : ``Out(1)``, rx : ``In(1)``
        The line.
    """

    def __init__(self, *, cycles_a_bit: int) -> None:
        self.cycles_a_bit = cycles_a_bit
        super().__init__({
            "given": In(8), "put": In(1), "sending": Out(1),
            "received": Out(8), "is_received": Out(1), "take": In(1),
            "tx": Out(1, init=1), "rx": In(1),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.to_line = to_line = SyncFIFOBuffered(width=8, depth=_DEPTH)
        m.submodules.from_line = from_line = SyncFIFOBuffered(width=8, depth=_DEPTH)
        m.d.comb += [
            to_line.w_data.eq(self.given), to_line.w_en.eq(self.put),
            self.received.eq(from_line.r_data), self.is_received.eq(from_line.r_rdy), from_line.r_en.eq(self.take),
        ]
        self._send(m, to_line)
        self._receive(m, from_line)
        return m
        return m

    def _send(self, m: Module, queue: SyncFIFOBuffered) -> None:
        frame, left, cycle = Signal(_BITS, init=-1), Signal(range(_BITS + 1)), Signal(range(self.cycles_a_bit))
        is_last_cycle = cycle == self.cycles_a_bit - 1
        m.d.comb += [self.tx.eq(frame[0]), self.sending.eq(queue.r_rdy | (left != 0))]
        m.d.sync += cycle.eq(Mux(is_last_cycle | (left == 0), 0, cycle + 1))
        with m.If(left == 0):
            m.d.comb += queue.r_en.eq(1)
            with m.If(queue.r_rdy):
                m.d.sync += [frame.eq(Cat(0, queue.r_data, 1)), left.eq(_BITS)]
        with m.Elif(is_last_cycle):
            m.d.sync += [frame.eq(Cat(frame[1:], 1)), left.eq(left - 1)]

    def _receive(self, m: Module, queue: SyncFIFOBuffered) -> None:
        frame, number, wait = Signal(_BITS), Signal(range(_BITS + 1)), Signal(range(2 * self.cycles_a_bit))
        m.d.comb += queue.w_data.eq(frame[1:9])
        with m.If(number == 0):
            with m.If(~self.rx):
                m.d.sync += [number.eq(_BITS), wait.eq(self.cycles_a_bit // 2 - 1)]
        with m.Elif(wait == 0):
            sampled = Cat(frame[1:], self.rx)
            m.d.sync += [wait.eq(self.cycles_a_bit - 1), frame.eq(sampled), number.eq(number - 1)]
            with m.If(number == 1):
                m.d.comb += [queue.w_data.eq(sampled[1:9]), queue.w_en.eq(self.rx)]
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
