"""Reads in order: sends each to DRAM, and stores what comes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import ATTRIBUTES, Route, request_layout
from cbit.axi.ports import Burst, address_layout, read_data_layout
from cbit.serial.deliver import SerialDeliver
from cbit.serial.ports import (
    MERGE_PLACE,
    NARROW_READ_SLOTS,
    PLACE_BITS,
    READ_SLOTS,
    TurnSignature,
    entry_layout,
    job_layout,
    read_tag_layout,
    result_layout,
    stored_layout,
)
from cbit.serial.walk import BLOCK_SIZE, wrap_mask

__all__ = ["SerialRead", "merge_layout"]


def merge_layout(*, c_bit: int, id_width: int) -> StructLayout:
    """A block that a partial write needs: its address without the four lowest bits."""
    return StructLayout({"block": c_bit - 4, "id": id_width, "attributes": ATTRIBUTES})


class SerialRead(Component):
    """Reads for managers, in the order of their addresses, and one at a time for partial writes.

    Plain bursts go to DRAM as they came, encrypted ones as whole blocks in ascending order. What comes is stored, in a
    slot of each burst; encrypted blocks are fed to the ring from there and come back. All is delivered in order.

    Latency: one cycle from ``i`` to ``ar``; from ``dram_r`` to ``r`` five if plain, 30 if encrypted, with AES-256 38.
    Throughput: a beat every two cycles. Stalls: ``i`` while three bursts are in flight, and until all lines of the
    burst have been asked for; ``dram_r`` only in the cycle of a result. A beat that nobody has asked for is dropped.

    Parameters
    ----------
    addr_width, c_bit, id_width, slot_width : :class:`int`
        Widths.
    narrow : :class:`bool`
        Whether ``dram_r`` waits until the store has taken a beat, word by word. Two bursts are in flight then, and what
        is stored stays until the next of them is wanted.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
    ar : ``Out(stream.Signature(address_layout(...)))``
    dram_r : ``In(stream.Signature(read_data_layout(...)))``
    r : ``Out(stream.Signature(read_data_layout(...)))``
    merge : ``In(stream.Signature(merge_layout(...)))``
    merged : ``Out(1)``
        The block is stored at :data:`~cbit.serial.ports.MERGE_PLACE`, as DRAM gave it.
    job, job_tag, tag, turn
        As of :class:`~cbit.serial.cipher.SerialCipher`.
    arrival : ``Out(stream.Signature(stored_layout()))``
    result : ``In(stream.Signature(result_layout(), always_ready=True))``
        What the ring stores.
    wants, place, heard, stored, ones
        Reads the store, as of :class:`~cbit.serial.deliver.SerialDeliver`.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, slot_width: int, narrow: bool = False) -> None:
        beat = read_data_layout(id_width, 128)
        self.c_bit = c_bit
        self.id_width = id_width
        self.address = address_layout(addr_width=addr_width, id_width=id_width)
        self.narrow = narrow
        self.slot_count = NARROW_READ_SLOTS if narrow else READ_SLOTS
        self.deliver = SerialDeliver(id_width=id_width, narrow=narrow)
        super().__init__({
            "i": In(stream.Signature(request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width))),
            "ar": Out(stream.Signature(self.address)),
            "dram_r": In(stream.Signature(beat)),
            "r": Out(stream.Signature(beat)),
            "merge": In(stream.Signature(merge_layout(c_bit=c_bit, id_width=id_width))),
            "merged": Out(1),
            "job": Out(stream.Signature(job_layout(c_bit=c_bit, slot_width=slot_width))),
            "job_tag": Out(read_tag_layout()),
            "tag": In(read_tag_layout()),
            "turn": Out(TurnSignature()),
            "arrival": Out(stream.Signature(stored_layout())),
            "result": In(stream.Signature(result_layout(), always_ready=True)),
            "wants": Out(1),
            "place": Out(PLACE_BITS),
            "heard": In(1),
            "stored": In(entry_layout()),
            "ones": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.deliver = deliver = self.deliver
        connect(m, deliver.r, flipped(self.r))
        m.d.comb += [self.wants.eq(deliver.wants), self.place.eq(deliver.place), deliver.heard.eq(self.heard),
                     deliver.stored.eq(self.stored), self.ones.eq(deliver.ones)]
        # Of each slot: whose burst is there, how many of its beats have come, how many may be delivered.
        slot = StructLayout({"id": self.id_width, "is_plain": 1, "awaits": 1, "come": 9, "ready": 9})
        slots = [Signal(slot, name=f"slot_{number}") for number in range(self.slot_count)]
        free, merging = Signal(range(READ_SLOTS)), Signal()
        issues = self._issue(m, free, merging)
        self._arrive(m, slots, free, merging)
        self._feed(m, slots)
        with m.Switch(deliver.region):
            for number, one in enumerate(slots):
                with m.Case(number):
                    m.d.comb += deliver.available.eq(one.ready)
        with m.If(issues):
            m.d.sync += free.eq(Mux(free == self.slot_count - 1, 0, free + 1))
            with m.Switch(free):
                for number, one in enumerate(slots):
                    with m.Case(number):
                        m.d.sync += [one.id.eq(self.i.payload.id), one.come.eq(0), one.ready.eq(0),
                                     one.is_plain.eq(self.i.payload.route == Route.PLAIN),
                                     one.awaits.eq(self.i.payload.route != Route.DENIED)]
        return m

    def _issue(self, m: Module, free: Signal, merging: Signal) -> Signal:
        """Sends a burst and has its lines fed; high in the cycle in which the burst at ``i`` gets a slot."""
        request, issues, is_issued, is_sent = self.i.payload, Signal(), Signal(), Signal()
        is_plain, is_encrypted = request.route == Route.PLAIN, request.route == Route.ENCRYPTED
        first, last = self._extent(m, request)
        line, is_first = Signal(6), Signal(init=1)
        may_send = ~self.ar.valid | self.ar.ready
        ar, deliver, asked = self.ar.payload, self.deliver, Signal()
        m.d.comb += [
            self.merge.ready.eq(may_send & ~merging),
            issues.eq(self.i.valid & ~is_issued & may_send & ~self.merge.valid & ~merging & deliver.i.ready),
            deliver.i.valid.eq(issues),
            *_deliver(request, free, deliver.i.payload),
            # Once DRAM has taken the burst, so that no line waits at the ring for something that DRAM may not want.
            self.job.valid.eq(is_sent),
            self.job.payload.line.eq(Cat(line, request.addr[12:])),
            self.job.payload.slot.eq(request.slot),
            self.job_tag.number.eq(first[:2]), self.job_tag.is_first.eq(is_first),
            asked.eq(self.job.valid & self.job.ready & (line == last[2:])),
            self.i.ready.eq((issues & ~is_encrypted) | asked),
        ]
        region = Signal.like(free)
        m.d.comb += self.job_tag.region.eq(region)
        with m.If(issues):
            m.d.sync += [is_issued.eq(is_encrypted), line.eq(first[2:]), is_first.eq(1), region.eq(free)]
        with m.If(self.job.ready & self.job.valid):
            m.d.sync += [line.eq(line + 1), is_first.eq(0)]
        with m.If(self.ar.ready):
            m.d.sync += [self.ar.valid.eq(0), is_sent.eq(is_sent | (self.ar.valid & is_issued))]
        with m.If(asked):
            m.d.sync += [is_issued.eq(0), is_sent.eq(0)]
        with m.If(issues & (request.route != Route.DENIED)):
            m.d.sync += self.ar.valid.eq(1)
        with m.If(self.merge.valid & self.merge.ready):
            m.d.sync += self.ar.valid.eq(1)
        with m.If(may_send):
            merge = self.merge.payload
            chosen = [(merge.id, request.id), (merge.attributes, request.attributes)]
            id_, attributes = (Mux(self.merge.valid, one, other) for one, other in chosen)
            given = Signal(ATTRIBUTES)
            m.d.comb += given.eq(attributes)
            m.d.sync += [
                ar.id.eq(id_), ar.lock.eq(request.lock & ~self.merge.valid),
                ar.addr.eq(Mux(self.merge.valid, merge.block << 4, Mux(
                    is_plain, request.addr, Cat(Const(0, 4), first, request.addr[12:])))),
                ar.len.eq(Mux(self.merge.valid, 0, Mux(is_plain, request.len, last - first))),
                ar.size.eq(Mux(is_plain & ~self.merge.valid, request.size, BLOCK_SIZE)),
                ar.burst.eq(Mux(is_plain & ~self.merge.valid, request.burst, Burst.INCR.value)),
                *(ar[field].eq(given[field]) for field in ATTRIBUTES.members),
            ]
        return issues

    def _extent(self, m: Module, request) -> tuple[Signal, Signal]:
        """Numbers in their page of the first and of the last block of an encrypted burst: of a WRAP, of all of its
        container."""
        first, last, mask = Signal(8), Signal(8), Signal(4)
        m.d.comb += [
            first.eq(request.addr[4:12]),
            last.eq(Cat(request.extent.last_byte[4:], request.addr[6:12] + request.extent.chunks_after)),
            mask.eq((request.len[:4] << request.size[:3])[4:8]),
        ]
        with m.If(request.burst == Burst.WRAP):
            m.d.comb += [first[:4].eq(request.addr[4:8] & ~mask), last.eq(request.addr[4:12] | mask)]
        return first, last

    def _arrive(self, m: Module, slots: list, free: Signal, merging: Signal) -> None:
        """Stores each beat where the oldest burst of its ID has its slot. A partial write's burst is the youngest."""
        beat, arrival = self.dram_r.payload, self.arrival
        region, is_meant, meant = Signal(range(READ_SLOTS)), Signal(), Signal(self.slot_count)
        m.d.comb += [meant[number].eq(one.awaits & (one.id == beat.id)) for number, one in enumerate(slots)]
        count = self.slot_count
        oldest = [(turn + order) % count for turn in range(count) for order in range(count)]
        with m.Switch(free):
            for turn in range(count):
                with m.Case(turn):
                    # The slot that is the next to be given away has the oldest burst.
                    for number in reversed(oldest[count * turn:count * turn + count]):
                        with m.If(meant[number]):
                            m.d.comb += [region.eq(number), is_meant.eq(1)]
        came = self._came = self._receive(m, Cat(is_meant, region), is_meant | merging)
        come, takes, stores, result = Signal(9), Signal(), Signal(), self.result.payload.place
        with m.Switch(came.region):
            for number, one in enumerate(slots):
                with m.Case(number):
                    m.d.comb += come.eq(one.come)
        m.d.comb += [
            takes.eq(self.dram_r.valid & self.dram_r.ready),
            arrival.payload.place.eq(Mux(came.is_meant, Cat(come[:8], came.region), MERGE_PLACE)),
            arrival.payload.entry.eq(came.entry),
            stores.eq(arrival.valid & arrival.ready),
            self.merged.eq(stores & ~came.is_meant),
        ]
        for number, one in enumerate(slots):
            with m.If(takes & is_meant & (region == number)):
                m.d.sync += one.awaits.eq(~beat.last)
            with m.If(stores & came.is_meant & (came.region == number)):
                m.d.sync += one.come.eq(come + 1)
                with m.If(one.is_plain):
                    m.d.sync += one.ready.eq(come + 1)
            with m.If(self.result.valid & (result[8:] == number)):
                m.d.sync += one.ready.eq(result[:8] + 1)
        with m.If(takes & ~is_meant):
            m.d.sync += merging.eq(0)
        with m.If(self.merge.valid & self.merge.ready):
            m.d.sync += merging.eq(1)

    def _receive(self, m: Module, meaning: Value, counts: Value):
        """What comes, and whose it is; if anybody's, it is ready for the store."""
        arrival, beat = self.arrival, self.dram_r
        layout = StructLayout({"is_meant": 1, "region": range(READ_SLOTS), "entry": entry_layout()})
        given = Signal(layout)
        m.d.comb += [Cat(given.is_meant, given.region).eq(meaning),
                     given.entry.data.eq(beat.payload.data), given.entry.resp.eq(beat.payload.resp)]
        if self.narrow:
            m.d.comb += [arrival.valid.eq(beat.valid & counts), beat.ready.eq(arrival.ready | ~counts)]
            return given
        # It waits in a register for the store, and counts from there. Not reset: its valid bit is.
        came = Signal(layout, reset_less=True)
        m.d.comb += beat.ready.eq(~arrival.valid | arrival.ready)
        with m.If(beat.ready):
            m.d.sync += [arrival.valid.eq(beat.valid & counts), came.eq(given)]
        return came

    def _feed(self, m: Module, slots: list) -> None:
        """Feeds what has come of the burst whose line it is, until the line or the burst is at its end."""
        turn, next_block, number, is_begun = self.turn, Signal(9), Signal(3), Signal()
        come, awaits, has_more = Signal(9), Signal(), Signal()
        awaits_more = awaits | (self.arrival.valid & (self._came.region == self.tag.region))
        with m.Switch(self.tag.region):
            for index, one in enumerate(slots):
                with m.Case(index):
                    m.d.comb += [come.eq(one.come), awaits.eq(one.awaits)]
        m.d.comb += [
            turn.feed.valid.eq(turn.valid & is_begun & ~number[2] & has_more),
            turn.feed.payload.decrypt.eq(1),
            turn.feed.payload.number.eq(number),
            turn.feed.payload.place.eq(Cat(next_block[:8], self.tag.region)),
            turn.done.eq(turn.valid & is_begun & (number[2] | (~awaits_more & (next_block == come)))),
        ]
        # Known a cycle late, as what is fed addresses the store in the same cycle.
        m.d.sync += has_more.eq(is_begun & ~turn.done & ~(turn.feed.valid & turn.feed.ready) & (next_block != come))
        with m.If(turn.valid & ~is_begun):
            m.d.sync += [is_begun.eq(1), number.eq(Mux(self.tag.is_first, self.tag.number, 0))]
            with m.If(self.tag.is_first):
                m.d.sync += next_block.eq(0)
        with m.If(turn.feed.valid & turn.feed.ready):
            m.d.sync += [next_block.eq(next_block + 1), number.eq(number + 1)]
        with m.If(turn.done):
            m.d.sync += is_begun.eq(0)


def _deliver(request, slot: Signal, delivery) -> list:
    """Sets what is to be delivered of an access whose burst has got a slot: of an encrypted one by the places of its
    beats from the first block on, of a plain one beat for beat."""
    mask = Signal(12)
    walk, is_plain = delivery.walk, request.route == Route.PLAIN
    begin = Mux(request.burst == Burst.WRAP, request.addr[:8] & mask[:8], request.addr[:4])
    return [
        mask.eq(wrap_mask(request)),
        delivery.region.eq(slot),
        walk.at.eq(Mux(is_plain, 0, begin)),
        walk.mask.eq(Mux(is_plain, 0xFFF, mask)),
        walk.size.eq(Mux(is_plain, BLOCK_SIZE, request.size)),
        walk.left.eq(request.len),
        delivery.id.eq(request.id),
        delivery.is_denied.eq(request.route == Route.DENIED),
        delivery.resp.eq(request.resp),
    ]
