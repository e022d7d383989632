// Lattice ECP5's register of an output pin, with an asynchronous preset, which configuration leaves set. Lattice, "FPGA Libraries Reference Guide".

module OFS1P3BX(input D, SP, SCLK, PD, output reg Q);
  initial Q = 1'b1;
  always @(posedge SCLK or posedge PD)
    if (PD) Q <= 1'b1;
    else if (SP) Q <= D;
endmodule
