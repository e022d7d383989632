"""Lets through what a memory controller can do, and answers the rest."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature, Response

__all__ = ["Bounds"]


class Bounds(Component):
    """The bounds of a memory, and of what its controller can do, on an AXI4 port.

    An access that begins beyond the memory is answered with DECERR, and an exclusive write with OKAY, which says that
    it has failed: neither reaches the controller, nothing is written, and such a read gives zeros. Everything else
    passes unchanged, the address without the bits above the memory.

    The controller must answer in order. At most ``writes`` writes are in flight there, so that it has room for their
    answers; it gets no data before their address.

    Latency: none; data of a write pass a cycle after their address at the earliest. Throughput: one beat and one
    address a cycle on each channel. Stalls: an access that is answered here waits for the answers to all before it of
    its direction, and those after it wait for the end of its own. Nothing is accepted before ``enable``.

    Parameters
    ----------
    addr_width, data_width, id_width : :class:`int`
        Of the ports, as of :class:`~cbit.axi.ports.Axi4Signature`.
    memory_width : :class:`int`
        Bits of an address within the memory, whose size is a multiple of 4096 bytes.
    reads, writes : :class:`int`
        Most reads and writes in flight. 1 or more.

    Members
    -------
    enable : ``In(1)``
        Stays high once it is, until reset.
    s_axi : ``In(Axi4Signature(...))``
    m_axi : ``Out(Axi4Signature(...))``
        To the controller, with ``memory_width`` bits of an address.
    """

    def __init__(self, *, addr_width: int, data_width: int, id_width: int, memory_width: int, reads: int,
                 writes: int) -> None:
        self.addr_width = addr_width
        self.data_width = data_width
        self.id_width = id_width
        self.memory_width = memory_width
        self.reads = reads
        self.writes = writes
        widths = {"data_width": data_width, "id_width": id_width}
        super().__init__({
            "enable": In(1),
            "s_axi": In(Axi4Signature(addr_width=addr_width, **widths)),
            "m_axi": Out(Axi4Signature(addr_width=memory_width, **widths)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._read(m)
        self._write(m)
        return m

    def _is_beyond(self, address) -> Value:
        return address.payload.addr[self.memory_width:].any()

    def _count(self, m: Module, name: str, most: int, begins: Value, ends: Value) -> Signal:
        """How many have begun and not ended."""
        count = Signal(range(most + 1), name=name)
        m.d.sync += count.eq(count + begins - ends)
        return count

    def _pass(self, m: Module, name: str, may_pass: Value | int = 1) -> Value:
        """Lets a channel through, when it may; whether a beat passes."""
        manager, controller = getattr(self.s_axi, name), getattr(self.m_axi, name)
        source, sink = (controller, manager) if name in ("b", "r") else (manager, controller)
        m.d.comb += [
            sink.valid.eq(source.valid & may_pass),
            source.ready.eq(sink.ready & may_pass),
            *(sink.payload[field].eq(source.payload[field]) for field in sink.payload.shape().members),
        ]
        return source.valid & sink.ready & may_pass

    def _read(self, m: Module) -> None:
        ar, r = self.s_axi.ar, self.s_axi.r
        begins, ends, is_beyond = Signal(), Signal(), Signal()
        reads = self._count(m, "reads", self.reads, begins, ends)
        left, identifier = Signal.like(ar.payload.len), Signal.like(ar.payload.id)
        m.d.comb += is_beyond.eq(self._is_beyond(ar))
        # Reads pass, until one is beyond: it is answered when all before it have been.
        with m.FSM(name="read"):
            with m.State("PASS"):
                m.d.comb += begins.eq(self._pass(m, "ar", self.enable & ~is_beyond & (reads != self.reads)))
                m.d.comb += ends.eq(self._pass(m, "r") & r.payload.last)
                with m.If(self.enable & ar.valid & is_beyond & (reads == 0)):
                    m.d.comb += ar.ready.eq(1)
                    m.d.sync += [left.eq(ar.payload.len), identifier.eq(ar.payload.id)]
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [
                    r.valid.eq(1),
                    r.payload.id.eq(identifier),
                    r.payload.resp.eq(Response.DECERR),
                    r.payload.last.eq(left == 0),
                ]
                with m.If(r.ready):
                    m.d.sync += left.eq(left - 1)
                    with m.If(r.payload.last):
                        m.next = "PASS"

    def _write(self, m: Module) -> None:
        aw, w, b = self.s_axi.aw, self.s_axi.w, self.s_axi.b
        begins, ends, is_sent = Signal(), Signal(), Signal()
        is_beyond, is_refused = Signal(), Signal()
        writes = self._count(m, "writes", self.writes, begins, ends)
        unsent = self._count(m, "unsent", self.writes, begins, is_sent)
        answer = Signal.like(b.payload)
        m.d.comb += [is_beyond.eq(self._is_beyond(aw)), is_refused.eq(is_beyond | aw.payload.lock)]
        # Writes pass, until one is refused: its data are taken when all before it have been answered.
        with m.FSM(name="write"):
            with m.State("PASS"):
                m.d.comb += begins.eq(self._pass(m, "aw", self.enable & ~is_refused & (writes != self.writes)))
                m.d.comb += is_sent.eq(self._pass(m, "w", unsent != 0) & w.payload.last)
                m.d.comb += ends.eq(self._pass(m, "b"))
                with m.If(self.enable & aw.valid & is_refused & (writes == 0)):
                    m.d.comb += aw.ready.eq(1)
                    m.d.sync += [
                        answer.id.eq(aw.payload.id),
                        answer.resp.eq(Mux(is_beyond, Response.DECERR, Response.OKAY)),
                    ]
                    m.next = "TAKE"
            with m.State("TAKE"):
                m.d.comb += w.ready.eq(1)
                with m.If(w.valid & w.payload.last):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [b.valid.eq(1), b.payload.eq(answer)]
                with m.If(b.ready):
                    m.next = "PASS"
