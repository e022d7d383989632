"""Requests, taken whole before anything of them is done."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, Signature, connect, flipped

from cbit.soc.cobs import CobsDecoder
from cbit.soc.protocol import CRC, CRC_BYTES, DATA_BYTES, HEADER_BYTES, REQUEST

__all__ = ["Inbox", "InboxSignature"]


class InboxSignature(Signature):
    """A request, seen from the inbox.

    Members
    -------
    valid : ``Out(1)``
        There is one.
    request : ``Out(REQUEST)``
        Its header.
    data_bytes : ``Out(range(DATA_BYTES + 1))``
        Bytes of data that came with it.
    rewind : ``In(1)``
        ``data`` begins anew.
    data : ``Out(stream.Signature(8))``
        The data, from the first byte on.
    take : ``In(1)``
        It is not needed any more.
    """

    def __init__(self) -> None:
        super().__init__({
            "valid": Out(1),
            "request": Out(REQUEST),
            "data_bytes": Out(range(DATA_BYTES + 1)),
            "rewind": In(1),
            "data": Out(stream.Signature(8)),
            "take": In(1),
        })


class Inbox(Component):
    """Keeps the request of a frame until it is taken.

    A frame that is not well-formed, too short or too long for a request, or whose CRC is wrong, leaves nothing.

    Latency: one cycle from the frame's end to ``valid``; one from ``rewind`` to the first byte of ``data``. Throughput:
    a byte a cycle in, one every other cycle out.

    Members
    -------
    start : ``In(1)``
        A frame begins with the next byte, and what was kept is gone. Low while there is a request.
    i : ``In(stream.Signature(8, always_ready=True))``
        Bytes of COBS, and the zero that ends a frame. After it they do not count, until the next start.
    o : ``Out(InboxSignature())``
        The request.
    """

    start: In(1)
    i: In(stream.Signature(8, always_ready=True))
    o: Out(InboxSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        longest = HEADER_BYTES + DATA_BYTES + CRC_BYTES
        m.submodules.decoder = decoder = CobsDecoder()
        m.submodules.crc = crc = CRC.create()
        m.submodules.memory = memory = Memory(shape=8, depth=DATA_BYTES + CRC_BYTES, init=[])
        write = memory.write_port()
        connect(m, flipped(self.i), decoder.i)
        byte, header = decoder.o, Signal(REQUEST)
        count, is_open = Signal(range(longest + 2)), Signal()
        is_header, has_room = count < HEADER_BYTES, count < longest
        m.d.comb += [
            decoder.start.eq(self.start),
            crc.start.eq(self.start), crc.valid.eq(byte.valid), crc.data.eq(byte.payload),
            write.addr.eq(count - HEADER_BYTES), write.data.eq(byte.payload),
            write.en.eq(byte.valid & ~is_header & has_room & is_open),
            self.o.request.eq(header),
            self.o.data_bytes.eq(count - HEADER_BYTES - CRC_BYTES),
        ]
        with m.If(self.o.take):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.start):
            m.d.sync += [count.eq(0), is_open.eq(1), self.o.valid.eq(0)]
        with m.Elif(is_open):
            with m.If(byte.valid):
                m.d.sync += count.eq(count + (count <= longest))
            with m.If(byte.valid & is_header):
                m.d.sync += header.eq(Cat(header.as_value()[8:], byte.payload))
            with m.If(decoder.end):
                fits = (count >= HEADER_BYTES + CRC_BYTES) & (count <= longest)
                m.d.sync += [is_open.eq(0), self.o.valid.eq(decoder.well_formed & crc.match_detected & fits)]
        self._give_data(m, memory)
        return m

    def _give_data(self, m: Module, memory: Memory) -> None:
        read, place = memory.read_port(), Signal(range(DATA_BYTES + 1))
        m.d.comb += [read.addr.eq(place), self.o.data.payload.eq(read.data)]
        m.d.sync += self.o.data.valid.eq(~self.o.data.valid | ~self.o.data.ready)
        with m.If(self.o.data.valid & self.o.data.ready):
            m.d.sync += place.eq(place + 1)
        with m.If(self.o.rewind):
            m.d.sync += [place.eq(0), self.o.data.valid.eq(0)]
