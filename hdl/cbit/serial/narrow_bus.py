"""The serial bus side of the smallest engines: reads, writes and the cipher around one store with one port."""

from amaranth.hdl import Module

from cbit.serial.bus import SerialBus
from cbit.serial.narrow_cipher import NarrowCipher
from cbit.serial.narrow_store import Move, NarrowStore, beat_place
from cbit.serial.ports import MERGE_PLACE
from cbit.serial.read import SerialRead
from cbit.serial.write import SerialWrite

__all__ = ["NarrowBus"]


class NarrowBus(SerialBus):
    """The same for whoever is outside as :class:`~cbit.serial.bus.SerialBus`.

    Latency, throughput and stalls are those of its parts: a block through the ring takes more than 60 cycles, any beat
    six or seven into the store and as many out of it.

    Parameters and members are the same.
    """

    def _make_parts(self, *, key_bits: int, slots: int, **widths: int) -> None:
        self.cipher = NarrowCipher(key_bits=key_bits, slots=slots, c_bit=widths["c_bit"])
        self.reads = SerialRead(**widths, narrow=True)
        self.writes = SerialWrite(key_bits=key_bits, **widths, narrow=True)

    def _join_store(self, m: Module) -> None:
        cipher, reads, writes, dram = self.cipher, self.reads, self.writes, self.m_axi
        m.submodules.store = store = NarrowStore()
        moves = {
            Move.RESULT: (cipher.result_wants, cipher.result_heard, cipher.result.payload.place),
            Move.FEED: (cipher.feed_wants, cipher.feed_heard, cipher.feed_place),
            Move.ARRIVE: (reads.arrival.valid, reads.arrival.ready, reads.arrival.payload.place),
            Move.SEND: (writes.line_wants, writes.line_heard, writes.line_place),
            Move.GATHER: (writes.gather_wants, writes.gather_heard, beat_place(writes.beat_head)),
            Move.MERGE: (writes.merge_wants, writes.merge_heard, MERGE_PLACE),
            Move.DELIVER: (reads.wants, reads.heard, reads.place),
            Move.BEAT: (writes.beat_wants, writes.beat_heard, beat_place(writes.beat_tail)),
        }
        for move, (wants, heard, place) in moves.items():
            m.d.comb += [store.wants[move.value].eq(wants), heard.eq(store.heard[move.value]),
                         store.places[move.value].eq(place)]
        with m.If(writes.is_beat):
            m.d.comb += store.places[Move.SEND.value].eq(beat_place(writes.beat_head))
        m.d.comb += [
            store.copy_place.eq(writes.copy_place), store.strobes.eq(writes.strobes), store.brought.eq(writes.brought),
            store.result.eq(cipher.result_word), store.result_resp.eq(cipher.result_resp),
            store.hide.eq(cipher.result.payload.hide),
            store.arrival.eq(dram.r.payload.data), store.arrival_resp.eq(reads.arrival.payload.entry.resp),
            store.beat.eq(self.s_w.payload.data), store.ones.eq(reads.ones),
            cipher.column.eq(store.column), cipher.feeds.eq(store.feeds), cipher.takes_result.eq(store.takes_result),
            cipher.word.eq(store.word), cipher.feed_resp.eq(store.resp),
            reads.stored.data.eq(store.delivered), writes.stored.data.eq(store.sent),
            reads.stored.resp.eq(store.resp), writes.stored.resp.eq(store.resp),
        ]
        for user in (reads, writes):
            m.d.comb += [user.result.valid.eq(cipher.result.valid), user.result.payload.eq(cipher.result.payload)]
