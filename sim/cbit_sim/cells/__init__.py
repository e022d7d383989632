"""Models of an FPGA's cells, with which netlists of it are simulated."""

from pathlib import Path

__all__ = ["MEMORIES", "MULTIPLIER", "PIN_REGISTERS", "RING_MODEL", "memory_models", "models"]

MEMORIES = ("DP16KD", "TRELLIS_DPR16X4")
"""The cells: ECP5's block RAM and distributed RAM."""

MULTIPLIER = "MULT18X18D"
"""ECP5's multiplier."""

PIN_REGISTERS = ("OFS1P3BX", "IFS1P3BX", "FD1S3BX")
"""ECP5's registers of output and input pins, and one of the fabric, which have an asynchronous preset."""


RING_MODEL = "cbit_ring_model"
"""What stands for an inverter of a ring of them."""


def models(*names: str) -> str:
    """Verilog of cells, a module each."""
    return "\n".join(Path(__file__).with_name(f"{name.lower()}.v").read_text(encoding="utf-8") for name in names)


def memory_models() -> str:
    """Verilog of the cells with memory."""
    return models(*MEMORIES)
