"""ECP5's PLL."""

from amaranth.hdl import Const, Instance, Module
from amaranth.lib.wiring import Component, In, Out

from cbit_boards.pll import OUTPUTS, PllDividers

__all__ = ["Ecp5Pll"]

_ANALOG = {"a_ICP_CURRENT": "12", "a_LPF_RESISTOR": "8", "a_MFG_ENABLE_FILTEROPAMP": "1", "a_MFG_GMCREF_SEL": "2"}
"""Of the loop's filter, as Lattice's own tools have them."""


class Ecp5Pll(Component):
    """Makes clocks from one, by EHXPLLL (Lattice FPGA-TN-02200).

    Parameters
    ----------
    dividers : :class:`~cbit_boards.pll.PllDividers`
        Its settings.

    Members
    -------
    clk : ``In(1)``
        The clock that comes in.
    o : ``Out(1).array(...)``
        The clocks that go out, as many as ``dividers`` has.
    locked : ``Out(1)``
        The clocks are as they should be. Asynchronous.
    """

    def __init__(self, dividers: PllDividers):
        self.dividers = dividers
        super().__init__({"clk": In(1), "o": Out(1).array(len(dividers.outputs)), "locked": Out(1)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.pll = Instance(
            "EHXPLLL",
            p_CLKI_DIV=self.dividers.input_divider, p_CLKFB_DIV=self.dividers.feedback_divider, p_FEEDBK_PATH="CLKOP",
            p_PLLRST_ENA="DISABLED", p_STDBY_ENABLE="DISABLED", p_INTFB_WAKE="DISABLED", p_DPHASE_SOURCE="DISABLED",
            i_CLKI=self.clk, i_CLKFB=self.o[0], i_RST=Const(0), i_STDBY=Const(0), i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0), i_PHASEDIR=Const(1), i_PHASESTEP=Const(1), i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0), o_LOCK=self.locked, **_ANALOG, **self._outputs())
        return m

    def _outputs(self) -> dict[str, object]:
        """Parameters and ports of the outputs."""
        ports: dict[str, object] = {}
        for name, clk, setting in zip(OUTPUTS, self.o, self.dividers.outputs):
            ports |= {f"p_{name}_ENABLE": "ENABLED", f"p_{name}_DIV": setting.divider,
                      f"p_{name}_CPHASE": setting.coarse, f"p_{name}_FPHASE": setting.fine, f"o_{name}": clk}
        return ports
