"""A component whose logic is a module of Verilog."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib.wiring import Component, In

__all__ = ["ModuleInstance"]


class ModuleInstance(Component):
    """Stands where another component would: has its members, and an instance of a module in its place.

    Ports of the module are ``clk``, ``rst``, and the members' names, those of bundles joined by two underscores. What
    is constant of the component is constant here, and no port.

    Parameters
    ----------
    component : :class:`~amaranth.lib.wiring.Component`
        It is not elaborated.
    module : :class:`str`
        The module's name.
    """

    def __init__(self, component: Component, module: str) -> None:
        self.module = module
        super().__init__(component.signature)

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        ports = {f"{'i' if member.flow is In else 'o'}_{'__'.join(map(str, path))}": Value.cast(value)
                 for path, member, value in self.signature.flatten(self)}
        m.submodules.module = Instance(
            self.module, i_clk=ClockSignal(), i_rst=ResetSignal(),
            **{name: value for name, value in ports.items() if isinstance(value, Signal)})
        return m
