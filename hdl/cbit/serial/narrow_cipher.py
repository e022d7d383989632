"""AES-XTS for lines in turn, a block at a time, by columns."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.keys.types import RoundKeyWordSignature
from cbit.serial.narrow_ring import COLUMNS, NarrowRing
from cbit.serial.ports import PLACE_BITS, TurnSignature, job_layout, read_tag_layout, result_layout
from cbit.serial.self_test import SerialSelfTest, known_cipher, known_plain
from cbit.stream.block_ram import BlockRam
from cbit.stream.turns import Turns

__all__ = ["NarrowCipher"]

READ, WRITE = range(2)

POLYNOMIAL = 0x87
"""alpha^128 (IEEE 1619, 5.2)."""


class NarrowCipher(Component):
    """Encrypts and decrypts the blocks of lines (IEEE 1619, 5.3 and 5.4), lines that are read and written in turn.

    A line has its tweak made, then its blocks are taken from the store, and what comes of each is put in its place.
    Under a key that does not serve any more, or that was faulty, that is all ones with SLVERR.

    Latency and throughput: those of :class:`~cbit.serial.narrow_ring.NarrowRing`, and what blocks take from and to the
    store. Nothing is done beside a block that is inside.

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
        Blocks that are to be encrypted come from their ``place``, too.
    feed_wants, feed_place, feed_heard, feeds, column, word, feed_resp
        Has a block come from the store, as of :class:`~cbit.serial.narrow_store.NarrowStore`.
    result_wants, result_heard, result_word, result_resp, takes_result
        Has one go there, to the place and hidden as ``result`` says.
    result : ``Out(stream.Signature(result_layout(), always_ready=True))``
        It has.
    serving : ``In(slots)``
    key_fault : ``Out(1)``
        A faulty round key of a slot that serves was met.
    drain_slot : ``In(range(slots))``
    drain_busy : ``Out(1)``
        A line under that key is here.
    round_key : ``In(RoundKeyWordSignature(...))``
    self_test_keys, self_test_busy, self_test_failed
        As of :class:`~cbit.serial.self_test.SerialSelfTest`.
    """

    def __init__(self, *, key_bits: int, slots: int, c_bit: int) -> None:
        self.key_bits = key_bits
        self.slots = slots
        self.ring = NarrowRing(key_bits=key_bits, slots=slots)
        job = stream.Signature(job_layout(c_bit=c_bit, slot_width=(slots - 1).bit_length()))
        super().__init__({
            "read_job": In(job),
            "write_job": In(job),
            "read_job_tag": In(read_tag_layout()),
            "read_tag": Out(read_tag_layout()),
            "read_turn": In(TurnSignature()),
            "write_turn": In(TurnSignature()),
            "feed_wants": Out(1),
            "feed_place": Out(PLACE_BITS),
            "feed_heard": In(1),
            "feeds": In(1),
            "column": In(2),
            "word": In(32),
            "feed_resp": In(Response),
            "result_wants": Out(1),
            "result_heard": In(1),
            "result_word": Out(32),
            "result_resp": Out(Response),
            "takes_result": In(1),
            "result": Out(stream.Signature(result_layout(), always_ready=True)),
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
        m.submodules.ring = ring = self.ring
        m.submodules.test = test = SerialSelfTest(key_bits=self.key_bits, compares=False)
        m.submodules.choice = choice = Turns()
        wiring.connect(m, wiring.flipped(self.round_key), ring.round_key)
        jobs, slot, client, line = (self.read_job, self.write_job), Signal(range(self.slots)), Signal(), Signal(
            len(self.read_job.payload.line))
        count, at_hand, number, is_tweak = Signal(3), Signal(), Signal(2), Signal()
        takes_job, serves, is_good = Signal(), Signal(), Signal()
        decrypts = Signal()
        m.d.comb += [
            ring.order.decrypt.eq(decrypts),
            test.keys_there.eq(self.self_test_keys), self.self_test_busy.eq(test.busy),
            self.self_test_failed.eq(test.failed),
            choice.requests.eq(Cat(job.valid for job in jobs)), choice.taken.eq(takes_job),
            *(job.ready.eq(takes_job & (choice.choice == index)) for index, job in enumerate(jobs)),
            line.eq(Mux(test.running, 0, Mux(choice.choice, self.write_job.payload.line, self.read_job.payload.line))),
            ring.order.slot.eq(slot), ring.order.tweak_key.eq(is_tweak),
            serves.eq(self.serving.bit_select(slot, 1)), is_good.eq((serves | test.running) & ~ring.fault),
            self.feed_place.eq(self.result.payload.place),
            self.result.valid.eq(self.result_heard),
        ]
        feed = self._feed(m, test, at_hand, client)
        clears, stores, multiplies = Signal(), Signal(), Signal()
        self._keep_tweak(m, line=line, is_tweak=is_tweak, clears=clears, stores=stores, multiplies=multiplies,
                         testing=test.running)
        # A line: its tweak is made and kept, and multiplied until it is that of the block that is wanted; that comes,
        # goes through the ring, and is stored.
        with m.FSM(init="CLEAR") as fsm:
            with m.State("CLEAR"):
                m.d.comb += [clears.eq(1), stores.eq(count != 0)]
                m.d.sync += count.eq(count + 1)
                with m.If(count == COLUMNS):
                    m.next = "IDLE"
            with m.State("IDLE"), m.If(choice.valid | test.asks):
                m.d.sync += [
                    slot.eq(Mux(test.running, 0, Mux(choice.choice, self.write_job.payload.slot,
                                                     self.read_job.payload.slot))),
                    client.eq(choice.choice), self.read_tag.eq(self.read_job_tag), count.eq(0), is_tweak.eq(1),
                    decrypts.eq(0)]
                m.next = "LINE"
            with m.State("LINE"):
                m.d.comb += ring.gives.eq(1)
                m.d.sync += count.eq(count + 1)
                with m.If(count == COLUMNS - 1):
                    # Of the last column nothing is the line's number.
                    m.d.comb += takes_job.eq(~test.running)
                    m.next = "RUN"
            with m.State("FEED"):
                m.d.comb += [self.feed_wants.eq(1), ring.gives.eq(self.feeds)]
                m.d.comb += feed.ready.eq(self.feed_heard)
                m.d.sync += self.result_resp.eq(Mux(decrypts, self.feed_resp.as_value(), Response.OKAY))
                with m.If(self.feed_heard):
                    m.next = "RUN"
            with m.State("RUN"), m.If(~ring.busy):
                m.d.comb += self.key_fault.eq(serves & ring.fault)
                m.d.sync += [count.eq(0), self.result.payload.hide.eq((self.result_resp != Response.OKAY) | ~is_good)]
                with m.If((self.result_resp == Response.OKAY) & ~is_good):
                    m.d.sync += self.result_resp.eq(Response.SLVERR)
                m.next = "STORE"
                with m.If(is_tweak):
                    m.next = "KEEP"
            with m.State("KEEP"):
                m.d.comb += stores.eq(count != 0)
                m.d.sync += count.eq(count + 1)
                with m.If(count == COLUMNS):
                    m.d.sync += [is_tweak.eq(0), at_hand.eq(1), number.eq(0)]
                    m.next = "TURN"
            with m.State("TURN"):
                m.d.sync += [count.eq(0), decrypts.eq(feed.payload.decrypt),
                             self.result.payload.place.eq(feed.payload.place)]
                with m.If(~at_hand):
                    m.next = "IDLE"
                with m.Elif(feed.valid):
                    m.next = "FEED"
                    with m.If(feed.payload.number != number):
                        m.next = "ALPHA"
            with m.State("ALPHA"):
                m.d.comb += [stores.eq(count != 0), multiplies.eq(1)]
                m.d.sync += count.eq(count + 1)
                with m.If(count == COLUMNS):
                    m.d.sync += number.eq(number + 1)
                    m.next = "TURN"
            with m.State("STORE"):
                m.d.comb += self.result_wants.eq(1)
                with m.If(self.result_heard):
                    m.next = "TURN"
        m.d.comb += self.drain_busy.eq(~fsm.ongoing("IDLE") & (slot == self.drain_slot))
        m.d.comb += ring.column.eq(Mux(fsm.ongoing("FEED") | fsm.ongoing("STORE"), self.column, count))
        self._answer(m, test, fsm.ongoing("KEEP") & (count == COLUMNS))
        return m

    def _feed(self, m: Module, test, at_hand: Signal, client: Signal) -> stream.Interface:
        """The block that whose turn it is wants to have fed."""
        feed = stream.Signature(self.read_turn.feed.payload.shape()).create()
        parties = ((self.read_turn, ~test.running & (client == READ)),
                   (self.write_turn, ~test.running & (client == WRITE)), (test.turn, test.running))
        for turn, is_meant in parties:
            m.d.comb += turn.valid.eq(at_hand & is_meant)
            with m.If(turn.valid):
                m.d.comb += [feed.valid.eq(turn.feed.valid), feed.payload.eq(turn.feed.payload)]
                m.d.comb += turn.feed.ready.eq(feed.ready)
                with m.If(turn.done):
                    m.d.sync += at_hand.eq(0)
        return feed

    def _keep_tweak(self, m: Module, *, line: Signal, is_tweak: Signal, clears: Signal, stores: Signal,
                    multiplies: Signal, testing: Signal) -> None:
        """The tweak in a memory whose other half is cleared, as tweaks themselves are not whitened; and what enters and
        leaves the ring."""
        ring = self.ring
        m.submodules.tweak = tweak = BlockRam(width=32, depth=2 * COLUMNS)
        column, top, carry = Signal(2), Signal(), Signal()
        shifted = Cat(Mux(column == 0, top, carry), tweak.read_data[:31])
        known = known_plain(self.key_bits)
        word = Signal(32)
        m.d.sync += column.eq(ring.column)
        m.d.comb += [
            tweak.read_address.eq(Cat(ring.column, is_tweak)),
            tweak.write_address.eq(Cat(column, clears)), tweak.writes.eq(stores),
            tweak.write_data.eq(Mux(multiplies, shifted ^ Mux(top & (column == 0), POLYNOMIAL & ~1, 0), ring.result)
                                & (~clears).replicate(32)),
            word.eq(self.word),
            ring.block.eq(word ^ tweak.read_data),
            self.result_word.eq(ring.result ^ tweak.read_data),
        ]
        with m.If(stores):
            m.d.sync += carry.eq(tweak.read_data[31])
            with m.If(column == COLUMNS - 1):
                m.d.sync += top.eq(tweak.write_data[31])
        with m.If(is_tweak):
            m.d.comb += word.eq(Cat(line, Const(0, 128 - len(line))).word_select(column, 32))
        with m.Elif(testing & ~ring.order.decrypt):
            m.d.comb += word.eq(Const(known, 128).word_select(column, 32))

    def _answer(self, m: Module, test, keeps: Value) -> None:
        """Compares a result with what is known as it is stored."""
        column, is_wrong = Signal(2), Signal()
        decrypts = self.ring.order.decrypt
        expected = Mux(decrypts, Const(known_plain(self.key_bits), 128).word_select(column, 32),
                       Const(known_cipher(self.key_bits), 128).word_select(column, 32))
        m.d.sync += column.eq(self.ring.column)
        with m.If(self.takes_result):
            m.d.sync += is_wrong.eq((self.result_word != expected) | (is_wrong & (column != 0)))
        m.d.comb += [
            test.answer.valid.eq(self.result_heard | keeps),
            test.answer.payload.is_right.eq(~is_wrong & (self.result_word == expected)),
            test.answer.payload.is_tweak.eq(keeps),
            test.answer.payload.fault.eq(self.ring.fault),
        ]
