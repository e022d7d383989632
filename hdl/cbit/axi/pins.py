"""From bundles of streams to pins with AMBA's names."""

from amaranth.hdl import ClockDomain, Module, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

__all__ = ["AmbaPins"]


class AmbaPins(wiring.Component):
    """A component with its AXI bundles as flat, AMBA-named ports. It only wires.

    A bundle ``s_axi`` becomes ``s_axi_awid``, ``s_axi_awvalid`` and so on; a plain port keeps its name. These and
    ``clk`` and ``rst`` are all ports of the Verilog that ``amaranth.back.verilog.convert(AmbaPins(core))`` writes.

    Parameters
    ----------
    core : :class:`~amaranth.lib.wiring.Component`
        What to wrap. Its members are plain ports and bundles of streams of structs.

    Members
    -------
    clk : ``In(1)``
        Clock of the domain ``sync``.
    rst : ``In(1)``
        Its reset, synchronous and active high, for one cycle or more.

    One more for each plain port, each field of each channel, and each channel's ``valid`` and ``ready``.

    Raises
    ------
    ValueError
        If a member is neither a plain port nor a bundle of streams of structs.
    """

    def __init__(self, core: wiring.Component):
        self.core = core
        self._wires: list[tuple[str, wiring.Flow, Value]] = []
        for path, member, value in core.signature.flatten(core):
            match path:
                case (name,):
                    self._add(name, member, value)
                case (bundle, channel, "payload") if isinstance(member.shape, StructLayout):
                    for field in member.shape.members:
                        self._add(f"{bundle}_{channel}{field}", member, value[field])
                case (bundle, channel, "valid" | "ready" as handshake):
                    self._add(f"{bundle}_{channel}{handshake}", member, value)
                case _:
                    raise ValueError("Members of core must be plain ports or bundles of streams of structs, "
                                     f"not {'.'.join(map(str, path))}")
        pins = {name: flow(Shape.cast(value.shape())) for name, flow, value in self._wires}
        super().__init__({"clk": In(1), "rst": In(1)} | pins)

    def _add(self, name: str, member: wiring.Member, value: object) -> None:
        self._wires.append((name, member.flow, Value.cast(value)))

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        domain.clk = self.clk
        domain.rst = self.rst
        m.submodules.core = self.core
        for name, flow, value in self._wires:
            pin = getattr(self, name)
            if flow == In:
                m.d.comb += value.eq(pin)
            elif flow == Out:
                m.d.comb += pin.eq(value)
        return m
