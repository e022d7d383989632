// What LiteDRAM's controller of DDR3 is made of beside logic, as models without any timing but that of clocks, and a burst
// of a chip. A cycle of the clock that comes in is a beat: half of one of the chip's clock, a quarter of the controller's.

module EHXPLLL #(
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOS_DIV = 1, CLKOS2_DIV = 1, CLKOP_CPHASE = 0, CLKOS_CPHASE = 0,
  CLKOS2_CPHASE = 0, CLKOP_FPHASE = 0, CLKOS_FPHASE = 0, CLKOS2_FPHASE = 0, CLKOP_ENABLE = "", CLKOS_ENABLE = "",
  CLKOS2_ENABLE = "", FEEDBK_PATH = ""
) (input CLKI, RST, STDBY, output reg CLKOP, output CLKOS, CLKOS2, LOCK);
  initial CLKOP = 0;
  always @(posedge CLKI) CLKOP <= ~CLKOP;
  assign CLKOS = CLKOP, CLKOS2 = CLKOP, LOCK = ~RST;
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

module DELAYG #(parameter DEL_VALUE = 0, DEL_MODE = "") (input A, output Z);
  assign Z = A;
endmodule

// Four beats in a cycle.
module ODDRX2F(input D0, D1, D2, D3, ECLK, RST, SCLK, output Q);
  assign Q = SCLK ? (ECLK ? D0 : D1) : (ECLK ? D2 : D3);
endmodule

module ODDRX2DQA(input D0, D1, D2, D3, DQSW270, ECLK, RST, SCLK, output Q);
  assign Q = SCLK ? (ECLK ? D0 : D1) : (ECLK ? D2 : D3);
endmodule

module ODDRX2DQSB(input D0, D1, D2, D3, DQSW, ECLK, RST, SCLK, output Q);
  assign Q = SCLK ? (ECLK ? D0 : D1) : (ECLK ? D2 : D3);
endmodule

module TSHX2DQA(input DQSW270, ECLK, RST, SCLK, T0, T1, output Q);
  assign Q = SCLK ? T0 : T1;
endmodule

module TSHX2DQSA(input DQSW, ECLK, RST, SCLK, T0, T1, output Q);
  assign Q = SCLK ? T0 : T1;
endmodule

// It tells the lane's inputs its delay by what should be pointers.
module DQSBUFM #(parameter DQS_LI_DEL_ADJ = "", DQS_LI_DEL_VAL = 0, DQS_LO_DEL_ADJ = "", DQS_LO_DEL_VAL = 0) (
  input DDRDEL, DQSI, ECLK, PAUSE, RDDIRECTION, RDLOADN, RDMOVE, READ0, READ1, READCLKSEL0, READCLKSEL1, READCLKSEL2,
  RST, SCLK, WRDIRECTION, WRLOADN, WRMOVE,
  output BURSTDET, DATAVALID, DQSR90, DQSW, DQSW270, RDPNTR0, RDPNTR1, RDPNTR2, WRPNTR0, WRPNTR1, WRPNTR2);
  assign BURSTDET = READ0 & ~PAUSE, DATAVALID = 0, DQSR90 = 0, DQSW = 0, DQSW270 = 0,
         {RDPNTR2, RDPNTR1, RDPNTR0} = {READCLKSEL2, READCLKSEL1, READCLKSEL0}, {WRPNTR2, WRPNTR1, WRPNTR0} = 0;
endmodule

// The beats of a while ago: the later the fewer steps of delay there are, of which two are a beat.
module IDDRX2DQA(
  input D, DQSR90, ECLK, RDPNTR0, RDPNTR1, RDPNTR2, RST, SCLK, WRPNTR0, WRPNTR1, WRPNTR2, output reg Q0, Q1, Q2, Q3);
  reg [63:0] beats;
  wire [5:0] last = `DDR3_LATENESS - {RDPNTR2, RDPNTR1};
  always @(posedge litedram_core.clk) beats <= {beats[62:0], D};
  always @(posedge SCLK) {Q0, Q1, Q2, Q3} <= beats[last +: 4];
endmodule

// A pin, and behind it the chip's one: it keeps the beats that were driven last, and gives them back after a read.
module TRELLIS_IO #(parameter DIR = "") (inout B, input I, T, output O);
  reg [7:0] kept;
  reg [2:0] driven;
  reg [5:0] age;
  reg was_read;
  wire is_read = ~litedram_core.ddram_cs_n & litedram_core.ddram_ras_n & ~litedram_core.ddram_cas_n
                 & litedram_core.ddram_we_n;
  wire [5:0] beat = age - `DDR3_CAS_LATENCY_BEATS;
  always @(posedge litedram_core.clk) begin
    driven <= T ? 0 : driven + 1;
    if (~T) kept[driven] <= I;
    was_read <= is_read;
    age <= is_read & ~was_read ? 1 : &age ? age : age + 1;
  end
  assign O = beat < 8 ? kept[beat[2:0]] : age[0];
endmodule
