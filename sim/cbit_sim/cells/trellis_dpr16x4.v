// Lattice ECP5's distributed RAM, as its logic behaves: 16 words of 4 bits, written at the clock, read at once.

module TRELLIS_DPR16X4(input [3:0] DI, input [3:0] WAD, input WRE, input WCK, input [3:0] RAD, output [3:0] DO);
  parameter WCKMUX = "WCK";
  parameter WREMUX = "WRE";
  parameter [63:0] INITVAL = 64'h0;

  reg [3:0] memory [0:15];

  integer word;
  initial
    for (word = 0; word < 16; word = word + 1)
      memory[word] = INITVAL[4 * word +: 4];

  wire clock = WCKMUX == "INV" ? ~WCK : WCK;
  wire writing = WREMUX == "1" ? 1'b1 : WREMUX == "0" ? 1'b0 : WREMUX == "INV" ? ~WRE : WRE;
  always @(posedge clock)
    if (writing)
      memory[WAD] <= DI;

  assign DO = memory[RAD];
endmodule
