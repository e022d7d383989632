"""AES-128 in counter mode over what lies in the buffer."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.config import SBox
from cbit.psp.aes128_cipher import Aes128Cipher
from cbit.psp.buffer import BufferSignature, leaves_buffer
from cbit.psp.register_port import register_port

__all__ = ["Aes128"]

BLOCK_WORDS = 4


def _reverse_bytes(block: Value) -> Value:
    return Cat(block.word_select(byte, 8) for byte in reversed(range(len(block) // 8)))


class Aes128(Component):
    """Encrypts or decrypts blocks of the buffer in place by AES-128 in counter mode (FIPS 197; NIST SP 800-38A, 6.5).

    The first block meets AES_COUNTER as it is; the counter is one number of 128 bits, big-endian, and goes on from run
    to run. Blocks of zeros become the images of the counters, which are AES of these blocks.

    Latency: 52 cycles for each block, from the write of AES_START to the fall of AES_STATUS.BUSY. Stalls: each cycle
    that the buffer lets it wait is one more.

    A start is refused while it runs and if the blocks do not lie in the buffer or at a word; so are key and counter
    while it runs. The key can not be read.

    Parameters
    ----------
    sbox : :class:`~cbit.config.SBox`
        As of :class:`~cbit.psp.aes128_cipher.Aes128Cipher`.

    Members
    -------
    aes_key, aes_counter, aes_start, aes_status : ``In(register_port(...))``
        The registers.
    buffer : ``Out(BufferSignature())``
        Where the blocks are.
    """

    aes_key: In(register_port("AES_KEY"))
    aes_counter: In(register_port("AES_COUNTER"))
    aes_start: In(register_port("AES_START"))
    aes_status: In(register_port("AES_STATUS"))
    buffer: Out(BufferSignature())

    def __init__(self, *, sbox: SBox = SBox.COMPOSITE) -> None:
        self.sbox = sbox
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.cipher = cipher = Aes128Cipher(sbox=self.sbox)
        busy, is_last, blocks = Signal(), Signal(), Signal(10)
        key, counter = Signal(128), Signal(128)
        start = self.aes_start
        m.d.comb += [
            self.aes_status.value.busy.eq(busy),
            start.refuse.eq(busy | (start.data.blocks == 0) | start.data.offset[:2].any()
                            | leaves_buffer(start.data.offset, start.data.blocks << 4)),
            self.aes_counter.value.eq(counter),
            cipher.key.eq(key),
            cipher.i.payload.eq(counter),
        ]
        for port, block in ((self.aes_key, key), (self.aes_counter, counter)):
            m.d.comb += port.refuse.eq(busy)
            with m.If(port.write):
                m.d.sync += block.word_select(port.index, 32).eq(port.data.as_value())

        # Of each block: its counter is encrypted, its words added to that, and written back.
        with m.FSM() as fsm:
            m.d.comb += busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                with m.If(start.write):
                    m.d.sync += blocks.eq(start.data.blocks)
                    m.next = "ASK"
            with m.State("ASK"):
                m.d.comb += cipher.i.valid.eq(1)
                with m.If(cipher.i.ready):
                    m.d.sync += [blocks.eq(blocks - 1), counter.eq(_reverse_bytes(_reverse_bytes(counter) + 1))]
                    m.next = "WAIT"
            with m.State("WAIT"):
                with m.If(cipher.o.valid):
                    m.next = "READ"
            with m.State("READ"):
                with m.If(is_last):
                    m.next = "ADD"
            with m.State("ADD"):
                m.next = "WRITE"
            with m.State("WRITE"):
                with m.If(is_last & (blocks == 0)):
                    m.next = "IDLE"
                with m.Elif(is_last):
                    m.next = "ASK"
        self._add(m, cipher.o, reads=fsm.ongoing("READ"), writes=fsm.ongoing("WRITE"), is_last=is_last)
        return m

    def _add(self, m: Module, image: stream.Interface, *, reads: Value, writes: Value, is_last: Value) -> None:
        """Adds four words of the buffer to an image, and writes them back; ``is_last`` when the last one goes."""
        buffer, start = self.buffer, self.aes_start
        first, place, arrives = Signal.like(buffer.address), Signal(range(BLOCK_WORDS)), Signal()
        words, goes = Signal(128), Signal()
        m.d.comb += [
            buffer.valid.eq(reads | writes),
            buffer.address.eq(first + place),
            buffer.strobes.eq(writes.replicate(4)),
            buffer.write_data.eq(words[:32]),
            goes.eq(buffer.valid & buffer.ready),
            is_last.eq(goes & (place == BLOCK_WORDS - 1)),
        ]
        m.d.sync += arrives.eq(goes & reads)
        with m.If(goes):
            m.d.sync += place.eq(place + 1)
        with m.If(start.write):
            m.d.sync += first.eq(start.data.offset >> 2)
        with m.Elif(is_last & writes):
            m.d.sync += first.eq(first + BLOCK_WORDS)
        # The words come by at the lowest, and leave zeros when they are written.
        with m.If(image.valid):
            m.d.sync += words.eq(image.payload)
        with m.Elif(arrives):
            m.d.sync += words.eq(Cat(words[32:], words[:32] ^ buffer.read_data))
        with m.Elif(goes & writes):
            m.d.sync += words.eq(words >> 32)
