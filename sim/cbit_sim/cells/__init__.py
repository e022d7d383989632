"""Models of cells, with which netlists of an FPGA are simulated."""

from pathlib import Path

__all__ = ["BLOCK_RAM_MODEL"]

BLOCK_RAM_MODEL = Path(__file__).with_name("dp16kd.v")
"""Verilog of the ECP5's block RAM."""
