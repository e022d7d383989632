"""A component compiled into the process of a test: it counts, waits, and knows wide ports."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit_sim.compiled import CompiledComponent

WIDE_BITS = 100


class Counter(wiring.Component):
    """Counts while it may, and shows a wide number with one more; its memory is not reset."""

    enable: In(1)
    wide__number: In(WIDE_BITS)
    count: Out(8)
    wide__next: Out(WIDE_BITS)
    held: Out(64)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=64, depth=4, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        count = Signal(8)
        m.d.comb += [self.count.eq(count), self.wide__next.eq(self.wide__number + 1), self.held.eq(read.data),
                     read.addr.eq(2), write.addr.eq(count), write.data.eq(count), write.en.eq(self.enable)]
        with m.If(self.enable):
            m.d.sync += count.eq(count + 1)
        return m


@pytest.fixture
def make():
    models = []

    def make(**arguments):
        models.append(CompiledComponent(Counter(), **arguments))
        return models[-1]

    yield make
    for model in models:
        model.close()


def test_cycles_pass_when_they_are_told_to(make):
    model = make()
    assert model.get("count") == 0
    model.step(5)
    assert model.get("count") == 0
    model.set("enable", 1)
    model.step(5)
    assert model.get("count") == 5
    assert model.until("count", 200, limit=1000) == 195
    assert model.until("count", 3, mask=3, limit=1000) == 3
    assert model.until("count", 3, mask=3, limit=1000) == 0


def test_what_does_not_come_in_time_is_an_error(make):
    with pytest.raises(TimeoutError, match="count was not 9 within 20 cycles"):
        make().until("count", 9, limit=20)


def test_wide_ports_are_numbers(make):
    model = make()
    for number in (0, (1 << 96) - 1, (1 << WIDE_BITS) - 1, 0x0123456789abcdef0123456):
        model.set("wide__number", number)
        assert model.get("wide__number") == number
        assert model.get("wide__next") == (number + 1) % (1 << WIDE_BITS)


def test_models_are_apart_and_start_from_what_the_seed_chooses(make):
    one, same, other = (make(seed=seed) for seed in (1, 1, 2))
    assert one.get("held") == same.get("held") != other.get("held")
    one.set("enable", 1)
    one.step(3)
    assert (one.get("count"), one.get("held"), same.get("count")) == (3, 2, 0)
