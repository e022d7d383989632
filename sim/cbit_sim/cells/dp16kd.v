// Lattice ECP5's block RAM, as its logic behaves: 1024 words of 18 bits behind two ports of 1 to 18 bits, or one that writes and
// one that reads 36. Lattice FPGA-TN-02204, "ECP5 and ECP5-5G Memory User Guide".
//
// What one port reads while the other writes it is undefined in the device; here it is the inverse of what was there, so that
// no design passes that relies on it. Resets are synchronous.

module DP16KD(
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
  input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
  output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
);
  parameter DATA_WIDTH_A = 18;
  parameter REGMODE_A = "NOREG";
  parameter WRITEMODE_A = "NORMAL";
  parameter CSDECODE_A = "0b000";
  parameter CLKAMUX = "CLKA";
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_B = "NOREG";
  parameter WRITEMODE_B = "NORMAL";
  parameter CSDECODE_B = "0b000";
  parameter CLKBMUX = "CLKB";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter GSR = "ENABLED";
  parameter WID = 0;
  parameter INIT_DATA = "STATIC";
  parameter [319:0] INITVAL_00 = 320'h0;
  parameter [319:0] INITVAL_01 = 320'h0;
  parameter [319:0] INITVAL_02 = 320'h0;
  parameter [319:0] INITVAL_03 = 320'h0;
  parameter [319:0] INITVAL_04 = 320'h0;
  parameter [319:0] INITVAL_05 = 320'h0;
  parameter [319:0] INITVAL_06 = 320'h0;
  parameter [319:0] INITVAL_07 = 320'h0;
  parameter [319:0] INITVAL_08 = 320'h0;
  parameter [319:0] INITVAL_09 = 320'h0;
  parameter [319:0] INITVAL_0A = 320'h0;
  parameter [319:0] INITVAL_0B = 320'h0;
  parameter [319:0] INITVAL_0C = 320'h0;
  parameter [319:0] INITVAL_0D = 320'h0;
  parameter [319:0] INITVAL_0E = 320'h0;
  parameter [319:0] INITVAL_0F = 320'h0;
  parameter [319:0] INITVAL_10 = 320'h0;
  parameter [319:0] INITVAL_11 = 320'h0;
  parameter [319:0] INITVAL_12 = 320'h0;
  parameter [319:0] INITVAL_13 = 320'h0;
  parameter [319:0] INITVAL_14 = 320'h0;
  parameter [319:0] INITVAL_15 = 320'h0;
  parameter [319:0] INITVAL_16 = 320'h0;
  parameter [319:0] INITVAL_17 = 320'h0;
  parameter [319:0] INITVAL_18 = 320'h0;
  parameter [319:0] INITVAL_19 = 320'h0;
  parameter [319:0] INITVAL_1A = 320'h0;
  parameter [319:0] INITVAL_1B = 320'h0;
  parameter [319:0] INITVAL_1C = 320'h0;
  parameter [319:0] INITVAL_1D = 320'h0;
  parameter [319:0] INITVAL_1E = 320'h0;
  parameter [319:0] INITVAL_1F = 320'h0;
  parameter [319:0] INITVAL_20 = 320'h0;
  parameter [319:0] INITVAL_21 = 320'h0;
  parameter [319:0] INITVAL_22 = 320'h0;
  parameter [319:0] INITVAL_23 = 320'h0;
  parameter [319:0] INITVAL_24 = 320'h0;
  parameter [319:0] INITVAL_25 = 320'h0;
  parameter [319:0] INITVAL_26 = 320'h0;
  parameter [319:0] INITVAL_27 = 320'h0;
  parameter [319:0] INITVAL_28 = 320'h0;
  parameter [319:0] INITVAL_29 = 320'h0;
  parameter [319:0] INITVAL_2A = 320'h0;
  parameter [319:0] INITVAL_2B = 320'h0;
  parameter [319:0] INITVAL_2C = 320'h0;
  parameter [319:0] INITVAL_2D = 320'h0;
  parameter [319:0] INITVAL_2E = 320'h0;
  parameter [319:0] INITVAL_2F = 320'h0;
  parameter [319:0] INITVAL_30 = 320'h0;
  parameter [319:0] INITVAL_31 = 320'h0;
  parameter [319:0] INITVAL_32 = 320'h0;
  parameter [319:0] INITVAL_33 = 320'h0;
  parameter [319:0] INITVAL_34 = 320'h0;
  parameter [319:0] INITVAL_35 = 320'h0;
  parameter [319:0] INITVAL_36 = 320'h0;
  parameter [319:0] INITVAL_37 = 320'h0;
  parameter [319:0] INITVAL_38 = 320'h0;
  parameter [319:0] INITVAL_39 = 320'h0;
  parameter [319:0] INITVAL_3A = 320'h0;
  parameter [319:0] INITVAL_3B = 320'h0;
  parameter [319:0] INITVAL_3C = 320'h0;
  parameter [319:0] INITVAL_3D = 320'h0;
  parameter [319:0] INITVAL_3E = 320'h0;
  parameter [319:0] INITVAL_3F = 320'h0;

  localparam [20479:0] CONTENT = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};

  reg [35:0] memory [0:511];

  integer row;
  initial
    for (row = 0; row < 512; row = row + 1)
      memory[row] = {CONTENT[40 * row + 20 +: 18], CONTENT[40 * row +: 18]};

  // The first bit of a port's word in its row of 36 bits. Words of 1, 2 and 4 bits leave every ninth bit unused.
  function [5:0] first(input integer width, input [13:0] address);
    case (width)
      36: first = 0;
      18: first = address[4] * 18;
      9: first = address[4:3] * 9;
      4: first = address[4:3] * 9 + address[2] * 4;
      2: first = address[4:3] * 9 + address[2:1] * 2;
      default: first = address[4:3] * 9 + address[2:0];
    endcase
  endfunction

  // Words of 18 and 36 bits have byte enables in the lowest bits of their address.
  function [35:0] written(input integer width, input [13:0] address);
    case (width)
      36: written = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
      18: written = {18'b0, {9{address[1]}}, {9{address[0]}}} << first(width, address);
      default: written = ((36'b1 << width) - 36'b1) << first(width, address);
    endcase
  endfunction

  wire [13:0] address_A = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [17:0] data_A = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
    DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire clock_A = CLKAMUX == "INV" ? ~CLKA : CLKA;
  wire enabled_A = CEA & ~(CSA0 | CSA1 | CSA2);
  wire writing_A = enabled_A & WEA & ~RSTA;
  wire [8:0] row_A = address_A[13:5];
  wire [5:0] first_A = first(DATA_WIDTH_A, address_A);
  wire [35:0] mask_A = writing_A ? written(DATA_WIDTH_A, address_A) : 36'b0;
  wire [35:0] new_A = DATA_WIDTH_A == 36 ? {data_B, data_A} : {18'b0, data_A} << first_A;
  wire [13:0] address_B = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] data_B = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
    DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire clock_B = CLKBMUX == "INV" ? ~CLKB : CLKB;
  wire enabled_B = CEB & ~(CSB0 | CSB1 | CSB2);
  wire writing_B = enabled_B & WEB & ~RSTB;
  wire [8:0] row_B = address_B[13:5];
  wire [5:0] first_B = first(DATA_WIDTH_B, address_B);
  wire [35:0] mask_B = writing_B ? written(DATA_WIDTH_B, address_B) : 36'b0;
  wire [35:0] new_B = DATA_WIDTH_B == 36 ? {data_B, data_A} : {18'b0, data_B} << first_B;

  wire [35:0] stored_A = memory[row_A] ^ (row_A == row_B ? mask_B : 36'b0);
  integer bit_A;
  reg [35:0] latch_A = 0;
  reg [35:0] register_A = 0;
  always @(posedge clock_A) begin
    if (writing_A)
      for (bit_A = 0; bit_A < 36; bit_A = bit_A + 1)
        if (mask_A[bit_A])
          memory[row_A][bit_A] <= new_A[bit_A];
    if (RSTA)
      latch_A <= 0;
    else if (enabled_A && (!WEA || WRITEMODE_A == "READBEFOREWRITE"))
      latch_A <= stored_A >> first_A;
    else if (enabled_A && WRITEMODE_A == "WRITETHROUGH")
      latch_A <= (stored_A & ~mask_A | new_A & mask_A) >> first_A;
    if (RSTA)
      register_A <= 0;
    else if (OCEA)
      register_A <= latch_A;
  end
  wire [35:0] out_A = REGMODE_A == "OUTREG" ? register_A : latch_A;

  wire [35:0] stored_B = memory[row_B] ^ (row_B == row_A ? mask_A : 36'b0);
  integer bit_B;
  reg [35:0] latch_B = 0;
  reg [35:0] register_B = 0;
  always @(posedge clock_B) begin
    if (writing_B)
      for (bit_B = 0; bit_B < 36; bit_B = bit_B + 1)
        if (mask_B[bit_B])
          memory[row_B][bit_B] <= new_B[bit_B];
    if (RSTB)
      latch_B <= 0;
    else if (enabled_B && (!WEB || WRITEMODE_B == "READBEFOREWRITE"))
      latch_B <= stored_B >> first_B;
    else if (enabled_B && WRITEMODE_B == "WRITETHROUGH")
      latch_B <= (stored_B & ~mask_B | new_B & mask_B) >> first_B;
    if (RSTB)
      register_B <= 0;
    else if (OCEB)
      register_B <= latch_B;
  end
  wire [35:0] out_B = REGMODE_B == "OUTREG" ? register_B : latch_B;

  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
    DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_B[35:18] : out_B[17:0];
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
    DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_B[17:0] : out_A[17:0];
endmodule
