"""All mutants of a sample in one Verilog text, of which a simulation chooses one."""

import re
import tempfile
from pathlib import Path

from cbit_cli.mutation.sample import Sample
from cbit_fpga.yosys import run_yosys
from cbit_sim.netlist import top_module

__all__ = ["LIMIT", "MUTANT", "mutants_verilog"]

MUTANT = "mutant"
"""The plusarg that chooses a mutant of a sample, counted from 1; 0 or nothing means none of them."""

LIMIT = "limit_cycles"
"""The plusarg with the number of cycles after which the simulation ends; 0 or nothing means never."""

_WIDTH = 16
_SELECT = f"  wire [{_WIDTH - 1}:0] {MUTANT};\n"
_SELECTED = f"""\
  reg [{_WIDTH - 1}:0] {MUTANT};
  reg [31:0] {LIMIT};
  reg [31:0] cycles_passed;
  initial begin
    cycles_passed = 0;
    if (!$value$plusargs("{MUTANT}=%d", {MUTANT})) {MUTANT} = 0;
    if (!$value$plusargs("{LIMIT}=%d", {LIMIT})) {LIMIT} = 0;
  end
  always @(posedge clk) begin
    cycles_passed <= cycles_passed + 1;
    if ({LIMIT} != 0 && cycles_passed == {LIMIT}) $finish;
  end
"""


def mutants_verilog(sample: Sample) -> str:
    """Verilog of the sample's netlist, with :data:`MUTANT` and :data:`LIMIT`."""
    commands = [f"mutate -ctrl {MUTANT} {_WIDTH} {number} {mutant.command}"
                for number, mutant in enumerate(sample.mutants, 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(sample.netlist, encoding="utf-8")
        run_yosys("\n".join(["read_rtlil netlist.il", *commands, f"delete -port A:top/{MUTANT}",
                             "write_verilog -norename mutants.v"]), folder)
        text = (folder / "mutants.v").read_text(encoding="utf-8")
    body = rf"^(module {top_module(text)}\(.*?^endmodule)"
    before, top, after = re.split(body, text, maxsplit=1, flags=re.DOTALL | re.MULTILINE)
    assert top.count(_SELECT) == 1
    # A mutant that makes a loop is no reason to refuse the others.
    return "".join(["/* verilator lint_off UNOPTFLAT */\n", before, top.replace(_SELECT, _SELECTED), after])
