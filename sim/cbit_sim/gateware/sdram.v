// An SDR SDRAM chip at its pins, with all that its data sheet demands: JEDEC JESD21-C, 3.11.5; Micron MT48LC16M16A2. Times are in
// cycles of its clock; by default those of a -75 chip at 133 MHz.
//
// What breaks a rule is noted in `errors`, a bit for each rule, and stays noted. Where the chip does not drive its data it shows
// junk. It knows bursts of one, as LiteDRAM wants them.

module sdram #(
  parameter ROW_BITS = 13, COLUMN_BITS = 9, BANK_BITS = 2, BYTES = 2, CAS_LATENCY = 2,
  parameter POWER_UP = 13300, RP = 3, RCD = 3, RAS = 6, RC = 9, RFC = 9, RRD = 2, WR = 2, MRD = 2, REFRESH = 1039,
  parameter POSTPONED = 2, REFRESHES = 2
)(
  input clk, cke, cs_n, ras_n, cas_n, we_n,
  input [ROW_BITS-1:0] a,
  input [BANK_BITS-1:0] ba,
  input [BYTES-1:0] dm,
  input [8*BYTES-1:0] dq_i, dq_driven,
  output [8*BYTES-1:0] dq_o,
  output reg [15:0] errors,
  output reg [31:0] refreshes
);
  localparam BANKS = 1 << BANK_BITS;
  localparam [15:0] JUNK = 16'hBAD0;
  localparam E_EARLY = 0, E_CKE = 1, E_MODE = 2, E_OPEN = 3, E_CLOSED = 4, E_RP = 5, E_RCD = 6, E_RAS = 7, E_RC = 8, E_RFC = 9,
             E_RRD = 10, E_WR = 11, E_MRD = 12, E_REFRESH = 13, E_CLASH = 14, E_COMMAND = 15;
  localparam signed [31:0] LONG = 32'sh10000000;

  reg [8*BYTES-1:0] memory [0:(1 << (ROW_BITS + BANK_BITS + COLUMN_BITS)) - 1] /*verilator public_flat_rw*/;

  reg [BANKS-1:0] open;
  reg [ROW_BITS-1:0] row [0:BANKS-1];
  // Cycles since, of each bank and of all.
  reg signed [31:0] activated [0:BANKS-1], precharged [0:BANKS-1], written [0:BANKS-1];
  reg signed [31:0] any_activated, refreshed, mode_set, powered;
  reg [7:0] first_refreshes;
  reg has_mode;
  reg [CAS_LATENCY-1:0] drives;
  reg [8*BYTES-1:0] fetched [0:CAS_LATENCY-1];
  reg [BYTES-1:0] masked [0:1];

  wire [2:0] command = {ras_n, cas_n, we_n};
  wire selected = ~cs_n;
  wire activates = selected & command == 3'b011;
  wire reads = selected & command == 3'b101;
  wire writes = selected & command == 3'b100;
  wire precharges = selected & command == 3'b010;
  wire refreshes_now = selected & command == 3'b001;
  wire sets_mode = selected & command == 3'b000;
  wire terminates = selected & command == 3'b110;
  wire [ROW_BITS+BANK_BITS+COLUMN_BITS-1:0] place = {row[ba], ba, a[COLUMN_BITS-1:0]};

  integer bank, lane;
  initial begin
    errors = 0;
    refreshes = 0;
    // Power leaves banks in any state, of which this is the worst.
    open = ~0;
    has_mode = 0;
    powered = 0;
    first_refreshes = 0;
    drives = 0;
    any_activated = LONG;
    refreshed = LONG;
    mode_set = LONG;
    for (bank = 0; bank < BANKS; bank = bank + 1) begin
      activated[bank] = LONG;
      precharged[bank] = LONG;
      written[bank] = LONG;
    end
  end

  always @(posedge clk) begin
    for (bank = 0; bank < BANKS; bank = bank + 1) begin
      activated[bank] <= activated[bank] + 1;
      precharged[bank] <= precharged[bank] + 1;
      written[bank] <= written[bank] + 1;
    end
    any_activated <= any_activated + 1;
    refreshed <= refreshed + 1;
    mode_set <= mode_set + 1;
    drives <= {drives, reads};
    fetched[0] <= memory[place];
    for (bank = 1; bank < CAS_LATENCY; bank = bank + 1) fetched[bank] <= fetched[bank-1];
    masked[0] <= dm;
    masked[1] <= masked[0];
    if (~cke) powered <= 0;
    else if (powered < POWER_UP) powered <= powered + 1;

    if (selected & command != 3'b111) begin
      if (powered < POWER_UP) errors[E_EARLY] <= 1;
      if (~cke) errors[E_CKE] <= 1;
      if (refreshed < RFC - 1) errors[E_RFC] <= 1;
      if (mode_set < MRD - 1) errors[E_MRD] <= 1;
      if (terminates) errors[E_COMMAND] <= 1;
    end
    if (|dq_driven & drives[CAS_LATENCY-1]) errors[E_CLASH] <= 1;
    if (has_mode & refreshed > POSTPONED * REFRESH) errors[E_REFRESH] <= 1;

    if (activates) begin
      if (~has_mode) errors[E_MODE] <= 1;
      if (open[ba]) errors[E_OPEN] <= 1;
      if (precharged[ba] < RP - 1) errors[E_RP] <= 1;
      if (activated[ba] < RC - 1) errors[E_RC] <= 1;
      if (any_activated < RRD - 1) errors[E_RRD] <= 1;
      open[ba] <= 1;
      row[ba] <= a;
      activated[ba] <= 0;
      any_activated <= 0;
    end
    if (reads | writes) begin
      if (~open[ba]) errors[E_CLOSED] <= 1;
      if (activated[ba] < RCD - 1) errors[E_RCD] <= 1;
      if (a[10]) begin
        // It precharges by itself, as soon as it may.
        open[ba] <= 0;
        precharged[ba] <= activated[ba] + 1 - RAS < (writes ? -WR : 0) ? activated[ba] + 1 - RAS : (writes ? -WR : 0);
      end
    end
    if (writes) begin
      if (&dq_driven == 0) errors[E_CLASH] <= 1;
      for (lane = 0; lane < BYTES; lane = lane + 1)
        if (~dm[lane]) memory[place][8*lane +: 8] <= dq_i[8*lane +: 8];
      written[ba] <= 0;
    end
    if (precharges)
      for (bank = 0; bank < BANKS; bank = bank + 1)
        if (a[10] | ba == bank) begin
          if (open[bank] & activated[bank] < RAS - 1) errors[E_RAS] <= 1;
          if (open[bank] & written[bank] < WR - 1) errors[E_WR] <= 1;
          open[bank] <= 0;
          if (open[bank]) precharged[bank] <= 0;
        end
    if (refreshes_now | sets_mode) begin
      if (|open) errors[E_OPEN] <= 1;
      for (bank = 0; bank < BANKS; bank = bank + 1) if (precharged[bank] < RP - 1) errors[E_RP] <= 1;
    end
    if (refreshes_now) begin
      refreshes <= refreshes + 1;
      refreshed <= 0;
      if (~&first_refreshes) first_refreshes <= first_refreshes + 1;
    end
    if (sets_mode) begin
      if (first_refreshes < REFRESHES | a != CAS_LATENCY << 4 | ba != 0) errors[E_MODE] <= 1;
      has_mode <= 1;
      mode_set <= 0;
    end
  end

  // The mask of a read is two cycles early.
  genvar byte_;
  generate for (byte_ = 0; byte_ < BYTES; byte_ = byte_ + 1) begin : lanes
    assign dq_o[8*byte_ +: 8] = drives[CAS_LATENCY-1] & ~masked[1][byte_] ? fetched[CAS_LATENCY-1][8*byte_ +: 8] : JUNK[8 * (byte_ % 2) +: 8];
  end endgenerate
endmodule
