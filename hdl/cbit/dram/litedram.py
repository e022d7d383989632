"""A LiteDRAM controller behind a clean AXI4 port."""

from pathlib import Path

from amaranth import Cat, ClockSignal, Const, Module, ResetSignal
from amaranth.hdl import Instance
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Axi4Signature

from .axi_port import DATA_WIDTH, axi_pins, bounds
from .generate import MODULE, generate
from .initialize import SdrInitializer
from .pads import SdramPads
from .spec import DramKind, DramSpec

__all__ = ["LiteDram"]


class LiteDram(Component):
    """SDR SDRAM under a LiteDRAM controller, initialized by itself.

    All that AXI4 allows works, with these limits: an access that begins beyond the memory gets DECERR, changes nothing
    and reads zeros; exclusive accesses are not supported, so that an exclusive write changes nothing and gets OKAY.
    LOCK of a read, CACHE, PROT, QOS and REGION have no effect. Answers come in the order of the addresses, for reads
    and for writes. A write is answered when its data go to the chip, and any read taken after that sees it. A burst
    that AXI4 does not allow may go to other addresses of the memory.

    Latency, throughput and stalls: those of LiteDRAM. A reset in the middle of a write leaves each of its columns
    written or not.

    Parameters
    ----------
    memory : :class:`~cbit.dram.spec.DramSpec`
        SDR SDRAM.
    addr_width, id_width : :class:`int`
        Of the port.
    folder : :class:`~pathlib.Path`
        Where what LiteDRAM generates is kept.
    power_up_us : :class:`int`
        How long the chip is given after a reset.

    Members
    -------
    s_axi : ``In(Axi4Signature(addr_width, data_width=128, id_width))``
        The memory, from address 0 on. Waits until ``ready``.
    ready : ``Out(1)``
        The chip is initialized; stays high until reset.
    pads : ``Out(SdramPads(...))``
        The chip, whose clock is the one of ``sync``, a quarter of a cycle later.

    Raises
    ------
    ValueError
        If the memory is not SDR SDRAM, or LiteDRAM's chip has another size.
    cbit.dram.generate.DramGenerationError
        If LiteDRAM can not generate the controller.
    """

    def __init__(self, memory: DramSpec, *, addr_width: int, id_width: int, folder: Path,
                 power_up_us: int = 200) -> None:
        if memory.kind != DramKind.SDR:
            raise ValueError(f"memory must be SDR SDRAM, not {memory.kind.value}")
        self.memory = memory
        self.addr_width = addr_width
        self.id_width = id_width
        self.power_up_us = power_up_us
        self.controller = generate(memory, id_width=id_width, folder=folder)
        pads = SdramPads(row_width=self.controller.port_width("sdram_a"),
                         bank_width=self.controller.port_width("sdram_ba"), width=memory.width)
        super().__init__({
            "s_axi": In(Axi4Signature(addr_width=addr_width, data_width=DATA_WIDTH, id_width=id_width)),
            "ready": Out(1),
            "pads": Out(pads),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        if platform is not None:
            platform.add_file(f"{MODULE}.v", self.controller.verilog)
        m.submodules.bounds = before = bounds(self.memory, addr_width=self.addr_width, id_width=self.id_width)
        m.submodules.initializer = initializer = SdrInitializer(
            registers=self.controller.registers, cas_latency=self.controller.cas_latency,
            clock_hz=self.memory.clock_hz, power_up_us=self.power_up_us)
        connect(m, flipped(self.s_axi), before.s_axi)
        m.d.comb += [self.ready.eq(initializer.done), before.enable.eq(initializer.done)]
        m.submodules.controller = Instance(
            MODULE, i_clk=ClockSignal(), i_rst=ResetSignal(allow_reset_less=True),
            **axi_pins(before.m_axi), **self._register_pins(initializer.o), **self._chip_pins())
        return m

    def _register_pins(self, write) -> dict[str, object]:
        """The controller's Wishbone port, whose addresses count words."""
        return {
            "i_wb_ctrl_cyc": write.valid,
            "i_wb_ctrl_stb": write.valid,
            "i_wb_ctrl_we": 1,
            "i_wb_ctrl_sel": Const(0b1111, 4),
            "i_wb_ctrl_cti": Const(0, 3),
            "i_wb_ctrl_bte": Const(0, 2),
            "i_wb_ctrl_adr": Cat(write.payload.address[2:], Const(0, 16)),
            "i_wb_ctrl_dat_w": write.payload.data,
            "o_wb_ctrl_ack": write.ready,
        }

    def _chip_pins(self) -> dict[str, object]:
        pads = self.pads
        return {"i_sdram_dq_i": pads.dq_i} | {
            f"o_sdram_{name}": getattr(pads, name)
            for name in ("a", "ba", "cke", "cs_n", "ras_n", "cas_n", "we_n", "dm", "dq_o", "dq_oe")}
