"""What a self-test that fails does to a whole engine."""

import pytest
from amaranth.sim import Simulator

import cbit.aes.round
from cbit.aes.sbox import SubBytes
from cbit.axi.ports import Response
from cbit.config import EngineConfig
from cbit.csr.map import register
from cbit.engine import Engine
from cbit.keys.types import Operation, Result
from cbit_sim import axi_lite

SMALL = {"duplex": False, "unroll": 1, "max_outstanding": 4, "addr_width": 32, "c_bit": 31}


class DeadSubBytes(SubBytes):
    """Its first S-box gives zero."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.o[:len(self.o) // 16].eq(0)
        return m


@pytest.mark.parametrize("keys", [{"asid_count": 2}, {"asid_count": 3, "key_ways": 2}], ids=["expanded", "cached"])
@pytest.mark.parametrize("fails", [False, True])
def test_engine_opens_only_if_its_self_test_passes(monkeypatch, fails, keys):
    if fails:
        monkeypatch.setattr(cbit.aes.round, "SubBytes", DeadSubBytes)
    dut = Engine(EngineConfig(**SMALL, **keys))
    psp = dut.s_axil_psp
    refusal = Response.SLVERR.value if fails else Response.OKAY.value

    async def status(ctx):
        word, _ = await axi_lite.read(ctx, psp, register("psp", "STATUS").offset)
        return {field.name: word >> field.lsb & 1 for field in register("psp", "STATUS").fields}

    async def write(ctx, name, word):
        return await axi_lite.write(ctx, psp, register("psp", name).offset, word)

    async def testbench(ctx):
        assert await write(ctx, "CONTROL", 1) == Response.SLVERR.value
        while (now := await status(ctx))["BUSY"] or now["SELF_TEST_BUSY"]:
            assert not now["RELEASED"]
        assert now["SELF_TEST_FAILED"] == fails
        for name in ("KEY_DATA", "KEY_TWEAK"):
            for word in range(4):
                assert await write(ctx, f"{name}{word}", word + (name == "KEY_DATA")) == refusal
        await write(ctx, "COMMAND", Operation.INSTALL.value)
        while (await status(ctx))["BUSY"]:
            pass
        word, _ = await axi_lite.read(ctx, psp, register("psp", "COMMAND_STATUS").offset)
        assert Result(word >> 8) == (Result.CLOSED if fails else Result.OK)
        assert await write(ctx, "CONTROL", 1) == refusal
        ctx.set(dut.s_axi.ar.valid, 1)
        for _ in range(20):
            await ctx.tick()
            if ctx.get(dut.s_axi.ar.ready):
                ctx.set(dut.s_axi.ar.valid, 0)
                assert not fails
                return
        assert fails

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
