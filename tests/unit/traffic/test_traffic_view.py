"""Who makes an access, judged by the model's table of decisions."""

import random

from cbit.axi.ports import Burst
from cbit.traffic.view import Denial, View
from cbit_model.access import Access, Mode, Violation, decide
from cbit_model.access import Burst as ModelBurst
from cbit_sim.streams import simulate

GUESTS, ASID_COUNT, C_BIT = 2, 5, 47
WHY = {Denial.NO_KEY: Violation.SLOT_INACTIVE, Denial.DMA_PRIVATE: Violation.DMA_PRIVATE,
       Denial.RESERVED_BURST: Violation.MALFORMED}


def test_every_view_leads_to_its_key_or_its_denial():
    dut = View(asid_count=ASID_COUNT, guests=GUESTS)
    rng = random.Random(143)
    ways = set()

    async def testbench(ctx):
        for number in range(1000):
            denial, key = [*Denial][max(0, number % 8 - 4)], {"is_plain": rng.random() < 0.3,
                                                               "slot": rng.randrange(GUESTS + 1)}
            values = {"key": key, "denial": denial, "asid": rng.randrange(GUESTS + 1),
                      "guest": rng.randrange(1, GUESTS + 1), "how": rng.randrange(4), "burst": rng.choice([*Burst])}
            for name, value in values.items():
                ctx.set(getattr(dut, name), value)
            await ctx.delay(1e-9)
            user = ctx.get(dut.user)
            access = Access(
                address=ctx.get(dut.c_bit) << C_BIT, asid=user.asid, npt_c=bool(user.npt_c), dma=bool(user.dma),
                walk=bool(user.walk), prot=ctx.get(dut.is_fetch) << 2, length=2, burst=ModelBurst(ctx.get(dut.made)))
            decision = decide(access, mode=Mode(sme=True, sev=True), active=range(GUESTS + 1), asid_count=ASID_COUNT,
                              c_bit=C_BIT)
            if denial is Denial.NONE:
                assert decision.violation is None
                assert decision.slot == (None if key["is_plain"] else key["slot"])
                ways.add((decision.slot, access.asid, access.address, access.npt_c, access.dma, access.walk,
                          access.fetch))
            else:
                assert decision.violation is WHY[denial]

    simulate(dut, testbench)
    assert {(slot, bool(address), walk, fetch) for slot, _, address, _, _, walk, fetch in ways if slot} == {
        (slot, *way) for slot in (1, 2) for way in ((True, False, False), (False, True, False), (False, False, True))}
    assert {npt_c for slot, asid, _, npt_c, *_ in ways if slot == 0 and asid} == {True}
    assert {asid for slot, asid, *_ in ways if slot is None} == {0, 1, 2}
