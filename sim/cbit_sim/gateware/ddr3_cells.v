// What LiteDRAM's controller of DDR3 is made of beside logic, as far as its commands need it: clocks without delays, of
// which the controller's is half of the one that comes in, and pins that have a new value each clock of the DRAM. Cells of
// data do nothing.

module EHXPLLL #(
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOS_DIV = 1, CLKOS2_DIV = 1, CLKOP_CPHASE = 0, CLKOS_CPHASE = 0,
  CLKOS2_CPHASE = 0, CLKOP_FPHASE = 0, CLKOS_FPHASE = 0, CLKOS2_FPHASE = 0, CLKOP_ENABLE = "", CLKOS_ENABLE = "",
  CLKOS2_ENABLE = "", FEEDBK_PATH = ""
) (input CLKI, RST, STDBY, output CLKOP, CLKOS, CLKOS2, LOCK);
  assign CLKOP = CLKI, CLKOS = CLKI, CLKOS2 = CLKI, LOCK = ~RST;
endmodule

module ECLKBRIDGECS(input CLK0, SEL, output ECSOUT);
  assign ECSOUT = CLK0;
endmodule

module ECLKSYNCB(input ECLKI, STOP, output ECLKO);
  assign ECLKO = ECLKI;
endmodule

module CLKDIVF #(parameter DIV = "") (input ALIGNWD, CLKI, RST, output reg CDIVX);
  initial CDIVX = 0;
  always @(posedge CLKI) CDIVX <= ~CDIVX;
endmodule

module DDRDLLA(input CLK, FREEZE, RST, UDDCNTLN, output DDRDEL, LOCK);
  assign DDRDEL = 0, LOCK = ~RST;
endmodule

// Two values in a cycle of SCLK: the first while that is high.
module ODDRX2F(input D0, D1, D2, D3, ECLK, RST, SCLK, output Q);
  assign Q = SCLK ? D0 : D2;
endmodule

module DELAYG #(parameter DEL_VALUE = 0, DEL_MODE = "") (input A, output Z);
  assign Z = A;
endmodule

module DQSBUFM #(parameter DQS_LI_DEL_ADJ = "", DQS_LI_DEL_VAL = 0, DQS_LO_DEL_ADJ = "", DQS_LO_DEL_VAL = 0) (
  input DDRDEL, DQSI, ECLK, PAUSE, RDDIRECTION, RDLOADN, RDMOVE, READ0, READ1, READCLKSEL0, READCLKSEL1, READCLKSEL2,
  RST, SCLK, WRDIRECTION, WRLOADN, WRMOVE,
  output BURSTDET, DATAVALID, DQSR90, DQSW, DQSW270, RDPNTR0, RDPNTR1, RDPNTR2, WRPNTR0, WRPNTR1, WRPNTR2);
  assign BURSTDET = READ0 & ~PAUSE, DATAVALID = 0, DQSR90 = 0, DQSW = 0, DQSW270 = 0,
         {RDPNTR2, RDPNTR1, RDPNTR0, WRPNTR2, WRPNTR1, WRPNTR0} = 0;
endmodule

module ODDRX2DQA(input D0, D1, D2, D3, DQSW270, ECLK, RST, SCLK, output Q);
  assign Q = 0;
endmodule

module ODDRX2DQSB(input D0, D1, D2, D3, DQSW, ECLK, RST, SCLK, output Q);
  assign Q = 0;
endmodule

module IDDRX2DQA(
  input D, DQSR90, ECLK, RDPNTR0, RDPNTR1, RDPNTR2, RST, SCLK, WRPNTR0, WRPNTR1, WRPNTR2, output Q0, Q1, Q2, Q3);
  assign {Q3, Q2, Q1, Q0} = 0;
endmodule

module TSHX2DQA(input DQSW270, ECLK, RST, SCLK, T0, T1, output Q);
  assign Q = 1;
endmodule

module TSHX2DQSA(input DQSW, ECLK, RST, SCLK, T0, T1, output Q);
  assign Q = 1;
endmodule

module TRELLIS_IO #(parameter DIR = "") (inout B, input I, T, output O);
  assign O = 0;
endmodule
