# amaranth: UnusedElaboratable=no
"""Memory of boards: what is written is read, beyond its end nothing is, and an UltraPlus has it in its own RAMs."""

import random
from types import SimpleNamespace

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Elaboratable, Module
from amaranth.lib.wiring import connect
from amaranth.sim import Simulator

from cbit.axi.ports import Burst, Response
from cbit.serial.single_port_ram import SinglePortRam
from cbit_boards.gateware.on_chip_memory import OnChipMemory
from cbit_boards.gateware.whole_beats import WholeBeats
from cbit_model.access import Burst as ModelBurst
from cbit_model.access import burst_beats
from cbit_sim.streams import always, collect, send

SIZE = 8192
BURSTS = 30


def memory():
    return OnChipMemory(size_bytes=SIZE, addr_width=48, id_width=3)


def random_burst(rng, base=0):
    size, burst = rng.choice([0, 2, 4, 4]), rng.choice([*Burst])
    length = rng.choice([2, 4, 8]) if burst is Burst.WRAP else rng.randrange(1, 9)
    offset = rng.randrange(SIZE - 256) & (-(1 << size) if burst is Burst.WRAP else -1)
    if offset % 4096 + length * 16 > 4096:
        offset = 4096
    return {"id": rng.randrange(8), "addr": base + offset, "len": length - 1, "size": size, "burst": burst}


def beats_of(address):
    return burst_beats(address["addr"] % SIZE, address["len"] + 1, address["size"],
                       ModelBurst(address["burst"].value))


def run(dut, testbench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    if isinstance(dut, BehindWholeBeats):
        simulator.add_testbench(watch(dut.whole.m_axi), background=True)
    simulator.run()


async def write(ctx, axi, address, beats):
    await send(ctx, axi.aw, [address])
    await send(ctx, axi.w, [
        {"data": int.from_bytes(word, "little"), "strb": strobe, "last": number == address["len"]}
        for number, (word, strobe) in enumerate(beats)])
    ((_, answer),) = await collect(ctx, axi.b, 1, pace=always)
    assert answer.id == address["id"]
    return Response(answer.resp)


async def read(ctx, axi, address):
    await send(ctx, axi.ar, [address])
    answers = [answer for _, answer in await collect(ctx, axi.r, address["len"] + 1, pace=always)]
    assert {answer.id for answer in answers} == {address["id"]}
    assert [answer.last for answer in answers] == [0] * address["len"] + [1]
    return answers


class BehindWholeBeats(Elaboratable):
    """A memory that must be written in whole beats."""

    def __init__(self):
        self.memory, self.whole = memory(), WholeBeats(addr_width=48, id_width=3)
        self.s_axi = self.whole.s_axi

    def elaborate(self, _platform):
        m = Module()
        m.submodules.memory, m.submodules.whole = self.memory, self.whole
        connect(m, self.whole.m_axi, self.memory.s_axi)
        return m


def watch(axi):
    """Sees that every beat that is written is whole, and at its place."""
    async def testbench(ctx):
        async for _, _, valid, strb, is_address, addr in ctx.tick().sample(
                axi.w.valid, axi.w.payload.strb, axi.aw.valid, axi.aw.payload.addr):
            assert not valid or strb == 0xFFFF
            assert not is_address or addr % 16 == 0

    return testbench


@pytest.mark.parametrize("make", [memory, BehindWholeBeats])
def test_what_is_written_is_read(make):
    rng, content = random.Random(6), bytearray(SIZE)
    dut = make()

    async def use(ctx):
        for _ in range(BURSTS):
            address, beats = random_burst(rng), []
            for container, lanes in beats_of(address):
                word, strobe = rng.randbytes(16), lanes & rng.getrandbits(16)
                beats.append((word, strobe))
                for lane in range(16):
                    if strobe >> lane & 1:
                        content[container + lane] = word[lane]
            assert await write(ctx, dut.s_axi, address, beats) is Response.OKAY
            address = random_burst(rng)
            for (container, lanes), answer in zip(beats_of(address), await read(ctx, dut.s_axi, address)):
                assert Response(answer.resp) is Response.OKAY
                word = answer.data.to_bytes(16, "little")
                assert all(word[lane] == content[container + lane] for lane in range(16) if lanes >> lane & 1)

    run(dut, use)


@pytest.mark.parametrize("make", [memory, BehindWholeBeats])
def test_beyond_the_end_nothing_is_written(make):
    rng, dut = random.Random(7), make()

    async def use(ctx):
        whole = {"id": 0, "addr": 0, "len": 255, "size": 4, "burst": Burst.INCR}
        await write(ctx, dut.s_axi, whole, [(bytes(16), 0xFFFF)] * 256)
        for base in (SIZE, 1 << 47):
            address = random_burst(rng, base)
            beats = [(rng.randbytes(16), rng.choice([0xFFFF, 0x0FF0]))] * (address["len"] + 1)
            assert await write(ctx, dut.s_axi, address, beats) is Response.DECERR
            assert {Response(answer.resp) for answer in await read(ctx, dut.s_axi, address)} == {Response.DECERR}
        assert {answer.data for answer in await read(ctx, dut.s_axi, whole)} == {0}

    run(dut, use)


def test_an_exclusive_write_changes_nothing():
    dut = BehindWholeBeats()

    async def use(ctx):
        address = {"id": 1, "addr": 64, "len": 0, "size": 4, "burst": Burst.INCR}
        assert await write(ctx, dut.s_axi, address, [(b"before, 16 bytes", 0xFFFF)]) is Response.OKAY
        assert await write(ctx, dut.s_axi, address | {"lock": 1}, [(bytes(16), 0xFFFF)]) is Response.OKAY
        (answer,) = await read(ctx, dut.s_axi, address)
        assert answer.data.to_bytes(16, "little") == b"before, 16 bytes"

    run(dut, use)


@pytest.mark.parametrize(("words", "is_right"), [(0, False), (1 << 14, True), (1 << 15, False)])
def test_words_are_those_of_an_ultraplus(words, is_right):
    if is_right:
        text = rtlil.convert(SinglePortRam(words=words, width=64), platform=SimpleNamespace(device="iCE40UP5K"))
        assert text.count("cell \\SB_SPRAM256KA") == 4
        assert "memory" not in text
    else:
        with pytest.raises(ValueError, match=f"^words must be 1 to 16384, not {words}$"):
            SinglePortRam(words=words, width=64)


@pytest.mark.parametrize("size", [4096, 12288, 1 << 18])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=f"^size_bytes must be a power of two from 8192 to 131072, not {size}$"):
        OnChipMemory(size_bytes=size, addr_width=48, id_width=3)
