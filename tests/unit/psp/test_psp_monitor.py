"""The security processor runs a firmware, which does what the host asks by the mailbox."""

import pytest
from amaranth.sim import Simulator

from cbit.csr.map import register
from cbit.psp.psp import Psp
from cbit.psp.system import DEVELOPMENT_SECRET
from cbit_sim import axi_lite
from cbit_sim.monitor.build import Command, build_monitor
from cbit_sim.monitor.elf import loadable

STRAY = 0xFE


def test_the_monitor_reads_for_the_host_and_stands_still_after_a_stray():
    psp = Psp(firmware=build_monitor(), device_secret=DEVELOPMENT_SECRET, memory_bytes=1 << 20, addr_width=48,
              id_width=1, c_bit=47, asid_count=16, simulated_entropy=True)
    host = axi_lite.Registers(psp.s_axil_mailbox, "mailbox")

    async def start(ctx, command, address):
        assert await host.write(ctx, "BUFFER_LOW", ADDRESS=address) == 0
        assert await host.write(ctx, "COMMAND", COMMAND=command.value) == 0

    async def testbench(ctx):
        while (status := await host.read(ctx, "BOOT_STATUS"))["CODE"] != 1:
            pass
        assert (status["DEVELOPMENT"], status["SIMULATED"]) == (1, 1)
        for name, word in (("ID", int.from_bytes(b"PS", "little")), ("STRAP", 6)):
            await start(ctx, Command.PEEK, 0x1000_0000 + register("processor", name).offset)
            while not (await host.read(ctx, "COMMAND"))["DONE"]:
                pass
            assert (await host.read(ctx, "COMMAND"))["STATUS"] == word
        await start(ctx, Command.PEEK, 0x2000_0000)
        while (await host.read(ctx, "BOOT_STATUS"))["CODE"] != STRAY:
            pass
        assert not (await host.read(ctx, "COMMAND"))["DONE"]

    simulator = Simulator(psp)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_what_is_no_elf_file_is_refused():
    with pytest.raises(ValueError, match="ELF file must be of 32 bits and little-endian, not begin with 000000000000"):
        loadable(bytes(64))
