"""Shadows tell of each flipped bit of control, of no other, and of nothing else; and synthesis keeps them."""

import random
import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Fragment, Module, ResetInserter, Signal, Value
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out
from amaranth.sim import Simulator

from cbit.guard.shadows import PARITY_BITS, Shadowed, unguarded
from cbit_fpga.yosys import run_yosys

ENTRY = StructLayout({"block": 128, "tag": StructLayout({"slot": 3, "line": 7}), "marks": ArrayLayout(5, 2),
                      "attributes": StructLayout({"cache": 4})})
NUMBER_BITS = 2 * PARITY_BITS + 3
FLAGS = 6


class Arithmetic(Component):
    """A register that shall have no shadow."""

    unguarded = True

    i: In(8)
    o: Out(8)

    def elaborate(self, _platform):
        m = Module()
        m.d.sync += self.o.eq(self.i)
        return m


class Part(Component):
    """Registers that are given whole or in parts, in each cycle or in some, by values that are too short or signed."""

    entry: In(ENTRY)
    held: Out(ENTRY)
    take: In(1)
    number: In(NUMBER_BITS - 4)
    kept: Out(NUMBER_BITS, init=5)
    flag: In(range(FLAGS))
    flags: Out(FLAGS, init=0b10)
    signed: Out(8)
    low: Out(4)
    high: Out(4)
    secret: Out(8)
    seen: Out(8)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.arithmetic = arithmetic = Arithmetic()
        unguarded(self.secret)
        m.d.sync += [
            self.held.eq(self.entry),
            self.signed.eq(self.number[:3].as_signed()),
            self.flags.bit_select(self.flag, 1).eq(self.take),
            Cat(self.low, self.high).eq(self.number),
            self.secret.eq(self.number),
        ]
        with m.If(self.take):
            m.d.sync += self.kept.eq(self.number)
        with m.Elif(self.flag == 3):
            m.d.sync += self.kept.eq(self.kept + 1)
        m.d.comb += [arithmetic.i.eq(self.number), self.seen.eq(arithmetic.o)]
        return m


class Whole(Component):
    """A part with shadows, and whether they tell."""

    def __init__(self):
        self.part = Part()
        members = dict(self.part.signature.members.items())
        super().__init__(members | {"upset": Out(1)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.part = self.part
        for name, member in self.part.signature.members.items():
            inside, outside = getattr(self.part, name), getattr(self, name)
            m.d.comb += inside.eq(outside) if member.flow == In else outside.eq(inside)
        return Shadowed(m, upsets={("part",): self.upset})


class Payload(Component):
    """A register that needs no reset."""

    i: In(4)
    o: Out(4)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.part = part = Module()
        self.register = Signal(4, reset_less=True)
        with part.If(self.i != 0):
            part.d.sync += self.register.eq(self.i)
        m.d.comb += self.o.eq(self.register)
        return m


CONTROL = {"held": 3 + 10, "kept": NUMBER_BITS, "flags": FLAGS, "signed": 8, "low": 4, "high": 4}
"""Registers, and how many of their bits have a shadow."""

SHADOWS = 1 + 3 + FLAGS + 1 + 4 + 4
"""Of `held` and `signed` one, of `kept`, which is longer, three, of the others, which are given in parts, one for each
bit."""


def shadows_of(fragment):
    """The shadows in a fragment and its parts."""
    signals = {id(signal): signal for statement in fragment.statements.get("sync", ())
               for signal in statement._lhs_signals() if signal.name.endswith("_shadow")}
    return [*signals.values(), *(one for part, _, _ in fragment.subfragments for one in shadows_of(part))]


@pytest.fixture
def run():
    """Runs a testbench that is given the component, and the shadows."""
    def simulate(testbench):
        dut = Whole()
        fragment = Fragment.get(dut, None)
        simulator = Simulator(fragment)
        simulator.add_clock(1e-6)

        async def bench(ctx):
            await testbench(ctx, dut, shadows_of(fragment))

        simulator.add_testbench(bench)
        simulator.run()

    return simulate


def drive(ctx, dut, rng):
    ctx.set(dut.entry.as_value(), rng.getrandbits(ENTRY.size))
    ctx.set(dut.number, rng.getrandbits(NUMBER_BITS - 4))
    ctx.set(dut.take, rng.random() < 0.4)
    ctx.set(dut.flag, rng.randrange(FLAGS))


async def steps(ctx, dut, rng, count):
    for _ in range(count):
        assert not ctx.get(dut.upset)
        drive(ctx, dut, rng)
        await ctx.tick()


def test_nothing_is_told_of_registers_that_are_as_they_were_written(run):
    async def testbench(ctx, dut, _shadows):
        await steps(ctx, dut, random.Random(1), 500)

    run(testbench)


def test_each_flip_of_control_is_told_until_it_is_written(run):
    async def testbench(ctx, dut, _shadows):
        rng = random.Random(2)
        told = dict.fromkeys([*CONTROL, "secret"], 0)
        for name in told:
            register = Value.cast(getattr(dut.part, name))
            for bit in range(len(register)):
                await steps(ctx, dut, rng, 3)
                value = ctx.get(register)
                ctx.set(register, value ^ 1 << bit)
                told[name] += ctx.get(dut.upset)
                ctx.set(register, value)
        assert told == CONTROL | {"secret": 0}

        await steps(ctx, dut, rng, 3)
        ctx.set(dut.part.kept, ctx.get(dut.part.kept) ^ 4)
        ctx.set(dut.take, 0)
        ctx.set(dut.flag, 0)
        for _ in range(5):
            await ctx.tick()
            assert ctx.get(dut.upset)
        ctx.set(dut.take, 1)
        await ctx.tick()
        assert not ctx.get(dut.upset)

    run(testbench)


def test_each_flip_of_a_shadow_is_told(run):
    async def testbench(ctx, dut, shadows):
        rng, count = random.Random(3), 0
        for shadow in shadows:
            for bit in range(len(shadow)):
                await steps(ctx, dut, rng, 3)
                ctx.set(shadow, ctx.get(shadow) ^ 1 << bit)
                assert ctx.get(dut.upset)
                ctx.set(shadow, ctx.get(shadow) ^ 1 << bit)
                count += 1
        assert count == SHADOWS

    run(testbench)


def flip_flops(component, folder):
    (folder / "design.il").write_text(rtlil.convert(component, name="cbit"))
    run_yosys("read_rtlil design.il\nsynth_ecp5 -top cbit\nstat", folder)
    return int(re.findall(r"(\d+) +TRELLIS_FF", (folder / "yosys.log").read_text())[-1])


def test_synthesis_keeps_every_shadow(tmp_path):
    assert flip_flops(Whole(), tmp_path) - flip_flops(Part(), tmp_path) == SHADOWS


def test_after_a_reset_nothing_is_wrong_whatever_registers_began_with():
    payload, upset, reset = Payload(), Signal(), Signal()
    simulator = Simulator(ResetInserter(reset)(Shadowed(payload, upsets={("part",): upset})))
    simulator.add_clock(1e-6)

    async def testbench(ctx):
        ctx.set(payload.register, 4)
        assert ctx.get(upset)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert not ctx.get(upset)
        ctx.set(payload.i, 7)
        await ctx.tick().repeat(2)
        assert (ctx.get(payload.o), ctx.get(upset)) == (7, 0)

    simulator.add_testbench(testbench)
    simulator.run()
