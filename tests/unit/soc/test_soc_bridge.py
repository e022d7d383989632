# amaranth: UnusedElaboratable=no

"""The bridge between a line and memories: what is asked is done once and answered, and nothing else is done."""

import random
from types import SimpleNamespace

import pytest

from cbit.csr.map import register
from cbit.soc.dispatch import Dispatcher
from cbit_boards.host.frames import AnswerParser, Attributes, Operation, Outcome, Request, request_frame
from cbit_sim.gateware.bridge_top import HOST_WORD, BridgeTop
from cbit_sim.serial_model import serial_model
from cbit_sim.serial_wave import bytes_of, pulses

SEED = 64
CYCLES_A_BIT = 8
MEMORY_BYTES = 1 << 16
C = 1 << 31
STATUS = register("psp", "STATUS").offset
RELEASED = 2
PATIENCE = 1 << 12
IDENTITY = b"CBIT\x01" + bytes((0b10, 31, 32)) + b"\x10\x00\x80\x00" + MEMORY_BYTES.to_bytes(8, "little")


class Bench:
    """A bridge that has been reset, its line, and what has been asked."""

    def __init__(self, top, seed=1):
        self.model = serial_model(top, seed=seed)
        self.component = self.model.component
        self.rng = random.Random(SEED)
        self.sequence = 0
        self.component.set("ready", 1)

    def next(self):
        self.sequence = self.sequence % 255 + 1
        return self.sequence

    def answers(self, cycles=60_000, *, most=1000):
        """What has been answered until nothing more comes, or so many are there."""
        parser, answers, quiet = AnswerParser(), [], 0
        while quiet < cycles and len(answers) < most:
            content = self.model.run(1000)
            quiet = 0 if content or self.component.get("sending") else quiet + 1000
            answers += parser.feed(content)
        return answers

    def ask(self, operation, *, sequence=None, **fields):
        """The one answer to a request."""
        sequence = self.next() if sequence is None else sequence
        self.model.send(request_frame(sequence, Request(operation=operation, **fields)))
        (answer,) = self.answers(most=1)
        assert answer.sequence == sequence
        return answer

    def outcome(self, operation, **fields):
        answer = self.ask(operation, **fields)
        assert answer.data == b""
        return Outcome(answer.outcome)

    def good(self, operation, **fields):
        answer = self.ask(operation, **fields)
        assert answer.outcome == Outcome.OK
        return answer.data

    def release(self, word=RELEASED):
        self.good(Operation.WRITE_KEYS, address=STATUS, data=word.to_bytes(4, "little"))

    @property
    def touched(self):
        names = "accesses", "raw_accesses", "writes", "flushes"
        return SimpleNamespace(**{name: self.component.get(name) for name in names})


@pytest.fixture(scope="module")
def shared():
    bench = Bench(BridgeTop(cycles_a_bit=CYCLES_A_BIT))
    yield bench
    bench.model.close()


@pytest.fixture
def bench(shared):
    """After a reset."""
    for name in ("mute", "pull"):
        shared.component.set(name, 0)
    shared.component.set("ready", 1)
    shared.component.set("rst", 1)
    shared.model.run(1)
    shared.component.set("rst", 0)
    shared.sequence = 0
    return shared


def test_memory_and_dram_are_written_and_read_apart(bench):
    bench.release()
    for path in ("MEMORY", "RAW"):
        content = bench.good(Operation[f"READ_{path}"], address=0x1000, length=300)
        for address, length in ((0x1000, 1), (0x1007, 30), (0x100F, 2), (0x1010, 16), (0x1025, 200)):
            data = bench.rng.randbytes(length)
            assert bench.good(Operation[f"WRITE_{path}"], address=address, data=data) == b""
            place = address - 0x1000
            content = content[:place] + data + content[place + length:]
            assert bench.good(Operation[f"READ_{path}"], address=0x1000, length=300) == content
    assert bench.good(Operation.READ_MEMORY, address=0x1000, length=300) != content
    whole = bench.rng.randbytes(1024)
    bench.good(Operation.WRITE_MEMORY, address=MEMORY_BYTES - 1024, data=whole)
    assert bench.good(Operation.READ_MEMORY, address=MEMORY_BYTES - 1024, length=1024) == whole


def test_attributes_go_along(bench):
    bench.release()
    for asid in (0, 1, 15):
        for attributes in range(16):
            bench.good(Operation.READ_MEMORY, address=C | 0x40, length=1, asid=asid, attributes=Attributes(attributes))
            assert bench.component.get("asid") == asid
            fetch = (attributes >> 3) << 5
            assert bench.component.get("attributes") == attributes & 7 | fetch


def test_registers_are_read_and_written(bench):
    words = {address: bench.rng.randbytes(4) for address in (0x40, 0x44, 0xFFC)}
    for address, word in words.items():
        assert bench.good(Operation.WRITE_KEYS, address=address, data=word) == b""
    for address, word in words.items():
        assert bench.good(Operation.READ_KEYS, address=address, length=4) == word
    for address in (0, 0x10, 0x7FC):
        assert bench.good(Operation.READ_HOST, address=address, length=4) == (HOST_WORD | address).to_bytes(4, "little")
    assert bench.outcome(Operation.READ_HOST, address=0x800, length=4) is Outcome.DECERR
    assert bench.touched.writes == len(words)


def test_the_board_says_what_it_is_and_shows_it(bench):
    bench.release(0)
    assert bench.good(Operation.IDENTIFY) == IDENTITY
    bench.component.set("ready", 0)
    assert bench.good(Operation.IDENTIFY)[5] == 0
    bench.release(RELEASED | 1 << 4)
    assert bench.good(Operation.IDENTIFY)[5] == 0b10100
    assert (bench.component.get("released"), bench.component.get("self_test_failed")) == (1, 1)


def test_the_lights_follow_without_a_request(bench):
    bench.release(0)
    bench.release()
    assert bench.component.get("released") == 0
    bench.model.run(6000)
    assert bench.component.get("released") == 1


WRONG = {
    "no operation": ({"operation": 11}, Outcome.OPERATION),
    "mailbox": ({"operation": Operation.READ_MAILBOX, "length": 4}, Outcome.OPERATION),
    "flush": ({"operation": Operation.FLUSH}, Outcome.OPERATION),
    "nothing": ({"operation": Operation.READ_RAW, "length": 0}, Outcome.LENGTH),
    "too much": ({"operation": Operation.READ_RAW, "length": 1025}, Outcome.LENGTH),
    "no data": ({"operation": Operation.WRITE_RAW, "length": 4}, Outcome.LENGTH),
    "data of a read": ({"operation": Operation.READ_RAW, "data": b"1234"}, Outcome.LENGTH),
    "half a register": ({"operation": Operation.WRITE_KEYS, "address": 0x40, "data": b"12"}, Outcome.LENGTH),
    "identity of a length": ({"operation": Operation.IDENTIFY, "length": 4}, Outcome.LENGTH),
    "past the end": ({"operation": Operation.WRITE_RAW, "address": MEMORY_BYTES - 3, "data": b"1234"}, Outcome.ADDRESS),
    "past the end, private": ({"operation": Operation.WRITE_MEMORY, "address": C | MEMORY_BYTES, "data": b"1"},
                              Outcome.ADDRESS),
    "DRAM with a C-bit": ({"operation": Operation.WRITE_RAW, "address": C, "data": b"1"}, Outcome.ADDRESS),
    "above the C-bit": ({"operation": Operation.WRITE_MEMORY, "address": 1 << 32, "data": b"1"}, Outcome.ADDRESS),
    "around the end": ({"operation": Operation.WRITE_RAW, "address": (1 << 64) - 2, "data": b"1234"}, Outcome.ADDRESS),
    "no register": ({"operation": Operation.WRITE_KEYS, "address": 0x1000, "data": b"1234"}, Outcome.ADDRESS),
    "no host register": ({"operation": Operation.READ_HOST, "address": 0x1000, "length": 4}, Outcome.ADDRESS),
    "unaligned": ({"operation": Operation.WRITE_KEYS, "address": 0x41, "data": b"1234"}, Outcome.ADDRESS),
    "no ASID": ({"operation": Operation.WRITE_MEMORY, "asid": 16, "data": b"1"}, Outcome.ATTRIBUTES),
    "no attribute": ({"operation": Operation.WRITE_MEMORY, "attributes": 16, "data": b"1"}, Outcome.ATTRIBUTES),
    "DRAM under an ASID": ({"operation": Operation.WRITE_RAW, "asid": 1, "data": b"1"}, Outcome.ATTRIBUTES),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_and_touches_nothing(bench, name):
    bench.release()
    before = bench.touched
    fields, outcome = WRONG[name]
    assert bench.outcome(**fields) is outcome
    assert bench.touched == before


def test_memory_waits_for_its_release_and_dram_for_its_initialization(bench):
    bench.release(0)
    before = bench.touched
    assert bench.outcome(Operation.READ_MEMORY, address=0, length=4) is Outcome.NOT_RELEASED
    assert bench.outcome(Operation.WRITE_MEMORY, address=0, data=b"1234") is Outcome.NOT_RELEASED
    assert bench.touched == before
    assert len(bench.good(Operation.READ_RAW, address=0, length=4)) == 4
    bench.component.set("ready", 0)
    before = bench.touched
    assert bench.outcome(Operation.READ_RAW, address=0, length=4) is Outcome.NOT_READY
    bench.release()
    assert bench.outcome(Operation.WRITE_MEMORY, address=0, data=b"1234") is Outcome.NOT_READY
    assert bench.touched.accesses == before.accesses


def test_a_repeated_request_is_answered_again_and_not_done_again(bench):
    frame = request_frame(9, Request(operation=Operation.WRITE_KEYS, address=0x20, data=b"once"))
    for _ in range(3):
        bench.model.send(frame)
        (answer,) = bench.answers(most=1)
        assert (answer.sequence, answer.outcome) == (9, Outcome.OK)
    assert bench.touched.writes == 1
    read = request_frame(10, Request(operation=Operation.READ_RAW, address=0, length=20))
    bench.model.send(read)
    (first,) = bench.answers(most=1)
    accesses = bench.touched
    bench.model.send(read)
    assert bench.answers(most=1) == [first]
    assert bench.touched == accesses
    # Number 0 is never taken for a repetition.
    for _ in range(2):
        bench.ask(Operation.WRITE_KEYS, sequence=0, address=0x20, data=b"each")
    assert bench.touched.writes == 3


def test_what_comes_while_a_request_is_served_is_not_looked_at(bench):
    frames = [request_frame(number, Request(operation=Operation.WRITE_KEYS, address=0x20, data=bytes(4)))
              for number in range(1, 7)]
    bench.model.send(b"".join(frames))
    answers = bench.answers(6000)
    assert [answer.outcome for answer in answers] == [Outcome.OK] * len(answers)
    assert [answer.sequence for answer in answers] == sorted({answer.sequence for answer in answers})
    assert bench.touched.writes == len(answers) < len(frames)


def test_memory_that_does_not_answer_does_not_hold_up_the_bridge(bench):
    bench.release()
    bench.component.set("mute", 3)
    assert bench.outcome(Operation.READ_MEMORY, address=0, length=4) is Outcome.NO_ANSWER
    assert bench.model.cycles > PATIENCE
    bench.component.set("mute", 0)
    before = bench.touched
    bench.model.run(4000)
    # What has been asked for comes late, and is nobody's. Nothing more is asked for.
    for operation in (Operation.READ_MEMORY, Operation.READ_RAW):
        assert bench.outcome(operation, address=0, length=4) is Outcome.NO_ANSWER
    assert bench.outcome(Operation.WRITE_RAW, address=0, data=b"1234") is Outcome.NO_ANSWER
    assert bench.touched.accesses <= before.accesses + 20
    assert bench.touched.raw_accesses == before.raw_accesses
    assert bench.good(Operation.READ_HOST, address=4, length=4) == (HOST_WORD | 4).to_bytes(4, "little")
    assert bench.good(Operation.IDENTIFY)[:4] == b"CBIT"


@pytest.mark.parametrize("operation", [Operation.READ_MEMORY, Operation.WRITE_MEMORY])
def test_an_access_that_is_given_up_stays_what_it_was_whatever_comes(bench, operation):
    bench.release()
    bench.component.set("mute", 1)
    data = b"private" if operation is Operation.WRITE_MEMORY else b""
    assert bench.outcome(operation, address=C | 0x40, length=7, data=data, asid=3) is Outcome.NO_ANSWER
    before = bench.touched
    # Headers of other operations pass by while it waits, good and bad.
    for other in (Operation.READ_RAW, Operation.WRITE_RAW, Operation.READ_HOST):
        frame = request_frame(bench.next(), Request(operation=other, address=0x80, length=4, asid=5))
        for content in (frame, frame[:-6] + b"\x00"):
            bench.model.send(content)
            bench.answers(6000)
    assert bench.touched.raw_accesses == before.raw_accesses
    assert bench.component.get("asid") == 3
    bench.component.set("mute", 0)
    bench.model.run(6000)
    assert bench.touched.raw_accesses == before.raw_accesses


def test_no_part_of_a_frame_does_anything(bench):
    bench.release()
    before = bench.touched
    frame = request_frame(1, Request(operation=Operation.WRITE_MEMORY, address=0x40, data=b"\x00\x55 data \x00"))
    # Without its last byte, which the next frame's first may be, it is whole.
    for length in range(len(frame) - 1):
        bench.model.send(frame[:length])
        if length % 3:
            bench.model.send(bytes(length % 2) + bench.rng.randbytes(length % 3))
        bench.model.finish_sending()
    assert bench.answers(8000) == []
    assert bench.touched == before
    # The first whole one after all this is carried out.
    assert bench.good(Operation.WRITE_MEMORY, address=0x40, data=b"data") == b""
    assert bench.good(Operation.READ_MEMORY, address=0x40, length=4) == b"data"


def test_a_frame_with_any_wrong_byte_does_nothing(bench):
    bench.release()
    before = bench.touched
    frame = request_frame(1, Request(operation=Operation.WRITE_MEMORY, address=0x40, data=b"some data"))
    for place in range(len(frame)):
        changed = bytearray(frame)
        changed[place] ^= 1 << bench.rng.randrange(8)
        bench.model.send(bytes(changed))
    assert bench.answers(8000) == []
    assert bench.touched == before


@pytest.mark.parametrize("size", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_garbage_touches_nothing_and_the_next_frame_counts(bench, size):
    bench.release()
    before = bench.touched
    good = request_frame(1, Request(operation=Operation.WRITE_MEMORY, address=0x40, data=b"some data"))
    parts = [bench.rng.randbytes(size // 2), bytes(size // 16), b"\x55" * (size // 16), b"\x00\x55" * (size // 16),
             *(good[:bench.rng.randrange(len(good) - 1)] for _ in range(size // 4 // len(good)))]
    for part in parts:
        bench.model.send(part)
    bench.model.finish_sending()
    assert bench.answers(8000) == []
    assert bench.touched == before
    assert bench.good(Operation.WRITE_MEMORY, address=0x40, data=b"good") == b""


RATES = [6.01, 7.3, 8, 8.68, 10.85, 16, 27.13, 43.4, 86.8, 434.03, 868.06]
SLOW_RATES = [3333.3, 10416.7, 26000]


@pytest.mark.parametrize("rate", RATES + [pytest.param(rate, marks=pytest.mark.slow) for rate in SLOW_RATES])
def test_every_rate_is_answered_at_the_same(bench, rate):
    component, line = bench.component, []
    frame = request_frame(5, Request(operation=Operation.READ_HOST, address=0x14, length=4))
    bench.model.run(100)
    for level, cycles in pulses(frame, rate):
        component.set("pull", 1 - level)
        component.step(cycles)
    step = 1 if rate < 16 else int(rate / 8)
    for _ in range(int(25 * 10 * rate / step)):
        line.append(component.get("tx"))
        component.step(step)
    (answer,) = AnswerParser().feed(bytes_of(line, rate / step))
    assert (answer.sequence, answer.data) == (5, (HOST_WORD | 0x14).to_bytes(4, "little"))


@pytest.mark.parametrize(("operation", "length", "most_cycles"), [
    (Operation.IDENTIFY, 0, 200), (Operation.READ_HOST, 4, 200), (Operation.READ_MEMORY, 64, 1500),
    (Operation.READ_MEMORY, 1024, 24_000), (Operation.WRITE_MEMORY, 1024, 20_000)])
def test_an_answer_begins_soon(bench, operation, length, most_cycles):
    bench.release()
    data = bench.rng.randbytes(length) if operation is Operation.WRITE_MEMORY else b""
    bench.model.send(request_frame(bench.next(), Request(operation=operation, length=length, data=data)))
    bench.model.finish_sending()
    # The last bit has been looked at in its middle, before it is over.
    cycles = bench.component.until("tx", 0, limit=2 * most_cycles)
    print(operation.name, length, cycles)
    assert cycles <= most_cycles
    (answer,) = bench.answers(most=1)
    assert answer.outcome == Outcome.OK


@pytest.mark.slow
def test_with_a_psp_there_is_its_mailbox_and_no_way_to_keys():
    bench = Bench(BridgeTop(cycles_a_bit=CYCLES_A_BIT, has_psp=True))
    for operation, fields in ((Operation.READ_KEYS, {"length": 4}), (Operation.WRITE_KEYS, {"data": b"1234"})):
        for address in (0x40, 0x60, 8):
            assert bench.outcome(operation, address=address, **fields) is Outcome.OPERATION
    assert bench.touched.writes == 0
    command = register("mailbox", "COMMAND").offset
    assert bench.outcome(Operation.WRITE_MAILBOX, address=1 << 17, data=b"1234") is Outcome.ADDRESS
    # The model of the registers knows the low bits of an address alone.
    assert bench.good(Operation.WRITE_MAILBOX, address=command, data=b"1234") == b""
    assert bench.good(Operation.READ_MAILBOX, address=command, length=4) == b"1234"
    boot = register("mailbox", "BOOT_STATUS").offset
    for word, flags in ((0x180, 0b101), (0x0E4, 0b10001), (0x001, 0b1)):
        bench.good(Operation.WRITE_MAILBOX, address=boot, data=word.to_bytes(4, "little"))
        assert bench.good(Operation.IDENTIFY)[5] & ~0b1010 == flags
    assert bench.good(Operation.FLUSH) == b""
    assert bench.touched.flushes == 1
    bench.model.close()


def test_patience_out_of_range_is_refused():
    with pytest.raises(ValueError, match="patience_bits must be 6 to 32, not 5"):
        Dispatcher(patience_bits=5)
