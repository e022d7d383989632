"""A read-only memory with two ports of 18 bits, which is one block RAM of ECP5."""

from collections.abc import Sequence

from amaranth import ClockSignal, Const, Instance, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["DualPortRom"]

WIDTH = 18
DEPTH = 1024
WORDS_PER_PARAMETER = 16
PARAMETER_WORD_BITS = 20
"""``INITVAL_00`` to ``INITVAL_3F`` hold 16 words each, a word of 18 bits in 20 (Lattice FPGA-TN-02204)."""


class DualPortRom(Component):
    """A read-only memory with two independent ports.

    Latency: ``read_cycles``. Throughput: a word a cycle and port, without stalls.

    Parameters
    ----------
    contents : :class:`~collections.abc.Sequence` of :class:`int`
        The words, of up to 18 bits. 1 to 1024 of them.
    read_cycles : :class:`int`
        1, or 2 for the register at the output of a block RAM, without which it takes most of a cycle to answer.

    Members
    -------
    address_0, address_1 : ``In(range(len(contents)))``
        Words to read.
    data_0, data_1 : ``Out(18)``
        The words read.
    """

    address_0: Signal
    address_1: Signal
    data_0: Signal
    data_1: Signal

    def __init__(self, *, contents: Sequence[int], read_cycles: int) -> None:
        assert 1 <= len(contents) <= DEPTH
        assert read_cycles in (1, 2)
        self.contents = tuple(contents)
        self.read_cycles = read_cycles
        super().__init__({
            "address_0": In(range(len(contents))),
            "address_1": In(range(len(contents))),
            "data_0": Out(WIDTH),
            "data_1": Out(WIDTH),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        # Yosys finds no output registers of block RAMs, so that they are asked for by name.
        if getattr(platform, "device", "").startswith("LFE5U"):
            m.submodules.block_ram = self._block_ram()
        else:
            self._infer(m)
        return m

    def _infer(self, m: Module) -> None:
        m.submodules.memory = memory = Memory(shape=WIDTH, depth=len(self.contents), init=self.contents,
                                              attrs={"rom_style": "block"})
        for address, output in ((self.address_0, self.data_0), (self.address_1, self.data_1)):
            port = memory.read_port()
            m.d.comb += port.addr.eq(address)
            word = port.data
            if self.read_cycles == 2:
                # As in a block RAM, without reset.
                word = Signal(WIDTH, reset_less=True)
                m.d.sync += word.eq(port.data)
            m.d.comb += output.eq(word)

    def _block_ram(self) -> Instance:
        step = WORDS_PER_PARAMETER
        ports: dict[str, object] = {}
        for number in range(DEPTH // step):
            words = self.contents[step * number:step * (number + 1)]
            value = sum(word << PARAMETER_WORD_BITS * i for i, word in enumerate(words))
            ports[f"p_INITVAL_{number:02X}"] = Const(value, PARAMETER_WORD_BITS * step)
        for port, address, output in (("A", self.address_0, self.data_0), ("B", self.address_1, self.data_1)):
            ports |= {
                f"p_DATA_WIDTH_{port}": WIDTH,
                f"p_REGMODE_{port}": "OUTREG" if self.read_cycles == 2 else "NOREG",
                f"i_CLK{port}": ClockSignal(), f"i_CE{port}": Const(1), f"i_OCE{port}": Const(1),
                f"i_WE{port}": Const(0), f"i_RST{port}": Const(0),
            }
            # An address counts bits, so that one of a word of 18 begins at bit 4.
            ports |= {f"i_AD{port}{bit}": Const(0) for bit in range(14)}
            ports |= {f"i_AD{port}{4 + bit}": address[bit] for bit in range(len(address))}
            ports |= {f"i_CS{port}{bit}": Const(0) for bit in range(3)}
            ports |= {f"o_DO{port}{bit}": output[bit] for bit in range(WIDTH)}
        return Instance("DP16KD", **ports)
