"""The access decision and the rules of bursts, against the golden model."""

import itertools
import random

import pytest

from cbit.access.decision import Decision
from cbit.access.legal import BurstRules
from cbit.access.request import Route, Violation
from cbit_model.access import Access, Burst, Mode, decide, malformed
from cbit_sim.requests import extent
from cbit_sim.streams import simulate

ADDR_WIDTH = 36
C_BIT = 34
ASID_COUNT = 5
SWITCHES = [Mode(sme=sme, tsme=tsme, sev=sev) for sme, tsme, sev in itertools.product([False, True], repeat=3)]


PIPELINED = pytest.mark.parametrize("pipelined", [False, True], ids=["combinational", "pipelined"])


def decision(*, pipelined=False, is_write=False):
    return Decision(addr_width=ADDR_WIDTH, data_width=128, c_bit=C_BIT, id_width=4, asid_count=ASID_COUNT,
                    is_write=is_write, pipelined=pipelined)


async def pass_stages(ctx, dut):
    """Lets the access at the input pass the registers, if there are any."""
    ctx.set(dut.advance, 1)
    if dut.pipelined:
        await ctx.tick().repeat(2)


def offer(ctx, address, access):
    """Puts the access on an address channel; its burst as a number, as gateware has no name for the reserved one."""
    ctx.set(address, {"id": access.id, "addr": access.address, "len": access.length - 1, "size": access.size,
                      "lock": access.lock, "prot": access.prot,
                      "user": access.asid | access.npt_c << 3 | access.dma << 4 | access.walk << 5})
    ctx.set(address.burst.as_value(), access.burst)


async def check(ctx, dut, access, mode, active):
    """Compares one decision with the model's."""
    offer(ctx, dut.address, access)
    ctx.set(dut.mode, {"sme": mode.sme, "tsme": mode.tsme, "sev": mode.sev})
    ctx.set(dut.slots, {"exists": access.asid < ASID_COUNT, "own": access.asid in active, "host": 0 in active})
    await pass_stages(ctx, dut)
    expected = decide(access, mode=mode, active=active, asid_count=ASID_COUNT, c_bit=C_BIT)
    request = ctx.get(dut.request)
    case = (access, mode, active)
    if expected.violation is not None:
        assert (ctx.get(dut.violation).value, request.route) == (expected.violation, Route.DENIED), case
        assert request.resp.value == expected.violation.response, case
        return
    assert ctx.get(dut.violation) == Violation.NONE, case
    assert request.addr == access.address & ((1 << C_BIT) - 1), case
    if expected.slot is None:
        assert (request.route, request.lock) == (Route.PLAIN, access.lock), case
    else:
        is_discarded = dut.is_write and access.lock
        assert request.route == (Route.DISCARDED if is_discarded else Route.ENCRYPTED), case
        assert (request.slot, request.lock, request.resp.value) == (expected.slot, 0, 0), case


@pytest.mark.parametrize("mode", SWITCHES, ids=str)
def test_every_sideband_mode_and_slot_state(mode):
    dut = decision()
    flags = list(itertools.product([False, True], repeat=5))

    async def testbench(ctx):
        for asid, (c_bit, npt_c, dma, walk, fetch) in itertools.product(range(8), flags):
            access = Access(address=c_bit << C_BIT | 0x1_2345_6780, asid=asid, npt_c=npt_c, dma=dma, walk=walk,
                            prot=fetch << 2)
            others = set(range(ASID_COUNT)) - {0, asid}
            for active in ({0, asid}, {0}, {asid} - {0}, set(), others):
                await check(ctx, dut, access, mode, active & set(range(ASID_COUNT)))

    simulate(dut, testbench)


@PIPELINED
@pytest.mark.parametrize("is_write", [False, True], ids=["read", "write"])
def test_random_accesses(is_write, pipelined):
    dut = decision(pipelined=pipelined, is_write=is_write)
    seed = 11
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def testbench(ctx):
        for _ in range(3000):
            access = Access(address=rng.getrandbits(ADDR_WIDTH - rng.choice([0, 1, 1, 1, 2])) & -16,
                            asid=rng.randrange(8), npt_c=rng.random() < 0.5, dma=rng.random() < 0.3,
                            walk=rng.random() < 0.3, prot=rng.randrange(8), lock=rng.random() < 0.3,
                            burst=rng.choice(list(Burst)), length=rng.choice([1, 2, 4, 8, 16, 17]),
                            size=rng.choice([4, 4, 4, 5]))
            active = {slot for slot in range(ASID_COUNT) if rng.random() < 0.7}
            await check(ctx, dut, access, rng.choice(SWITCHES), active)

    simulate(dut, testbench)


def test_fields_pass_unchanged():
    dut = decision()
    fields = {"id": 9, "len": 3, "size": 2, "burst": Burst.INCR}
    attributes = {"cache": 11, "prot": 3, "qos": 7, "region": 13}

    async def testbench(ctx):
        ctx.set(dut.address, fields | attributes | {"addr": 0x1234})
        request = ctx.get(dut.request)
        assert {name: request[name] for name in fields} == fields
        assert {name: request.attributes[name] for name in attributes} == attributes

    simulate(dut, testbench)


def test_no_address_bit_above_the_highest_c_bit():
    dut = Decision(addr_width=48, data_width=128, c_bit=47, id_width=4, asid_count=16, is_write=False, pipelined=False)

    async def testbench(ctx):
        ctx.set(dut.address, {"addr": (1 << 48) - 16, "size": 4, "burst": Burst.INCR})
        ctx.set(dut.mode.sme, 1)
        ctx.set(dut.slots.host, 1)
        assert ctx.get(dut.request.route) == Route.ENCRYPTED
        assert ctx.get(dut.request.addr) == (1 << 47) - 16

    simulate(dut, testbench)


def edge_bursts(widest):
    """Every kind, size and length of note, at the addresses around a boundary of 4 KiB."""
    lengths = (1, 2, 3, 4, 5, 8, 15, 16, 17, 32, 255, 256)
    for burst, size, length in itertools.product(Burst, range(8), lengths):
        total = length << min(size, widest)
        for offset in {0, 1, 8, 4095, (4096 - total) % 4096, (4097 - total) % 4096, (4095 - total) % 4096}:
            yield Access(address=0x7_3000 + offset, length=length, size=size, burst=burst)


def random_bursts(rng, count, widest):
    for _ in range(count):
        yield Access(address=rng.getrandbits(ADDR_WIDTH), length=rng.randint(1, 256), size=rng.randrange(widest + 1),
                     burst=rng.choice([Burst.INCR, Burst.INCR, Burst.WRAP, Burst.FIXED]))


@PIPELINED
@pytest.mark.parametrize("data_width", [128, 256, 512])
def test_rules_of_bursts(data_width, pipelined):
    dut = BurstRules(addr_width=ADDR_WIDTH, data_width=data_width, id_width=4, user_width=6, pipelined=pipelined)
    bus_bytes = data_width // 8
    widest = bus_bytes.bit_length() - 1
    seed = 12
    print(f"seed {seed}")
    verdicts = set()

    async def testbench(ctx):
        for access in itertools.chain(edge_bursts(widest), random_bursts(random.Random(seed), 3000, widest)):
            offer(ctx, dut.address, access)
            verdict = malformed(access, bus_bytes)
            await pass_stages(ctx, dut)
            assert ctx.get(dut.malformed) == verdict, access
            if not verdict:
                shown, expected = ctx.get(dut.extent), extent(access, bus_bytes)
                assert {"last_byte": shown.last_byte, "chunks_after": shown.chunks_after} == expected, access
            verdicts.add((access.burst, verdict))

    simulate(dut, testbench)
    assert verdicts == {(burst, verdict) for burst in Burst for verdict in (False, True)} - {(Burst.RESERVED, False)}
