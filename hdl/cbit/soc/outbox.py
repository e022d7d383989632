"""Answers, kept whole so that one can be sent again."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, Signature

from cbit.soc.cobs import LONGEST_RUN
from cbit.soc.protocol import CRC, CRC_BYTES, DATA_BYTES, DELIMITER, PREAMBLE

__all__ = ["Outbox", "OutboxSignature"]

ANSWER_BYTES = DATA_BYTES + 2
"""Sequence number, data, outcome."""


class OutboxSignature(Signature):
    """An answer, seen from who makes it.

    Members
    -------
    clear : ``Out(1)``
        Another answer begins.
    data : ``Out(stream.Signature(8, always_ready=True))``
        Its bytes. No more than fit a frame.
    finish : ``Out(1)``
        It is complete, and is to be sent.
    repeat : ``Out(1)``
        It is to be sent again.
    """

    def __init__(self) -> None:
        super().__init__({
            "clear": Out(1),
            "data": Out(stream.Signature(8, always_ready=True)),
            "finish": Out(1),
            "repeat": Out(1),
        })


class Outbox(Component):
    """Collects the bytes of an answer, adds its CRC, and makes a frame of it, once or more often.

    Latency: five cycles from ``finish`` to the first byte of the frame, one from ``repeat``; before each run of COBS
    one for each of its bytes and three more. Throughput: a byte in each cycle; out every other. Stalls: the answer's
    bytes are taken at once; the frame's wait as long as they must.

    Members
    -------
    i : ``In(OutboxSignature())``
        The answer. Nothing of it comes while ``busy``.
    busy : ``Out(1)``
        It is being sent.
    o : ``Out(stream.Signature(8))``
        The frame.
    """

    i: In(OutboxSignature())
    busy: Out(1)
    o: Out(stream.Signature(8))

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC.create()
        m.submodules.memory = memory = Memory(shape=8, depth=ANSWER_BYTES + CRC_BYTES, init=[])
        write, read = memory.write_port(), memory.read_port()
        end, place, run_end = (Signal(range(ANSWER_BYTES + CRC_BYTES + 1), name=name)
                               for name in ("end", "place", "run_end"))
        run, seals, crc_byte = Signal(8), Signal(), Signal(range(CRC_BYTES))
        m.d.comb += [
            crc.start.eq(self.i.clear), crc.valid.eq(self.i.data.valid), crc.data.eq(self.i.data.payload),
            write.addr.eq(end), write.en.eq(self.i.data.valid | seals),
            write.data.eq(Mux(seals, crc.crc.word_select(crc_byte, 8), self.i.data.payload)),
            read.addr.eq(place),
        ]
        with m.If(write.en):
            m.d.sync += end.eq(end + 1)
        with m.If(self.i.clear):
            m.d.sync += end.eq(0)

        # The CRC, then the two bytes that begin a frame, then runs until the end, each looked through before it is
        # sent, and the zero.
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [crc_byte.eq(0), place.eq(0), run_end.eq(0)]
                with m.If(self.i.finish):
                    m.next = "SEAL"
                with m.Elif(self.i.repeat):
                    m.next = "DELIMITER"
            with m.State("SEAL"):
                m.d.comb += seals.eq(1)
                m.d.sync += crc_byte.eq(crc_byte + 1)
                with m.If(crc_byte == CRC_BYTES - 1):
                    m.next = "DELIMITER"
            with m.State("DELIMITER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(DELIMITER)]
                with m.If(self.o.ready):
                    m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(PREAMBLE)]
                m.d.sync += run.eq(0)
                with m.If(self.o.ready):
                    m.next = "LOOK"
            self._send_runs(m, read, place=place, run=run, run_end=run_end, end=end)
            with m.State("END"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(DELIMITER)]
                with m.If(self.o.ready):
                    m.next = "IDLE"
        return m

    def _send_runs(self, m: Module, read, *, place: Signal, run: Signal, run_end: Signal, end: Signal) -> None:
        """States from LOOK, where a run begins at ``run_end``, until END follows."""
        is_full = run == LONGEST_RUN
        is_over = (run_end == end) | is_full
        first, left = Signal.like(place), Signal.like(run)
        with m.State("LOOK"):
            # What is read is the byte at `run_end`, from the second cycle on.
            m.d.comb += read.addr.eq(run_end)
            m.d.sync += first.eq(run_end)
            m.next = "LOOKING"
        with m.State("LOOKING"):
            m.d.comb += read.addr.eq(run_end + 1)
            with m.If(is_over | (read.data == 0)):
                m.d.sync += [place.eq(first), left.eq(run)]
                m.next = "CODE"
            with m.Else():
                m.d.sync += [run_end.eq(run_end + 1), run.eq(run + 1)]
        with m.State("CODE"):
            m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(run + 1)]
            with m.If(self.o.ready):
                m.next = "FETCH"
        with m.State("FETCH"):
            m.next = "SEND"
            with m.If(left == 0):
                m.d.sync += [run.eq(0), run_end.eq(run_end + ~is_full)]
                m.next = "LOOK"
                with m.If(run_end == end):
                    m.next = "END"
        with m.State("SEND"):
            m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(read.data)]
            with m.If(self.o.ready):
                m.d.sync += [place.eq(place + 1), left.eq(left - 1)]
                m.next = "FETCH"
