"""Cbit on FPGA boards: what each has, and the way to its bitstream."""
