// In the place of an inverter of a ring oscillator: the bits of a shift register with linear feedback, x^31 + x^28 + 1.

module cbit_ring_model(input clk, output o);
  parameter [30:0] START = 31'h1;

  reg [30:0] state = START;

  always @(posedge clk) state <= {state[29:0], state[30] ^ state[27]};

  assign o = state[30];
endmodule
