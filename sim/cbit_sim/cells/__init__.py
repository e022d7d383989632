"""Models of cells with memory, with which netlists of an FPGA are simulated."""

from pathlib import Path

__all__ = ["MEMORIES", "memory_models"]

MEMORIES = ("DP16KD", "TRELLIS_DPR16X4")
"""The cells: ECP5's block RAM and distributed RAM."""


def memory_models() -> str:
    """Verilog of the cells, a module each."""
    return "\n".join(Path(__file__).with_name(f"{name.lower()}.v").read_text(encoding="utf-8") for name in MEMORIES)
