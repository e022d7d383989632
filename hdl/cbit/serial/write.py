"""Writes in order: gathers their data, has them encrypted, and sends them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import ATTRIBUTES, Route, request_layout
from cbit.axi.ports import Burst, address_layout, response_layout, write_data_layout
from cbit.serial.answers import ACCESSES, SerialAnswers
from cbit.serial.gather import BlockGather
from cbit.serial.narrow_data import NarrowGather, NarrowWriteData
from cbit.serial.narrow_store import BEAT_PLACE_BITS
from cbit.serial.ports import (
    MERGE_PLACE,
    PLACE_BITS,
    TurnSignature,
    entry_layout,
    job_layout,
    line_place,
    result_layout,
)
from cbit.serial.read import merge_layout
from cbit.serial.send import COUNT_BITS, SerialSend
from cbit.serial.walk import BLOCK_SIZE, after, walk_layout, wrap_mask
from cbit.serial.write_data import WriteData

__all__ = ["SerialWrite"]


_NARROW_PORTS = {
    "beat_wants": Out(1), "beat_heard": In(1), "beat_tail": Out(BEAT_PLACE_BITS),
    "gather_wants": Out(1), "gather_heard": In(1), "beat_head": Out(BEAT_PLACE_BITS),
    "strobes": Out(16), "copy_place": Out(PLACE_BITS), "brought": Out(16), "is_beat": Out(1)}


class SerialWrite(Component):
    """Writes for managers, in the order of their addresses.

    A write is begun when all of its data are here, so that no manager holds up reads. Plain bursts go to DRAM as they
    came, encrypted ones line by line. Of a block that is partly strobed, what is missing is read and decrypted once all
    earlier writes are answered, and nothing is sent before its line is.

    Latency: of a plain burst five cycles from its last beat to ``aw``; a line is ready to be sent when the last of its
    blocks, which is fed in the fifth cycle after the one before it or later, has come from the ring. Throughput: a beat
    a cycle, a block every four; one partial block after the other, each as long as DRAM and the ring take twice.

    Parameters
    ----------
    addr_width, c_bit, id_width, slot_width, key_bits : :class:`int`
        As the engine's.
    narrow : :class:`bool`
        Whether the store has all data, from the manager's beats on.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
    s_w : ``In(stream.Signature(write_data_layout(128)))``
    aw, w, dram_b : ``Out``, ``Out``, ``In``
        To and from DRAM.
    b : ``Out(stream.Signature(response_layout(...)))``
    merge, merged
        As of :class:`~cbit.serial.read.SerialRead`.
    job, turn
        As of :class:`~cbit.serial.cipher.SerialCipher`.
    plain : ``Out(128)``
        The block that was fed in the cycle before.
    test_load : ``In(1)``
        Has that be the self-test's.
    result : ``In(stream.Signature(result_layout(), always_ready=True))``
        What the ring stores.
    beat_wants, beat_heard, beat_tail, gather_wants, gather_heard, beat_head, strobes, copy_place, brought, is_beat
        If narrow: has the store take the beat at ``s_w``, or gather or merge or send the one that is next, as of
        :class:`~cbit.serial.narrow_store.NarrowStore`.
    merge_wants, merge_place, merge_heard, line_wants, line_place, line_heard, stored
        Reads the store.
    drain_slot, drain_busy : ``In(slot_width)``, ``Out(1)``
        Whether a write under that slot has blocks to come.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, slot_width: int, key_bits: int,
                 narrow: bool = False) -> None:
        self.narrow = narrow
        self.request = request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        self.data = NarrowWriteData() if narrow else WriteData()
        self.gather = NarrowGather() if narrow else BlockGather(key_bits=key_bits)
        self.send = SerialSend(addr_width=addr_width, id_width=id_width, narrow=narrow)
        self.answers = SerialAnswers(id_width=id_width)
        super().__init__({
            "i": In(stream.Signature(self.request)),
            "s_w": In(stream.Signature(write_data_layout(128))),
            "aw": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "w": Out(stream.Signature(write_data_layout(128))),
            "dram_b": In(stream.Signature(response_layout(id_width), always_ready=True)),
            "b": Out(stream.Signature(response_layout(id_width))),
            "merge": Out(stream.Signature(merge_layout(c_bit=c_bit, id_width=id_width))),
            "merged": In(1),
            "job": Out(stream.Signature(job_layout(c_bit=c_bit, slot_width=slot_width))),
            "turn": Out(TurnSignature()),
            "plain": Out(128),
            "test_load": In(1),
            "result": In(stream.Signature(result_layout(), always_ready=True)),
            "merge_wants": Out(1),
            "merge_place": Out(PLACE_BITS),
            "merge_heard": In(1),
            "line_wants": Out(1),
            "line_place": Out(PLACE_BITS),
            "line_heard": In(1),
            "stored": In(entry_layout()),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        } | (_NARROW_PORTS if narrow else {}))

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.data, m.submodules.gather = self.data, self.gather
        data = self.data
        m.submodules.send, m.submodules.answers = send, answers = self.send, self.answers
        connect(m, flipped(self.s_w), data.i)
        connect(m, flipped(self.dram_b), answers.dram_b)
        connect(m, answers.b, flipped(self.b))
        connect(m, send.send, answers.send)
        connect(m, send.aw, flipped(self.aw))
        connect(m, send.w, flipped(self.w))
        connect(m, flipped(self.result), send.result)
        m.d.comb += [
            send.sent_idle.eq(answers.idle),
            self.line_wants.eq(send.wants), self.line_place.eq(send.place), send.heard.eq(self.line_heard),
            send.stored.eq(self.stored),
        ]
        self._join_gather(m)
        # The access whose data are at hand; the next one waits at `i`, its tweak already asked for.
        layout = StructLayout({"route": Route, "slot": len(self.drain_slot), "id": len(self.i.payload.id),
                               "page": len(self.i.payload.addr) - 12, "walk": walk_layout(), "size": 3, "burst": Burst,
                               "lock": 1, "attributes": ATTRIBUTES, "number": range(ACCESSES)})
        access, is_present, ended = Signal(layout), Signal(), Signal()
        self._place = (Signal(12), Signal(8)) if self.narrow else (access.walk.at, access.walk.left)
        loads = self._take(m, access, is_present, ended)
        m.d.comb += self.drain_busy.eq(
            is_present & (access.route == Route.ENCRYPTED) & (access.slot == self.drain_slot))
        self._work(m, access, is_present, ended)
        with m.If(ended):
            m.d.sync += is_present.eq(0)
        with m.If(loads):
            m.d.sync += is_present.eq(1)
        return m

    def _join_gather(self, m: Module) -> None:
        data, gather, send = self.data, self.gather, self.send
        if not self.narrow:
            m.d.comb += [
                gather.beat.eq(data.o.payload), gather.stored.eq(self.stored.data),
                gather.test_load.eq(self.test_load), self.plain.eq(gather.block),
                send.plain.payload.data.eq(data.o.payload.data),
            ]
            return
        m.d.comb += [
            self.beat_wants.eq(data.wants), data.heard.eq(self.beat_heard), self.beat_tail.eq(data.tail),
            self.beat_head.eq(data.head), self.strobes.eq(data.o.payload.strb), gather.strobes.eq(data.o.payload.strb),
            self.brought.eq(gather.brought), self.is_beat.eq(send.is_beat),
        ]

    def _take(self, m: Module, access, is_present: Signal, ended: Signal) -> Signal:
        """Begins an access when its data are there, asks for its lines, and hands it on; high when it does that."""
        request, data, answers = self.i.payload, self.data, self.answers
        is_begun, is_loaded, is_asked = Signal(), Signal(), Signal()
        line, lines_left = Signal(6), Signal(6)
        is_encrypted = request.route == Route.ENCRYPTED
        mask, begins, loads, last_asked = Signal(12), Signal(), Signal(), Signal()
        m.d.comb += [
            mask.eq(wrap_mask(request)),
            data.beats.eq(request.len),
            answers.enter.valid.eq(self.i.valid & ~is_begun & data.has_all),
            answers.enter.payload.id.eq(request.id), answers.enter.payload.resp.eq(request.resp),
            answers.enter.payload.is_answered.eq((request.route == Route.DENIED) | (request.route == Route.DISCARDED)),
            begins.eq(answers.enter.valid & answers.enter.ready),
            data.reserve.eq(begins),
            self.job.valid.eq(is_begun & is_encrypted & ~is_asked),
            self.job.payload.line.eq(Cat(line, request.addr[12:])),
            self.job.payload.slot.eq(request.slot),
            last_asked.eq(self.job.valid & self.job.ready & (lines_left == 0)),
            loads.eq(is_begun & ~is_loaded & ~is_present),
            # If narrow it stays there until its end: nothing of it is kept but what changes.
            self.i.ready.eq((ended if self.narrow else loads | is_loaded) & (~is_encrypted | is_asked | last_asked)),
        ]
        number = Signal(range(ACCESSES))
        with m.If(begins):
            m.d.sync += [is_begun.eq(1), number.eq(answers.number), line.eq(request.addr[6:12]),
                         lines_left.eq(request.extent.chunks_after)]
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [line.eq((line & ~mask[6:]) | ((line + 1) & mask[6:])), lines_left.eq(lines_left - 1)]
        with m.If(self.i.ready):
            m.d.sync += [is_begun.eq(0), is_loaded.eq(0), is_asked.eq(0)]
        with m.Else():
            m.d.sync += [is_loaded.eq(is_loaded | loads), is_asked.eq(is_asked | last_asked)]
        stays = [
            *(access[field].eq(request[field])
              for field in ("route", "slot", "id", "size", "burst", "lock", "attributes")),
            access.page.eq(request.addr[12:]), access.number.eq(number),
            access.walk.mask.eq(mask), access.walk.size.eq(request.size),
        ]
        at, left = self._place
        with m.If(loads):
            m.d.sync += [at.eq(request.addr[:12]), left.eq(request.len)]
            if not self.narrow:
                m.d.sync += stays
        if self.narrow:
            m.d.comb += [*stays, access.walk.at.eq(at), access.walk.left.eq(left)]
        return loads

    def _work(self, m: Module, access, is_present: Signal, ended: Signal) -> None:
        """Sends an access, line by line if it is encrypted; ``ended`` in its last cycle."""
        data, gather, send, walk = self.data, self.gather, self.send, access.walk
        line = StructLayout({"line": 6, "number": 2, "first": 2, "strobes": 4, "is_begun": 1, "is_partial": 1,
                             "buffer": 2, "ends": 1, "ends_access": 1, "count": COUNT_BITS})
        at, is_last, ends_block, ends_line = Signal(line), Signal(), Signal(), Signal()
        m.d.comb += is_last.eq(walk.left == 0)
        self._find_ends(m, walk, is_last, ends_block, ends_line)
        self._offer(m, access, at)
        with m.If(data.o.valid & data.o.ready):
            at_byte, left = self._place
            m.d.sync += [at_byte.eq(after(walk)), left.eq(walk.left - 1)]
        # One access: plain beats pass, those of others are dropped; of an encrypted one each line waits for its turn,
        # and of it each block is gathered, completed if it must be, and fed.
        with m.FSM():
            with m.State("IDLE"), m.If(is_present):
                with m.Switch(access.route):
                    with m.Case(Route.PLAIN):
                        m.d.comb += send.i.valid.eq(1)
                        with m.If(send.i.ready):
                            m.next = "PASS"
                    with m.Case(Route.ENCRYPTED):
                        m.next = "LINE"
                    with m.Default():
                        m.next = "DROP"
            with m.State("PASS"):
                m.d.comb += [send.plain.valid.eq(data.o.valid), data.o.ready.eq(send.plain.ready)]
                with m.If(data.o.ready & is_last):
                    m.d.comb += ended.eq(1)
                    m.next = "IDLE"
            with m.State("DROP"):
                m.d.comb += data.o.ready.eq(1)
                with m.If(is_last):
                    m.d.comb += ended.eq(1)
                    m.next = "IDLE"
            with m.State("LINE"), m.If(self.turn.valid):
                m.d.comb += send.fresh.eq(1)
                m.d.sync += [at.strobes.eq(0), at.is_begun.eq(0), at.is_partial.eq(0)]
                m.next = "GATHER"
            with m.State("GATHER"):
                is_gathered = self._has_gathered(m)
                m.d.comb += [data.o.ready.eq(is_gathered), gather.takes.eq(is_gathered)]
                m.d.sync += [Cat(at.number, at.line).eq(walk.at[4:]), at.ends.eq(ends_line), at.ends_access.eq(is_last)]
                with m.If(ends_block & is_gathered):
                    m.next = "BLOCK"
            self._complete(m, access, at)
            with m.State("NEXT"):
                m.d.comb += gather.clear.eq(1)
                m.d.sync += [at.strobes.bit_select(at.number, 1).eq(gather.has_some), at.is_begun.eq(1)]
                with m.If(~at.is_begun):
                    m.d.sync += at.first.eq(at.number)
                m.next = "GATHER"
                with m.If(at.ends):
                    m.next = "PUSH"
            with m.State("PUSH"):
                m.d.comb += send.i.valid.eq(1)
                with m.If(send.i.ready):
                    m.d.comb += [self.turn.done.eq(1), ended.eq(at.ends_access)]
                    m.d.sync += at.buffer.eq(at.buffer + 1)
                    m.next = "LINE"
                    with m.If(at.ends_access):
                        m.next = "IDLE"

    def _has_gathered(self, m: Module) -> Value:
        if not self.narrow:
            return Const(1)
        m.d.comb += self.gather_wants.eq(1)
        return self.gather_heard

    @staticmethod
    def _find_ends(m: Module, walk, is_last: Signal, ends_block: Signal, ends_line: Signal) -> None:
        """Whether this beat is the last of its block, and of its line or of what it is before it wraps."""
        step = Cat((walk.size == size) for size in range(BLOCK_SIZE + 1))
        of_block, of_line = Signal(6), Signal(7)
        m.d.comb += [
            of_block.eq((walk.at | ~walk.mask)[:4] + step),
            of_line.eq((walk.at | ~walk.mask)[:6] + step),
            # A FIXED burst moves nothing.
            ends_block.eq(is_last | (walk.mask[0] & of_block[4:].any())),
            ends_line.eq(is_last | (walk.mask[0] & of_line[6])),
        ]

    def _offer(self, m: Module, access, at) -> None:
        """What is sent next: the access as it came, or the line at hand."""
        sending, data, walk = self.send.i.payload, self.data, access.walk
        address, is_plain = sending.address, access.route == Route.PLAIN
        m.d.comb += [
            *(address[field].eq(access[field]) for field in ("id", "lock")),
            *(address[field].eq(access.attributes[field]) for field in ATTRIBUTES.members),
            address.addr.eq(Cat(Mux(is_plain, walk.at, Cat(Const(0, 4), at.first, at.line)), access.page)),
            address.len.eq(Mux(is_plain, walk.left, at.number - at.first)),
            address.size.eq(Mux(is_plain, access.size, BLOCK_SIZE)),
            address.burst.eq(Mux(is_plain, access.burst.as_value(), Burst.INCR)),
            sending.number.eq(access.number), sending.is_plain.eq(is_plain),
            sending.is_final.eq(is_plain | at.ends_access),
            sending.is_partial.eq(~is_plain & at.is_partial),
            *(sending[field].eq(at[field]) for field in ("buffer", "first", "strobes", "count")),
            self.send.plain.payload.strb.eq(data.o.payload.strb),
            self.send.plain.payload.last.eq(walk.left == 0),
        ]

    def _complete(self, m: Module, access, at) -> None:
        """The states of a block that has been gathered."""
        gather, send, feed = self.gather, self.send, self.turn.feed
        comes = self.result.valid & (self.result.payload.place == MERGE_PLACE)
        decrypts = Signal()
        m.d.comb += [
            send.buffer.eq(at.buffer), self.merge_place.eq(MERGE_PLACE),
            self.merge.payload.block.eq(Cat(at.number, at.line, access.page)),
            self.merge.payload.id.eq(access.id), self.merge.payload.attributes.eq(access.attributes),
        ]
        with m.State("BLOCK"):
            m.next = "NEXT"
            with m.If(gather.has_all):
                m.next = "FEED"
            with m.Elif(gather.has_some):
                m.next = "QUIET"
        with m.State("FEED"):
            m.d.comb += feed.valid.eq(1)
            with m.If(feed.ready):
                m.d.sync += at.count.eq(at.count + 1)
                m.next = "NEXT"
        with m.State("QUIET"), m.If(send.idle & self.answers.idle):
            m.d.sync += at.is_partial.eq(1)
            m.next = "ASK"
        with m.State("ASK"):
            m.d.comb += self.merge.valid.eq(1)
            with m.If(self.merge.ready):
                m.next = "AWAIT"
        with m.State("AWAIT"), m.If(self.merged):
            m.next = "DECRYPT"
        with m.State("DECRYPT"):
            m.d.comb += [feed.valid.eq(1), decrypts.eq(1)]
            with m.If(feed.ready):
                m.next = "HEAR"
        with m.State("HEAR"), m.If(comes):
            m.d.comb += send.fails.eq(self.result.payload.hide)
            m.next = "FETCH"
        with m.State("FETCH"):
            m.d.comb += self.merge_wants.eq(1)
            with m.If(self.merge_heard):
                m.next = "FEED" if self.narrow else "MERGE"
        if self.narrow:
            m.d.comb += self.copy_place.eq(line_place(at.buffer, at.number))
        else:
            with m.State("MERGE"):
                m.d.comb += gather.merges.eq(1)
                m.next = "FEED"
        m.d.comb += [
            feed.payload.decrypt.eq(decrypts), feed.payload.number.eq(at.number),
            feed.payload.place.eq(Mux(decrypts, MERGE_PLACE, line_place(at.buffer, at.number))),
        ]
