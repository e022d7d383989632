"""Proofs about gateware: Amaranth asserts, decided by yosys and abc.

A specification is a component that holds the design and its ``Assert`` and ``Assume`` statements; its
ports, the reset included, are free in every cycle. A cover is the same the other way around: a
specification that asserts the event away, and must be disproved.
"""

import enum
import subprocess
import sys
import tempfile
from pathlib import Path

import pyosys
from amaranth.back import rtlil
from amaranth.lib.wiring import Component

__all__ = ["DisprovedError", "Engine", "UndecidedError", "prove", "prove_netlist"]

PREPARE = """
read_rtlil spec.il
hierarchy -check -top top
proc
flatten
memory
chformal -lower
async2sync
dffunmap
opt_clean
"""
INDUCTION = "sat -verify -prove-asserts -set-assumes -tempinduct -maxsteps {steps} top\n"
AIGER = "setundef -undriven -anyseq\ntechmap\nopt -full -nodffe -nosdff\naigmap\nwrite_aiger -zinit spec.aig\n"
READ = "read_aiger spec.aig; fold; strash; "
COMBINATIONAL = READ + "iprove"
MERGE = READ + "orpos; scorr -F {steps}; write_aiger merged.aig"
REACHABILITY = "read_aiger merged.aig; strash; pdr -T {seconds}"
NO_REGISTERS_LEFT = "read_aiger merged.aig; strash; iprove"
EQUIVALENCE = "read_aiger spec.aig; strash; dprove"
RUN_YOSYS = "from pyosys import libyosys; libyosys.run_pass('script spec.ys')"


class Engine(enum.Enum):
    """How a proof is found. Each holds for any number of cycles.

    ``COMBINATIONAL``
        Rewriting and SAT sweeping, for a specification without registers; the only one for wide XORs.
    ``EQUIVALENCE``
        Correspondence of signals, by induction: for a circuit beside one that is almost the same.
    ``INDUCTION``
        Temporal induction by SAT: for functions and short pipelines; a control proof may need invariants.
    ``REACHABILITY``
        Property-directed reachability: finds invariants itself; for control.
    ``CORRESPONDENCE``
        Signals that are always equal, found and proven by induction over all of them at once, are made one; what is
        left goes to reachability: for two copies of a design. Each assert is itself such a pair: it helps the others.
    """

    COMBINATIONAL = "combinational"
    EQUIVALENCE = "equivalence"
    INDUCTION = "induction"
    REACHABILITY = "reachability"
    CORRESPONDENCE = "correspondence"


class DisprovedError(Exception):
    """An assert fails; the text is the log of the counterexample."""


class UndecidedError(Exception):
    """Neither proven nor disproved, or the tools failed; the text is their log."""


def prove(spec: Component, *, engine: Engine = Engine.INDUCTION, steps: int = 20, seconds: int = 240) -> None:
    """Returns if every assert of ``spec`` holds in every cycle from power-on, for all inputs.

    ``steps`` bounds the length of the induction, or for correspondence is its length; ``seconds`` bounds the search for
    reachable states, or for equivalence that for equal signals.

    Raises
    ------
    DisprovedError
        If there is a counterexample.
    UndecidedError
        If the engine came to no end, or the specification cannot be read.
    """
    prove_netlist(rtlil.convert(spec), engine=engine, steps=steps, seconds=seconds)


def prove_netlist(text: str, *, engine: Engine, steps: int = 20, seconds: int = 60) -> None:
    """The same as :func:`prove` for a specification that is RTLIL, its top module ``top``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spec.il").write_text(text)
        match engine:
            case Engine.COMBINATIONAL:
                log = _abc(folder, COMBINATIONAL)
                proven, disproved = "\nUNSATISFIABLE", "\nSATISFIABLE"
            case Engine.EQUIVALENCE:
                log = _abc(folder, EQUIVALENCE, seconds)
                # Without registers it goes on as COMBINATIONAL does.
                proven = "\nUNSATISFIABLE" if "has no latches" in log else "Networks are equivalent."
                disproved = "was asserted in frame"
            case Engine.INDUCTION:
                log = _yosys(folder, PREPARE + INDUCTION.format(steps=steps))
                proven, disproved = "Induction step proven: SUCCESS!", "model found for base case: FAIL!"
            case Engine.REACHABILITY | Engine.CORRESPONDENCE:
                log = _abc(folder, MERGE.format(steps=1 if engine is Engine.REACHABILITY else steps))
                if _has_registers(folder / "merged.aig"):
                    log += _run_abc(folder, REACHABILITY.format(seconds=seconds))
                    proven, disproved = "Property proved.", "was asserted in frame"
                else:
                    log += _run_abc(folder, NO_REGISTERS_LEFT)
                    proven, disproved = "\nUNSATISFIABLE", "\nSATISFIABLE"
    if disproved in log:
        raise DisprovedError(log)
    if proven not in log:
        raise UndecidedError(log)


def _yosys(folder: Path, script: str) -> str:
    # In a process of its own, which a failed proof ends.
    (folder / "spec.ys").write_text(script)
    return _run(folder, [sys.executable, "-c", RUN_YOSYS])


def _abc(folder: Path, commands: str, limit_seconds: int | None = None) -> str:
    return _yosys(folder, PREPARE + AIGER) + _run_abc(folder, commands, limit_seconds)


def _run_abc(folder: Path, commands: str, limit_seconds: int | None = None) -> str:
    program = Path(pyosys.__file__).parent / "yosys-abc"
    return _run(folder, [str(program), "-c", commands], limit_seconds)


def _has_registers(aiger: Path) -> bool:
    """Whether a netlist is there and has registers: its first line is ``aig``, the highest index, inputs, registers."""
    if not aiger.exists():
        return False
    with aiger.open("rb") as file:
        return int(file.readline().split()[3]) > 0


def _run(folder: Path, command: list[str], limit_seconds: int | None = None) -> str:
    try:
        run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             check=False, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {limit_seconds} seconds"
    return run.stdout
