"""What is still to be answered, in order for each ID."""

from amaranth import Array, Cat, Module, Signal
from amaranth.hdl import ShapeLike, Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["PASSED_ON", "Expectations"]

PASSED_ON = ("asked_id", "has_room", "some", "look", "overdue", "overdue_id")
"""Members that who compares answers has, too."""


class Expectations(Component):
    """Remembers bursts until they are answered: a queue for each ID, in distributed RAM.

    Latency: what is put in shows in the next cycle. Throughput: one in and one out a cycle.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        What is remembered of a burst.
    id_width : :class:`int`
        Bits of an ID on the bus.
    ids : :class:`int`
        IDs 0 to ``ids - 1`` are used. A power of two, 2 or more.
    depth : :class:`int`
        Bursts of an ID. A power of two, 2 or more.

    Members
    -------
    i : ``In(stream.Signature({"id", "entry"}, always_ready=True))``
        A burst that has been asked for, and for which there was room.
    asked_id : ``In``
    has_room : ``Out(1)``
        Whether another of ``asked_id`` has room.
    id : ``In(id_width)``
        Of an answer.
    is_expected : ``Out(1)``
        Whether something of that ID is to be answered.
    entry : ``Out(shape)``
        The oldest of that ID.
    remove : ``In(1)``
        Forgets it.
    some : ``Out(1)``
        Whether anything is to be answered.
    look : ``In(1)``
        High now and then, to find what is not answered.
    overdue : ``Out(1)``
        High with ``look`` if an ID has been waiting since ``look`` was high before, and nothing of it was answered.
    overdue_id : ``Out``
        That ID.
    """

    def __init__(self, *, shape: ShapeLike, id_width: int, ids: int, depth: int) -> None:
        self.shape = shape
        self.ids = ids
        self.depth = depth
        self.index_width = (ids - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(StructLayout({"id": unsigned(self.index_width), "entry": shape}),
                                     always_ready=True)),
            "asked_id": In(self.index_width),
            "has_room": Out(1),
            "id": In(id_width),
            "is_expected": Out(1),
            "entry": Out(shape),
            "remove": In(1),
            "some": Out(1),
            "look": In(1),
            "overdue": Out(1),
            "overdue_id": Out(self.index_width),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.ids * self.depth, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        counts = range(2 * self.depth)
        begun = Array(Signal(counts, name=f"begun{number}") for number in range(self.ids))
        ended = Array(Signal(counts, name=f"ended{number}") for number in range(self.ids))
        place = (self.depth - 1).bit_length()
        index = self.id[:self.index_width]
        waiting = Signal(self.ids)
        newest, oldest, asked, first = (Signal(counts) for _ in range(4))
        m.d.comb += [
            newest.eq(begun[self.i.payload.id]),
            oldest.eq(ended[index]),
            write.addr.eq(Cat(newest[:place], self.i.payload.id)),
            write.data.eq(self.i.payload.entry),
            write.en.eq(self.i.valid),
            read.addr.eq(Cat(oldest[:place], index)),
            self.entry.eq(read.data),
            first.eq(ended[self.asked_id]),
            asked.eq(begun[self.asked_id] - first),
            self.has_room.eq(asked < self.depth),
            self.is_expected.eq((begun[index] != oldest) & (self.id[self.index_width:] == 0)),
            waiting.eq(Cat(one != other for one, other in zip(begun, ended, strict=True))),
            self.some.eq(waiting.any()),
        ]
        with m.If(self.i.valid):
            m.d.sync += begun[self.i.payload.id].eq(newest + 1)
        with m.If(self.remove):
            m.d.sync += ended[index].eq(oldest + 1)
        self._look(m, waiting, index)
        return m

    def _look(self, m: Module, waiting: Signal, answered: Value) -> None:
        """Of each ID, whether it waited at the last look and has not been answered since."""
        waited, overdue = Signal(self.ids), Signal(self.ids)
        m.d.comb += [overdue.eq(waited & waiting), self.overdue.eq(self.look & overdue.any())]
        for number in reversed(range(self.ids)):
            with m.If(overdue[number]):
                m.d.comb += self.overdue_id.eq(number)
        with m.If(self.look):
            m.d.sync += waited.eq(waiting)
        with m.If(self.remove):
            m.d.sync += waited.bit_select(answered, 1).eq(0)
