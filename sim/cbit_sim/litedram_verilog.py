"""LiteDRAM's Verilog of a controller, as a simulator takes it."""

from cbit.dram.generate import GeneratedController

__all__ = ["litedram_verilog"]


def litedram_verilog(controller: GeneratedController) -> str:
    """The module without the warning that its combinational logic is written with non-blocking assignments."""
    return "\n".join(["/* verilator lint_off COMBDLY */", controller.verilog, "/* verilator lint_on COMBDLY */"])
