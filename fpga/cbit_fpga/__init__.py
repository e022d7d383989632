"""What the engine takes on an FPGA: its size, its clock, and that the netlist still encrypts."""
