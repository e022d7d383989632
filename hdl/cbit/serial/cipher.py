"""AES-XTS for lines in turn: their tweaks, then their blocks, through one ring."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.guard.shadows import unguarded
from cbit.keys.types import RoundKeyWordSignature
from cbit.serial.ports import (
    PLACE_BITS,
    TWEAK_PLACE,
    TurnSignature,
    entry_layout,
    feed_layout,
    job_layout,
    read_tag_layout,
    stored_layout,
)
from cbit.serial.ring import AesRing, ring_cycles
from cbit.serial.self_test import SerialSelfTest
from cbit.stream.turns import Turns
from cbit.xts.alpha import times_alpha

__all__ = ["SerialCipher"]

READ, WRITE = range(2)

INSIDE = 16
"""Places for what goes beside blocks: more than there are in the ring."""

LEAVE_CYCLES = 4
"""From a block's leaving the ring to the end of all that its key has to do with."""


class SerialCipher(Component):
    """Encrypts and decrypts the blocks of lines (IEEE 1619, 5.3 and 5.4), lines that are read and written in turn.

    While the blocks of one line are fed, the tweak of the next is made. A result goes to the store; under a key that
    does not serve any more, or that was faulty, it is all ones with SLVERR.

    Latency: :func:`~cbit.serial.ring.ring_cycles` and two, of a tweak until blocks may be fed, of a block until it is
    stored. Throughput: that of :class:`~cbit.serial.ring.AesRing`.

    Parameters
    ----------
    key_bits, slots, c_bit : :class:`int`
        As the engine's.

    Members
    -------
    read_job, write_job : ``In(stream.Signature(job_layout(...)))``
        Lines to come.
    read_job_tag, read_tag : ``In(read_tag_layout())``, ``Out(read_tag_layout())``
        What goes with a line that is read, and comes back with its turn.
    read_turn, write_turn : ``In(TurnSignature())``
    wants, place : ``Out(1)``, ``Out(PLACE_BITS)``
        Reads the store, at once.
    stored : ``In(entry_layout())``
        What was read in the cycle before.
    plain : ``In(128)``
        What is to be encrypted of what was fed in the cycle before.
    result : ``Out(stream.Signature(stored_layout(), always_ready=True))``
    serving : ``In(slots)``
    key_fault : ``Out(1)``
        A faulty round key of a slot that serves was met.
    drain_slot : ``In(range(slots))``
    drain_busy : ``Out(1)``
        A line under that key is here.
    round_key : ``In(RoundKeyWordSignature(...))``
    self_test_keys, self_test_busy, self_test_failed, self_test_load
        As of :class:`~cbit.serial.self_test.SerialSelfTest`.
    """

    def __init__(self, *, key_bits: int, slots: int, c_bit: int) -> None:
        self.key_bits = key_bits
        self.slots = slots
        slot_width = (slots - 1).bit_length()
        job = stream.Signature(job_layout(c_bit=c_bit, slot_width=slot_width))
        self.beside = StructLayout({"tweak": 128, "slot": slot_width, "place": PLACE_BITS, "resp": Response})
        super().__init__({
            "read_job": In(job),
            "write_job": In(job),
            "read_job_tag": In(read_tag_layout()),
            "read_tag": Out(read_tag_layout()),
            "read_turn": In(TurnSignature()),
            "write_turn": In(TurnSignature()),
            "wants": Out(1),
            "place": Out(PLACE_BITS),
            "stored": In(entry_layout()),
            "plain": In(128),
            "result": Out(stream.Signature(stored_layout(), always_ready=True)),
            "serving": In(slots),
            "key_fault": Out(1),
            "drain_slot": In(range(slots)),
            "drain_busy": Out(1),
            "round_key": In(RoundKeyWordSignature(slots=slots, key_bits=key_bits)),
            "self_test_keys": In(1),
            "self_test_busy": Out(1),
            "self_test_failed": Out(1),
            "self_test_load": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.ring = ring = AesRing(key_bits=self.key_bits, slots=self.slots)
        m.submodules.test = test = SerialSelfTest(key_bits=self.key_bits)
        wiring.connect(m, wiring.flipped(self.round_key), ring.round_key)
        m.d.comb += [
            test.keys_there.eq(self.self_test_keys), self.self_test_busy.eq(test.busy),
            self.self_test_failed.eq(test.failed), self.self_test_load.eq(test.load),
        ]
        # While the blocks of the line at hand are fed, the tweak of the coming one is made.
        layout = StructLayout({"valid": 1, "slot": len(self.drain_slot), "client": 1, "tag": read_tag_layout()})
        coming, at_hand = Signal(layout), Signal(layout)
        tweak, next_tweak, has_tweak = Signal(128, reset_less=True), Signal(128, reset_less=True), Signal()
        number, begins = Signal(2), Signal()
        asks, line, enters_tweak = self._ask(m, test, coming, at_hand, ring)
        feed = self._feed(m, test, at_hand, ring, asks, number)
        m.d.comb += begins.eq(has_tweak & ~at_hand.valid)
        with m.If(begins):
            m.d.sync += [at_hand.eq(coming), tweak.eq(next_tweak), number.eq(0), coming.valid.eq(0), has_tweak.eq(0)]
        with m.Elif(feed.valid & (feed.payload.number != number)):
            m.d.sync += [tweak.eq(times_alpha(tweak, 1)), number.eq(number + 1)]
        self._enter(m, ring, feed, enters_tweak, line, tweak, test.running)
        made = self._leave(m, ring, next_tweak, test)
        with m.If(made):
            m.d.sync += has_tweak.eq(1)
        self._watch(m, coming, at_hand)
        return m

    def _ask(self, m: Module, test, coming, at_hand, ring: AesRing) -> tuple[Signal, Signal, Signal]:
        """Orders a tweak, and takes the job in the next cycle, in which its line enters."""
        jobs = (self.read_job, self.write_job)
        m.submodules.choice = choice = Turns()
        asks, enters, line = Signal(), Signal(), Signal.like(self.read_job.payload.line)
        slot = Mux(choice.choice, self.write_job.payload.slot, self.read_job.payload.slot)
        m.d.comb += [
            choice.requests.eq(Cat(job.valid for job in jobs)),
            choice.taken.eq(enters),
            *(job.ready.eq(enters & (choice.choice == index)) for index, job in enumerate(jobs)),
            line.eq(Mux(choice.choice, self.write_job.payload.line, self.read_job.payload.line)),
        ]
        # A register, as what is asked for addresses the round keys.
        m.d.sync += [
            asks.eq((choice.valid | (test.asks & ~at_hand.valid)) & ~coming.valid & ~enters & ~(asks & ring.ready)),
            enters.eq(asks & ring.ready),
        ]
        with m.If(asks):
            m.d.comb += [ring.order.slot.eq(Mux(test.running, 0, slot)), ring.order.tweak_key.eq(1)]
        with m.If(asks & ring.ready):
            m.d.sync += [coming.valid.eq(1), coming.slot.eq(ring.order.slot), coming.client.eq(choice.choice),
                         coming.tag.eq(self.read_job_tag)]
        return asks, line, enters

    def _feed(self, m: Module, test, at_hand, ring: AesRing, asks: Value, number: Signal) -> stream.Interface:
        """The block that whose turn it is wants to have fed."""
        feed = stream.Signature(feed_layout()).create()
        parties = ((self.read_turn, ~test.running & (at_hand.client == READ)),
                   (self.write_turn, ~test.running & (at_hand.client == WRITE)), (test.turn, test.running))
        for turn, is_meant in parties:
            m.d.comb += turn.valid.eq(at_hand.valid & is_meant)
            with m.If(turn.valid):
                m.d.comb += [feed.valid.eq(turn.feed.valid), feed.payload.eq(turn.feed.payload)]
                m.d.comb += turn.feed.ready.eq(feed.ready)
                with m.If(turn.done):
                    m.d.sync += at_hand.valid.eq(0)
        is_next = feed.payload.number == number
        m.d.comb += [
            feed.ready.eq(ring.ready & is_next & ~asks),
            ring.valid.eq(asks | (feed.valid & is_next)),
            # Read though a tweak may go first: what nobody takes costs other readers a cycle.
            self.wants.eq(ring.ready & feed.valid & is_next & feed.payload.decrypt),
            self.place.eq(feed.payload.place),
            self.read_tag.eq(at_hand.tag),
        ]
        with m.If(~asks):
            m.d.comb += [ring.order.slot.eq(at_hand.slot), ring.order.decrypt.eq(feed.payload.decrypt)]
        return feed

    def _enter(self, m: Module, ring: AesRing, feed: stream.Interface, enters_tweak: Signal, line: Signal,
               tweak: Signal, testing: Signal) -> None:
        """The block that was ordered in the cycle before, on its way to the ring, and what goes beside it."""
        block, decrypts = Signal(128, reset_less=True), Signal()
        enters, beside, head, tail = Signal(), Signal(self.beside), Signal(range(INSIDE)), Signal(range(INSIDE))
        m.submodules.beside = memory = Memory(shape=self.beside, depth=INSIDE, init=[],
                                              attrs={"ram_style": "block", "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        # Not reset: registers of a block RAM are not either.
        address, kept = Signal.like(head), Signal(self.beside, reset_less=True)
        found = self._found = Signal(self.beside, reset_less=True)
        unguarded(kept, found)
        m.d.sync += [
            decrypts.eq(feed.payload.decrypt), enters.eq(ring.valid & ring.ready), beside.slot.eq(ring.order.slot),
            beside.place.eq(Mux(ring.order.tweak_key, TWEAK_PLACE, feed.payload.place)),
            kept.eq(read.data), found.eq(kept), block.eq(Mux(decrypts, self.stored.data, self.plain) ^ tweak),
        ]
        with m.If(enters_tweak):
            m.d.sync += block.eq(line)
            with m.If(testing):
                m.d.sync += block.eq(0)
        m.d.comb += [
            ring.block.eq(block),
            write.addr.eq(tail), write.en.eq(enters), write.data.eq(beside),
            write.data.tweak.eq(tweak),
            write.data.resp.eq(Mux(decrypts & ~enters_tweak, self.stored.resp.as_value(), Response.OKAY)),
            # One that leaves soon has been read already.
            address.eq(head + ring.leaves_soon), read.addr.eq(address),
        ]
        with m.If(enters):
            m.d.sync += tail.eq(tail + 1)
        m.d.sync += head.eq(address)

    def _leave(self, m: Module, ring: AesRing, next_tweak: Signal, test) -> Signal:
        """Stores a block in the cycle after it has left, when its faults are known; or keeps a tweak, which is then
        made."""
        beside, done = Signal(self.beside, reset_less=True), Signal(self.beside, reset_less=True)
        has_left, is_tweak, serves, is_good, made = Signal(), Signal(), Signal(), Signal(), Signal()
        white = Signal(128)
        m.d.sync += beside.eq(self._found)
        with m.If(self._found.place == TWEAK_PLACE):
            m.d.sync += beside.tweak.eq(0)
        m.d.comb += [
            white.eq(ring.result ^ beside.tweak),
            is_good.eq((serves | test.running) & ~ring.fault),
            made.eq(has_left & is_tweak),
            self.key_fault.eq(has_left & serves & ring.fault),
            self.result.valid.eq(has_left & ~is_tweak),
            self.result.payload.place.eq(done.place),
            self.result.payload.entry.data.eq(done.tweak),
            self.result.payload.entry.resp.eq(done.resp),
            self.result.payload.hide.eq((done.resp != Response.OKAY) | ~is_good),
        ]
        with m.If((done.resp == Response.OKAY) & ~is_good):
            m.d.comb += self.result.payload.entry.resp.eq(Response.SLVERR)
        m.d.sync += [
            has_left.eq(ring.leaves), done.eq(beside), done.tweak.eq(white),
            is_tweak.eq(beside.place == TWEAK_PLACE), serves.eq(self.serving.bit_select(beside.slot, 1)),
        ]
        with m.If(ring.leaves & (beside.place == TWEAK_PLACE)):
            m.d.sync += next_tweak.eq(white)
        m.d.comb += [test.answer.valid.eq(has_left), test.answer.payload.data.eq(done.tweak),
                     test.answer.payload.is_tweak.eq(is_tweak), test.answer.payload.fault.eq(ring.fault)]
        return made

    def _watch(self, m: Module, coming, at_hand) -> None:
        """A block under the key that is drained leaves within a fixed time."""
        left = Signal(range(ring_cycles(self.key_bits) + LEAVE_CYCLES + 1))
        is_here = Cat(one.valid & (one.slot == self.drain_slot) for one in (coming, at_hand)).any()
        m.d.comb += self.drain_busy.eq(is_here | (left != 0))
        with m.If(is_here):
            m.d.sync += left.eq(ring_cycles(self.key_bits) + LEAVE_CYCLES)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
