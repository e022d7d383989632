"""The serial bus side: reads, writes and the cipher that they share, joined."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import request_layout
from cbit.axi.ports import Axi4Signature, read_data_layout, response_layout, write_data_layout
from cbit.keys.types import RoundKeyWordSignature
from cbit.serial.cipher import SerialCipher
from cbit.serial.read import SerialRead
from cbit.serial.store import BlockStore
from cbit.serial.write import SerialWrite

__all__ = ["SerialBus"]


class SerialBus(Component):
    """Takes decided accesses, reads and writes each in order, few at a time, and has them encrypted by one ring.

    Reads do not wait for writes, nor writes for reads, but for the ring and for a block of a partial write. Latency,
    throughput and stalls are those of the parts.

    Parameters
    ----------
    addr_width, c_bit, id_width, key_bits : :class:`int`
        As the engine's.
    slots : :class:`int`
        Number of key slots. 2 to 16.

    Members
    -------
    read, write : ``In(stream.Signature(request_layout(...)))``
        Decided accesses.
    s_w, r, b
        The other channels of the managers' port.
    m_axi : ``Out(Axi4Signature(...))``
        To DRAM.
    serving : ``In(slots)``
        Slots whose keys are there.
    key_fault : ``Out(1)``
        A faulty round key of a slot that serves was met.
    drain_slot, drain_busy : ``In``, ``Out``
        Whether an access that has been taken needs the key of that slot.
    round_key : ``In(RoundKeyWordSignature(...))``
    self_test_keys, self_test_busy, self_test_failed
        As of :class:`~cbit.serial.self_test.SerialSelfTest`.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, key_bits: int, slots: int) -> None:
        slot_width = (slots - 1).bit_length()
        self._make_parts(key_bits=key_bits, slots=slots, addr_width=addr_width, c_bit=c_bit, id_width=id_width,
                         slot_width=slot_width)
        request = stream.Signature(request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width))
        super().__init__({
            "read": In(request),
            "write": In(request),
            "s_w": In(stream.Signature(write_data_layout(128))),
            "r": Out(stream.Signature(read_data_layout(id_width, 128))),
            "b": Out(stream.Signature(response_layout(id_width))),
            "m_axi": Out(Axi4Signature(addr_width=addr_width, data_width=128, id_width=id_width)),
            "serving": In(slots),
            "key_fault": Out(1),
            "drain_slot": In(range(slots)),
            "drain_busy": Out(1),
            "round_key": In(RoundKeyWordSignature(slots=slots, key_bits=key_bits)),
            "self_test_keys": In(1),
            "self_test_busy": Out(1),
            "self_test_failed": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        for name in ("cipher", "reads", "writes"):
            m.submodules[name] = getattr(self, name)
        cipher, reads, writes, dram = self.cipher, self.reads, self.writes, self.m_axi
        for inner, outer in ((reads.i, self.read), (writes.i, self.write), (writes.s_w, self.s_w),
                             (reads.dram_r, dram.r), (cipher.round_key, self.round_key)):
            connect(m, flipped(outer), inner)
        for inner, outer in ((reads.r, self.r), (writes.b, self.b), (reads.ar, dram.ar), (writes.aw, dram.aw),
                             (writes.w, dram.w)):
            connect(m, inner, flipped(outer))
        connect(m, writes.merge, reads.merge)
        for name, path in (("read", reads), ("write", writes)):
            connect(m, path.job, getattr(cipher, f"{name}_job"))
            connect(m, path.turn, getattr(cipher, f"{name}_turn"))
        self._join_store(m)
        m.d.comb += [
            dram.b.ready.eq(1),
            writes.dram_b.valid.eq(dram.b.valid), writes.dram_b.payload.eq(dram.b.payload),
            writes.merged.eq(reads.merged),
            cipher.read_job_tag.eq(reads.job_tag), reads.tag.eq(cipher.read_tag),
            cipher.serving.eq(self.serving), self.key_fault.eq(cipher.key_fault),
            cipher.drain_slot.eq(self.drain_slot), writes.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(cipher.drain_busy | writes.drain_busy),
            cipher.self_test_keys.eq(self.self_test_keys),
            self.self_test_busy.eq(cipher.self_test_busy), self.self_test_failed.eq(cipher.self_test_failed),
        ]
        return m

    def _make_parts(self, *, key_bits: int, slots: int, **widths: int) -> None:
        self.cipher: Any = SerialCipher(key_bits=key_bits, slots=slots, c_bit=widths["c_bit"])
        self.reads = SerialRead(**widths)
        self.writes = SerialWrite(key_bits=key_bits, **widths)

    def _join_store(self, m: Module) -> None:
        """The store between the three others."""
        cipher, reads, writes = self.cipher, self.reads, self.writes
        m.submodules.store = store = BlockStore()
        connect(m, reads.arrival, store.arrival)
        readers = ((cipher.wants, cipher.place, None), (writes.line_wants, writes.line_place, writes.line_heard),
                   (writes.merge_wants, writes.merge_place, writes.merge_heard),
                   (reads.wants, reads.place, reads.heard))
        for number, (wants, place, heard) in enumerate(readers):
            m.d.comb += [store.wants[number].eq(wants), store.places[number].eq(place)]
            if heard is not None:
                m.d.comb += heard.eq(store.heard[number])
        connect(m, cipher.result, store.result)
        for user in (reads, writes):
            m.d.comb += [user.result.valid.eq(cipher.result.valid),
                         *(user.result.payload[field].eq(cipher.result.payload[field]) for field in ("place", "hide"))]
        for user in (cipher, reads, writes):
            m.d.comb += user.stored.eq(store.o)
        m.d.comb += [writes.test_load.eq(cipher.self_test_load), cipher.plain.eq(writes.plain)]
