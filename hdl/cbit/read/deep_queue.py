"""A queue in block RAM that is as quick as a shallow one while it holds little."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.guard.shadows import unguarded
from cbit.stream.queue import ReservedQueue

__all__ = ["DeepQueue"]

FRONT_DEPTH = 16


class DeepQueue(Component):
    """A queue for a writer that has reserved its room beforehand, and so never waits.

    A few entries are in distributed RAM, those behind them in block RAM.

    Latency: an entry that meets an empty queue shows at ``o`` one cycle later, or with ``bypass`` at
    once. Throughput: one entry a cycle in and out. Stalls: the payload at ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    depth : :class:`int`
        Entries that may be inside. A power of two.
    bypass : :class:`bool`
        Whether there is a combinational path from ``i`` to ``o``.
    pipelined : :class:`bool`
        Whether ``o`` comes from registers and block RAM has one behind it. Not with ``bypass``.

    Members
    -------
    i : ``In(stream.Signature(shape, always_ready=True))``
    o : ``Out(stream.Signature(shape))``
    """

    def __init__(self, *, shape: ShapeLike, depth: int, bypass: bool, pipelined: bool) -> None:
        self.shape = shape
        self.depth = depth
        self.bypass = bypass
        self.pipelined = pipelined
        super().__init__({
            "i": In(stream.Signature(shape, always_ready=True)),
            "o": Out(stream.Signature(shape)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.front = front = ReservedQueue(shape=self.shape, depth=FRONT_DEPTH, bypass=False,
                                                   registered=self.pipelined)
        left, direct, fetch = Signal(), Signal(init=1), Signal()
        fetched, fetched_valid, is_idle = self._deep(m, self.i.valid & ~direct, fetch)
        enters = self.i.valid & direct
        m.d.comb += [
            front.i.valid.eq(fetched_valid | enters),
            front.i.payload.eq(Mux(fetched_valid, fetched, self.i.payload)),
            self.o.valid.eq(front.o.valid),
            self.o.payload.eq(front.o.payload),
            front.o.ready.eq(self.o.ready),
            left.eq(self.o.valid & self.o.ready),
        ]
        if self.bypass:
            # Not from block RAM, which is late: what comes from there has waited longer than the cycle that it takes.
            with m.If(~front.o.valid & enters):
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.payload.eq(self.i.payload),
                    front.i.valid.eq(~self.o.ready),
                ]

        # Entries that are in front or on their way there.
        level = Signal(range(FRONT_DEPTH + 1))
        entered = fetch | enters
        with m.If(entered & ~left):
            m.d.sync += level.eq(level + 1)
        with m.Elif(left & ~entered):
            m.d.sync += level.eq(level - 1)
        may_fetch = Signal()
        m.d.sync += [
            direct.eq(is_idle & (direct | ~self.i.valid) & (level < FRONT_DEPTH - 2)),
            may_fetch.eq(level < FRONT_DEPTH - 2),
        ]
        m.d.comb += fetch.eq(may_fetch & self._some)
        return m

    def _deep(self, m: Module, store, fetch: Signal):
        """Block RAM: what comes out of it, whether something does, and whether nothing is inside or coming out."""
        # Nothing is fetched in the cycle of its writing, so synthesis need not care what would come.
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[], attrs={"no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        head, tail = Signal(range(self.depth)), Signal(range(self.depth))
        count = Signal(range(self.depth + 1))
        self._some = Signal()
        m.d.comb += [
            write.addr.eq(tail),
            write.data.eq(self.i.payload),
            write.en.eq(store),
            read.addr.eq(head),
        ]
        m.d.sync += [
            tail.eq(tail + store),
            head.eq(head + fetch),
            self._some.eq(store | (self._some & ~(fetch & (count == 1)))),
        ]
        with m.If(store & ~fetch):
            m.d.sync += count.eq(count + 1)
        with m.Elif(fetch & ~store):
            m.d.sync += count.eq(count - 1)

        coming = Signal(1 + self.pipelined)
        m.d.sync += coming.eq(Cat(fetch, coming))
        data = read.data
        for _ in range(1 + self.pipelined):
            # Payloads count only beside ``coming``, which is reset; and block RAM has no reset.
            fetched = Signal(self.shape, reset_less=True)
            unguarded(fetched)  # a register of the block RAM
            m.d.sync += fetched.eq(data)
            data = fetched
        return data, coming[-1], ~self._some & ~coming.any()
