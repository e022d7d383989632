"""What is said, and taken, of registers and memories in Verilog as Yosys writes it."""

import pytest

from cbit_sim.power_on import Register, arguments, registers, without_initial_values

TEXT = """(* top = 1 *)
module bench(clk);
  reg rst_held = 0;
endmodule
module \\cbit.part (clk, rst);
  reg \\$auto$verilog_backend.cc:2355:dump_module$1  = 0;
  reg \\$1 ;
  reg [2:0] \\fsm_state$2  = 3'h1;
  reg payload = 1'h0;
  reg [3:0] words [1:0];
  initial begin
    words[0] = 4'h0;
    words[1] = 4'h0;
  end
  always @(posedge clk) begin
    if (\\en$3 )
      words[\\at$4 ] <= payload;
  end
  reg [7:0] \\table$5  [1:0];
  initial begin
    \\table$5 [0] = 8'h63;
    \\table$5 [1] = 8'h7c;
  end
  (* src = "part.py:7" *)
  always @(posedge clk)
    \\fsm_state$2  <= \\$1 ;
  always @(posedge clk)
    if (\\en$3 )
      payload <= \\$6 ;
  always @* begin
    if (rst) begin
      \\$1  = 3'h1;
    end
  end
endmodule
"""


def test_registers_and_written_memories_lose_their_values_and_tables_keep_them():
    text = without_initial_values(TEXT)
    assert "  reg [2:0] \\fsm_state$2 ;\n  reg payload ;\n  reg [3:0] words [1:0];\n  always" in text
    for kept in ("rst_held = 0;", "dump_module$1  = 0;", "\\table$5 [1] = 8'h7c;"):
        assert kept in text
    assert text.count("initial") == 1
    assert without_initial_values(text) == text


def test_registers_are_told_with_what_resets_them():
    assert list(registers(TEXT)) == [
        Register("\\cbit.part", "\\fsm_state$2", is_reset=True), Register("\\cbit.part", "payload", is_reset=False)]


@pytest.mark.parametrize(("seed", "number"), [(0, 1), (6, 7), ((1 << 31) - 2, (1 << 31) - 1), ((1 << 31) - 1, 1)])
def test_every_seed_is_one_of_verilators(seed, number):
    assert arguments("random", seed) == ["+verilator+rand+reset+2", f"+verilator+seed+{number}"]
    assert arguments("zero", seed) == []
