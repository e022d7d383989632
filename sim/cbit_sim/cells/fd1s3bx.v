// Lattice ECP5's register of the fabric, with an asynchronous preset, which configuration leaves set. Lattice, "FPGA Libraries Reference Guide".

module FD1S3BX(input D, CK, PD, output reg Q);
  initial Q = 1'b1;
  always @(posedge CK or posedge PD)
    if (PD) Q <= 1'b1;
    else Q <= D;
endmodule
