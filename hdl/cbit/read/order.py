"""The order in which beats have come from DRAM, as far as IDs ask to keep it."""

from amaranth import Module, Signal
from amaranth.hdl import Value
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.stage import Stage

from .entry import TICKET_BITS

__all__ = ["ArrivalOrder", "has_reached", "place_layout"]

GROUP_BITS = 4


def place_layout() -> StructLayout:
    """Where a beat stands among the others.

    It leaves only after ``mark`` beats of the other kind have left since reset; a plain one only if
    ``is_behind``. Numbers are modulo 2 ** :data:`~cbit.read.entry.TICKET_BITS`.
    """
    return StructLayout({"is_behind": 1, "mark": TICKET_BITS})


def has_reached(count: Signal, mark: Value) -> Value:
    """Whether a count modulo 2 ** :data:`~cbit.read.entry.TICKET_BITS` is ``mark`` or has passed it."""
    return ~(count - mark)[TICKET_BITS - 1]


class ArrivalOrder(Component):
    """Numbers beats as they come, and tells which of them must not pass which.

    Encrypted beats stay behind all plain ones that have come before them. Plain beats stay behind
    encrypted ones of their own ID that have come before them and have not left. IDs above 4 bits are
    folded to 4: those that fold alike count as one.

    Latency: ``latency_cycles``. Throughput: one beat a cycle. Stalls: none.

    Parameters
    ----------
    id_width : :class:`int`
        Bits of an ID.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    plain, encrypted : ``In(1)``
        A beat of this kind comes; not both at once.
    id : ``In(id_width)``
        Its ID.
    encrypted_left : ``In(TICKET_BITS)``
        Number of the encrypted beats that have left.
    place : ``Out(place_layout())``
        Where that beat stands.
    """

    def __init__(self, *, id_width: int, pipelined: bool) -> None:
        self.pipelined = pipelined
        self.latency_cycles = 2 * pipelined
        super().__init__({
            "plain": In(1),
            "encrypted": In(1),
            "id": In(id_width),
            "encrypted_left": In(TICKET_BITS),
            "place": Out(place_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # The number of the last encrypted beat of each ID: an old one at worst looks like one that has not left.
        m.submodules.latest = latest = Memory(shape=TICKET_BITS, depth=1 << GROUP_BITS, init=[])
        write, read = latest.write_port(), latest.read_port(domain="comb")
        plain_came, encrypted_came = Signal(TICKET_BITS), Signal(TICKET_BITS)
        group = Signal(GROUP_BITS)
        m.d.comb += [
            group.eq(self.id ^ (self.id >> GROUP_BITS)),
            write.addr.eq(group),
            write.data.eq(encrypted_came + 1),
            write.en.eq(self.encrypted),
            read.addr.eq(group),
        ]
        m.d.sync += [
            plain_came.eq(plain_came + self.plain),
            encrypted_came.eq(encrypted_came + self.encrypted),
        ]

        distances = StructLayout({"latest": TICKET_BITS, "inside": TICKET_BITS, "mark": TICKET_BITS})
        m.submodules.first = first = Stage(shape=distances, registered=self.pipelined)
        m.submodules.second = second = Stage(shape=self.place.shape(), registered=self.pipelined)
        m.d.comb += [
            first.advance.eq(1),
            first.i.latest.eq(read.data - self.encrypted_left - 1),
            first.i.inside.eq(encrypted_came - self.encrypted_left),
            first.i.mark.eq(read.data),
            second.advance.eq(1),
            second.i.is_behind.eq(first.o.latest < first.o.inside),
            second.i.mark.eq(first.o.mark),
            self.place.eq(second.o),
        ]
        with m.If(self.encrypted):
            m.d.comb += first.i.mark.eq(plain_came)
        return m
