# amaranth: UnusedElaboratable=no

"""Which operations a board has: with a security processor none that leads to keys, without one none to a mailbox."""

import pytest

from cbit.config import EngineConfig, preset
from cbit.soc.checks import RequestChecks
from cbit.soc.protocol import Outcome
from cbit.soc.soc import Soc
from cbit_boards.host.frames import Operation
from cbit_sim.streams import simulate

KEYS = {Operation.READ_KEYS, Operation.WRITE_KEYS}
PSP = {Operation.READ_MAILBOX, Operation.WRITE_MAILBOX, Operation.FLUSH}
LENGTHS = dict.fromkeys(Operation, 4) | {Operation.IDENTIFY: 0, Operation.FLUSH: 0}


@pytest.mark.parametrize("has_psp", [False, True])
def test_each_board_has_its_operations_and_no_others(has_psp):
    unit = RequestChecks(addr_width=48, c_bit=47, asid_width=4, memory_bytes=1 << 20, has_psp=has_psp,
                         control_addr_width=17 if has_psp else 12)
    there = {*Operation} - (KEYS if has_psp else PSP)

    async def testbench(ctx):
        ctx.set(unit.memory_ready, 1)
        ctx.set(unit.released, 1)
        for operation in range(256):
            length = LENGTHS.get(operation, 4)
            ctx.set(unit.request, {"operation": operation, "length": length})
            is_write = operation in {*Operation} and Operation(operation).name.startswith("WRITE")
            ctx.set(unit.data_bytes, length if is_write else 0)
            await ctx.delay(1e-9)
            assert ctx.get(unit.outcome) is (Outcome.OK if operation in there else Outcome.OPERATION), operation

    simulate(unit, testbench)


def test_a_board_that_can_not_be_is_refused():
    with pytest.raises(ValueError, match="data_width must be 128 for a board, not 256"):
        Soc(EngineConfig(data_width=256), memory_bytes=4096)
    for memory_bytes in (0, 100, 1 << 48):
        with pytest.raises(ValueError, match=r"memory_bytes must be a multiple of 4096 up to 2\*\*47, not"):
            Soc(preset("compact"), memory_bytes=memory_bytes)
    with pytest.raises(ValueError, match="device_secret must be given where entropy is not simulated, not None"):
        Soc(preset("compact"), memory_bytes=4096, firmware=b"")
    with pytest.raises(ValueError, match=r"^dram_table must be None without firmware, which follows it$"):
        Soc(preset("compact"), memory_bytes=4096, dram_table=())
