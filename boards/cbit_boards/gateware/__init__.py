"""What is on the FPGA beside the SoC and the controller of its DRAM."""
