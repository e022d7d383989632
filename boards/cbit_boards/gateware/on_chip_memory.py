"""Memory of the FPGA itself behind AXI4, for boards that have no other."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature, Response, address_layout
from cbit.serial.single_port_ram import SinglePortRam
from cbit_boards.gateware.beats import beat_place

__all__ = ["OnChipMemory"]

_WORD_BITS = 64
_WORD_BYTES = _WORD_BITS // 8
_SIZES = (1 << 13, 1 << 17)


class OnChipMemory(Component):
    """A memory in words of 64 bits, two to a beat, that takes one burst at a time; reads and writes in turn.

    It has one port that reads or writes, so that an UltraPlus has it in its single-ported RAMs: 128 KiB fill them.
    A burst at an address past its end gets DECERR for each beat and changes nothing.

    Latency: a beat of a read is shown three cycles after its burst is taken or the beat before is. Throughput: a beat
    every three cycles. Stalls: nothing moves while an answer waits.

    Parameters
    ----------
    size_bytes : :class:`int`
        A power of two from 8192 to 131072.
    addr_width, id_width : :class:`int`
        As those of the manager.

    Members
    -------
    s_axi : ``In(Axi4Signature(data_width=128, ...))``
        Legal bursts.
    ready : ``Out(1)``
        High: there is nothing to wait for.

    Raises
    ------
    ValueError
        If the size is another.
    """

    def __init__(self, *, size_bytes: int, addr_width: int, id_width: int):
        if not _SIZES[0] <= size_bytes <= _SIZES[1] or size_bytes & (size_bytes - 1):
            raise ValueError(f"size_bytes must be a power of two from {_SIZES[0]} to {_SIZES[1]}, not {size_bytes!r}")
        self.size_bytes = size_bytes
        self.address = address_layout(addr_width=addr_width, id_width=id_width)
        self.ram = SinglePortRam(words=size_bytes // _WORD_BYTES, width=_WORD_BITS)
        super().__init__({
            "s_axi": In(Axi4Signature(addr_width=addr_width, data_width=2 * _WORD_BITS, id_width=id_width)),
            "ready": Out(1),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        axi = self.s_axi
        request = Signal(self.address)
        index, is_write_turn, is_beyond = Signal(8), Signal(), Signal()
        m.d.comb += [self.ready.eq(1), is_beyond.eq(request.addr >= self.size_bytes)]
        place = beat_place(m, request, index, addr_width=(self.size_bytes - 1).bit_length())
        half, writes = Signal(), Signal()
        data = self._ram(m, place.block, half, writes & ~is_beyond)
        resp = Mux(is_beyond, Response.DECERR, Response.OKAY)
        low = Signal(_WORD_BITS)
        m.d.comb += [
            axi.r.payload.id.eq(request.id), axi.b.payload.id.eq(request.id),
            axi.r.payload.data.eq(Cat(low, data)), axi.r.payload.last.eq(index == request.len),
            axi.r.payload.resp.eq(resp), axi.b.payload.resp.eq(resp),
        ]
        with m.FSM():  # one burst, beat by beat, of each beat first the lower word
            with m.State("Idle"):
                turn = axi.aw.valid & (is_write_turn | ~axi.ar.valid)
                m.d.comb += [axi.aw.ready.eq(turn), axi.ar.ready.eq(~turn)]
                m.d.sync += index.eq(0)
                with m.If(turn):
                    m.d.sync += [request.eq(axi.aw.payload), is_write_turn.eq(0)]
                    m.next = "WriteLow"
                with m.Elif(axi.ar.valid):
                    m.d.sync += [request.eq(axi.ar.payload), is_write_turn.eq(1)]
                    m.next = "ReadLow"
            with m.State("WriteLow"):
                with m.If(axi.w.valid):
                    m.d.comb += writes.eq(1)
                    m.next = "WriteHigh"
            with m.State("WriteHigh"):
                m.d.comb += [half.eq(1), writes.eq(1), axi.w.ready.eq(1)]
                m.d.sync += index.eq(index + 1)
                m.next = "WriteLow"
                with m.If(axi.w.payload.last):
                    m.next = "Respond"
            with m.State("Respond"):
                m.d.comb += axi.b.valid.eq(1)
                with m.If(axi.b.ready):
                    m.next = "Idle"
            with m.State("ReadLow"):
                m.next = "ReadHigh"
            with m.State("ReadHigh"):
                m.d.comb += half.eq(1)
                m.d.sync += low.eq(data)
                m.next = "Show"
            with m.State("Show"):
                m.d.comb += [half.eq(1), axi.r.valid.eq(1)]
                with m.If(axi.r.ready):
                    m.d.sync += index.eq(index + 1)
                    m.next = "ReadLow"
                    with m.If(index == request.len):
                        m.next = "Idle"
        return m

    def _ram(self, m: Module, block: Signal, half: Signal, writes: Any) -> Signal:
        """The word that was addressed in the cycle before. A half of a beat is addressed, and written or not."""
        m.submodules.ram = ram = self.ram
        payload = self.s_axi.w.payload
        m.d.comb += [
            ram.address.eq(Cat(half, block)),
            ram.write_data.eq(payload.data.word_select(half, _WORD_BITS)),
            ram.write_bytes.eq(payload.strb.word_select(half, _WORD_BYTES)
                               & writes.replicate(_WORD_BYTES)),
        ]
        return ram.read_data
