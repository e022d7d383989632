"""The bursts that DRAM has been asked for: a list for each ID, in the order in which DRAM answers."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.stage import Stage

from .free_list import FreeList

__all__ = ["BurstLists"]


class BurstLists(Component):
    """Finds the burst of each beat of DRAM, which answers bursts of one ID in order and others in any.

    Each list ends in a node that is still empty. So an end of a list, and a node, has one writer: who
    appends fills that node and adds the next, who takes away moves the head.

    Latency: ``latency_cycles`` from a beat to what is found. Throughput: one burst appended, and one
    beat, a cycle. Stalls: none; after reset ``is_ready`` is low until all lists are empty, and beats
    are not found.

    Parameters
    ----------
    id_width : :class:`int`
        Bits of an ID.
    bursts : :class:`int`
        Number of bursts in all lists. 2 or more.
    shape : :class:`ShapeLike`
        What is known of a burst.
    beats : :class:`int`
        How far beats of a burst are counted: a power of two.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    is_ready : ``Out(1)``
        High if there is room for a burst.
    follows : ``Out(1)``
        If pipelined, high if ``is_ready`` is high in the next cycle, but for the first after reset.
    append : ``In(1)``
        Adds ``append_burst`` to the list of ``append_id``. Only while ``is_ready``; its beats must not come
        before two cycles later.
    append_id, append_burst : ``In``
        Given with ``append``, or if pipelined a cycle later.
    beat : ``In(StructLayout({"valid", "id", "last"}))``
        A beat of DRAM.
    found : ``Out(StructLayout({"hit", "burst", "number"}))``
        Its burst, and its number in it, from 0 and modulo ``beats``; ``hit`` is low if there is no beat, or nobody
        has asked for it.
    """

    def __init__(self, *, id_width: int, bursts: int, shape: ShapeLike, beats: int, pipelined: bool) -> None:
        self.ids = 1 << id_width
        self.bursts = bursts
        self.shape = shape
        self.beats = beats
        self.pipelined = pipelined
        self.latency_cycles = 2 * pipelined
        super().__init__({
            "is_ready": Out(1),
            "follows": Out(1),
            "append": In(1),
            "append_id": In(id_width),
            "append_burst": In(shape),
            "beat": In(StructLayout({"valid": 1, "id": id_width, "last": 1})),
            "found": Out(StructLayout({"hit": 1, "burst": shape, "number": range(beats)})),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.free = free = FreeList(first=self.ids, count=self.bursts, pipelined=self.pipelined)
        node = free.o.payload.shape()
        nodes = self.ids + self.bursts
        head_layout = StructLayout({"node": node, "number": range(self.beats)})
        m.submodules.heads = heads = Memory(shape=head_layout, depth=self.ids, init=[])
        m.submodules.tails = tails = Memory(shape=node, depth=self.ids, init=[])
        m.submodules.after = after = Memory(shape=node, depth=nodes, init=[])
        m.submodules.filled = filled = Memory(shape=self.shape, depth=nodes, init=[])
        head_write, tail_write = heads.write_port(), tails.write_port()

        swept, is_swept = Signal(range(self.ids)), Signal()
        m.d.comb += [self.is_ready.eq(free.o.valid & is_swept), self.follows.eq(free.follows & is_swept)]
        self._append(m, free, tails, tail_write, after.write_port(), filled.write_port())
        self._look_up(m, free, heads, head_write, tails, after, filled, is_swept)
        with m.If(~is_swept):
            m.d.comb += [
                *(port.addr.eq(swept) for port in (head_write, tail_write)),
                *(port.en.eq(1) for port in (head_write, tail_write)),
                head_write.data.node.eq(swept),
                head_write.data.number.eq(0),
                tail_write.data.eq(swept),
            ]
            m.d.sync += [swept.eq(swept + 1), is_swept.eq(swept == self.ids - 1)]
        return m

    def _append(self, m: Module, free: FreeList, tails: Memory, tail_write, after_write, filled_write) -> None:
        layout = StructLayout({"valid": 1, "node": free.o.payload.shape()})
        m.submodules.appending = appending = Stage(shape=layout, registered=self.pipelined)
        tail_read = tails.read_port(domain="comb")
        m.d.comb += [
            free.o.ready.eq(self.append),
            appending.advance.eq(1),
            appending.i.valid.eq(self.append),
            appending.i.node.eq(free.o.payload),
            tail_read.addr.eq(self.append_id),
            tail_write.addr.eq(self.append_id),
            tail_write.data.eq(appending.o.node),
            tail_write.en.eq(appending.o.valid),
            after_write.addr.eq(tail_read.data),
            after_write.data.eq(appending.o.node),
            after_write.en.eq(appending.o.valid),
            filled_write.addr.eq(tail_read.data),
            filled_write.data.eq(self.append_burst),
            filled_write.en.eq(appending.o.valid),
        ]

    def _look_up(self, m: Module, free: FreeList, heads: Memory, head_write, tails: Memory, after: Memory,
                 filled: Memory, is_swept: Signal) -> None:
        head_read, tail_read, after_read, filled_read = (
            memory.read_port(domain="comb") for memory in (heads, tails, after, filled))
        head = head_read.data.shape()
        # A list that grows in this cycle may be seen as it was: beats of what is appended come later.
        layout = StructLayout({"beat": self.beat.shape(), "head": head, "tail": free.o.payload.shape()})
        m.submodules.looking = looking = Stage(shape=layout, registered=self.pipelined)
        m.submodules.finding = finding = Stage(shape=self.found.shape(), registered=self.pipelined)
        m.submodules.given = given = Stage(shape=StructLayout({"valid": 1, "node": free.o.payload.shape()}),
                                           registered=self.pipelined)
        beat, current, moved = looking.o.beat, looking.o.head, Signal(head)
        hit = Signal()
        m.d.comb += [
            looking.advance.eq(1),
            finding.advance.eq(1),
            head_read.addr.eq(self.beat.id),
            looking.i.beat.eq(self.beat),
            looking.i.head.eq(head_read.data),
            tail_read.addr.eq(self.beat.id),
            looking.i.tail.eq(tail_read.data),
            after_read.addr.eq(current.node),
            filled_read.addr.eq(current.node),
            hit.eq(beat.valid & is_swept & (current.node != looking.o.tail)),
            moved.node.eq(Mux(beat.last, after_read.data, current.node)),
            moved.number.eq(Mux(beat.last, 0, current.number + 1)),
            head_write.addr.eq(beat.id),
            head_write.data.eq(moved),
            head_write.en.eq(hit),
            given.advance.eq(1),
            given.i.valid.eq(hit & beat.last),
            given.i.node.eq(current.node),
            free.i.valid.eq(given.o.valid),
            free.i.payload.eq(given.o.node),
            finding.i.hit.eq(hit),
            finding.i.burst.eq(filled_read.data),
            finding.i.number.eq(current.number),
            self.found.eq(finding.o),
        ]
        if self.pipelined:
            with m.If(hit & (beat.id == self.beat.id)):
                m.d.comb += looking.i.head.eq(moved)
