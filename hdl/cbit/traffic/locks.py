"""Which halves of which regions are being read or written."""

from amaranth import Module, Mux
from amaranth.hdl import Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory, ReadPort
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RegionLocks", "halves_layout"]

HALVES = 2


def halves_layout(*, region_width: int) -> StructLayout:
    """Some halves of a region."""
    return StructLayout({"region": unsigned(region_width), "halves": unsigned(HALVES)})


class RegionLocks(Component):
    """Counts reads and writes in flight, for each half of each region.

    Latency: what is taken or given back shows in the next cycle. Throughput: a burst of each kind begun and ended a
    cycle; one is asked for and begun.

    Parameters
    ----------
    region_width : :class:`int`
        Bits of a region's number.
    index_width : :class:`int`
        Bits of an ID that is used.
    capacity : :class:`int`
        Most bursts in flight in each direction.

    Members
    -------
    region : ``In(region_width)``
        The region that is asked for, taken or forgotten.
    reading, writing : ``Out(2)``
        Halves of it that are being read, and written.
    writer : ``Out(ArrayLayout(unsigned(index_width), 2))``
        The ID of the last write to each half.
    takes_read, takes_write : ``In(2)``
        Halves of which a burst begins.
    id : ``In(index_width)``
        Of the burst that begins.
    read_ended, write_ended : ``In(stream.Signature(halves_layout(...), always_ready=True))``
        Halves of which a burst has ended.
    forget : ``In(1)``
        Takes the region as neither read nor written. Nothing may be in flight.
    """

    def __init__(self, *, region_width: int, index_width: int, capacity: int) -> None:
        self.region_width = region_width
        self.index_width = index_width
        self.capacity = capacity
        ended = In(stream.Signature(halves_layout(region_width=region_width), always_ready=True))
        super().__init__({
            "region": In(region_width),
            "reading": Out(HALVES),
            "writing": Out(HALVES),
            "writer": Out(ArrayLayout(unsigned(index_width), HALVES)),
            "takes_read": In(HALVES),
            "takes_write": In(HALVES),
            "id": In(index_width),
            "read_ended": ended,
            "write_ended": ended,
            "forget": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        for half in range(HALVES):
            for name, takes, ended, busy in (("reads", self.takes_read, self.read_ended, self.reading),
                                             ("writes", self.takes_write, self.write_ended, self.writing)):
                m.d.comb += busy[half].eq(self._is_busy(m, f"{name}{half}", takes[half], ended, half))
            m.submodules[f"writers{half}"] = writers = Memory(
                shape=unsigned(self.index_width), depth=1 << self.region_width, init=[])
            write, read = writers.write_port(), writers.read_port(domain="comb")
            m.d.comb += [
                write.addr.eq(self.region),
                write.data.eq(self.id),
                write.en.eq(self.takes_write[half]),
                read.addr.eq(self.region),
                self.writer[half].eq(read.data),
            ]
        return m

    def _is_busy(self, m: Module, name: str, takes, ended, half: int) -> Value:
        """Whether not as many have ended as have begun: two memories, so that each has one writer."""
        asks = [self._count(m, f"{name}_begun", self.region, takes)]
        asks.append(self._count(m, f"{name}_ended", Mux(self.forget, self.region, ended.payload.region),
                            ended.valid & ended.payload.halves[half]))
        for port in asks:
            m.d.comb += port.addr.eq(self.region)
        return asks[0].data != asks[1].data

    def _count(self, m: Module, name: str, address: Value, counts: Value) -> ReadPort:
        """A memory of counts, one more at ``address`` in each cycle that ``counts``; and a port to look at it."""
        m.submodules[name] = memory = Memory(shape=unsigned(self.capacity.bit_length()), depth=1 << self.region_width,
                                             init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            read.addr.eq(address),
            write.addr.eq(address),
            write.data.eq(Mux(self.forget, 0, read.data + 1)),
            write.en.eq(self.forget | counts),
        ]
        return memory.read_port(domain="comb")
