"""Mutants that are sampled: the same for a seed, of lines that exist, and none of them the netlist itself."""

import re
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

import cbit
from cbit.stream.bounded_queue import BoundedQueue
from cbit_cli.mutation.equivalence import equivalent_within
from cbit_cli.mutation.operators import OTHER, with_alternatives
from cbit_cli.mutation.sample import Mutant, Sample, sample
from cbit_cli.netlist import cells, made_cells
from cbit_fpga.store import Store

SOURCES = Path(cbit.__file__).parent


class Counter(Component):
    """Counts 0, 1, 2, 0 and so on while it is told to; ``last`` is 1 with the last of them."""

    go: In(1)
    count: Out(2)
    last: Out(1)

    def elaborate(self, _platform):
        m = Module()
        m.d.comb += self.last.eq(self.count >= 2)
        with m.If(self.go):
            m.d.sync += self.count.eq(Mux(self.last, 0, self.count + 1))
        return m


@pytest.fixture(scope="module")
def queue():
    return made_cells(rtlil.convert(BoundedQueue(shape=8, depth=5), name="cbit"))


@pytest.fixture(scope="module")
def counter():
    return made_cells(rtlil.convert(Counter(), name="cbit"))


def sole(netlist, kind):
    (cell,) = (cell for cell in cells(netlist) if cell.kind == kind)
    return cell


def mutant(cell, port, bit, mode):
    return Mutant(kind="bit", change="", module=cell.module, sources=cell.sources, is_aes=False,
                  command=f"-mode {mode} -module {cell.module} -cell {cell.name} -port {port} -portbit {bit}")


def test_a_seed_gives_the_same_mutants_and_another_gives_others(queue):
    first, again, other = (sample(queue, bits=10, operators=3, aes=0, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.mutants != other.mutants
    assert [mutant.kind for mutant in first.mutants].count("operator") == 3
    assert len(first.mutants) == len({mutant.command for mutant in first.mutants}) == 13


def test_mutants_name_lines_of_the_gateware(queue):
    named = [source for mutant in sample(queue, bits=10, operators=3, aes=0, seed=1).mutants
             for source in mutant.sources]
    assert named
    for source in named:
        name, line = re.fullmatch(r"(.*\.py):(\d+)", source).groups()
        if not name.startswith("amaranth/"):
            assert int(line) <= len((SOURCES / name).read_text().splitlines())


def test_no_mutant_is_a_constant_that_is_so_already_or_a_clock(counter):
    by_name = {(cell.module, cell.name): cell for cell in cells(counter)}
    # As many as there are.
    for mutant in sample(counter, bits=1000, operators=0, aes=0, seed=1).mutants:
        words = mutant.command.split()
        options = dict(zip(words[::2], words[1::2], strict=True))
        signal = by_name[options["-module"], options["-cell"]].ports[options["-port"]]
        assert signal != "\\clk"
        constant = re.fullmatch(r"\d+'([01]+)", signal)
        if constant:
            assert mutant.kind == "constant"
            assert options["-mode"] != f"const{constant[1][-1 - int(options['-portbit'])]}"


def test_other_operators_beside_their_own_change_nothing_until_they_are_chosen(counter, tmp_path):
    operators = [cell for cell in cells(counter) if cell.kind in OTHER]
    assert {cell.kind for cell in operators} == {"$ge", "$add"}
    both = Sample(with_alternatives(counter, operators), [])
    for cell in operators:
        # As the proof compares the netlist with one whose multiplexers stay as they are, and with one of the other.
        words = f"-module cbit -cell chosen_{cell.name} -port S -portbit 0"
        same, other = (Mutant(kind="operator", change="", module="cbit", sources=(), is_aes=False,
                              command=f"-mode {mode} {words}") for mode in ("const0", "inv"))
        assert equivalent_within(both, same, Store(tmp_path)) == "cbit"
        assert equivalent_within(both, other, Store(tmp_path)) is None
    with_neither = {cell.name: cell.kind for cell in cells(counter)}
    assert {name: kind for name, kind in with_neither.items() if kind in OTHER}.items() <= {
        cell.name: cell.kind for cell in cells(both.netlist)}.items()


def test_a_mutant_that_nothing_can_tell_is_proven_equivalent(counter, tmp_path):
    """The count is never 3, so its lower bit does not matter where the upper one is 1."""
    compared = sole(counter, "$ge")
    for port, bit, mode, module in (("A", 0, "const0", "cbit"), ("A", 1, "const0", None), ("A", 0, "inv", "cbit"),
                                    ("B", 0, "const1", None)):
        found = equivalent_within(Sample(counter, []), mutant(compared, port, bit, mode), Store(tmp_path))
        assert found == module, (port, bit, mode)


class Deaf(Component):
    """Counts, and does nothing with what tells the last count."""

    count: Out(2)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.counter = counter = Counter()
        m.d.sync += Signal().eq(counter.last)
        m.d.comb += [counter.go.eq(1), self.count.eq(counter.count)]
        return m


def test_a_mutant_whose_effect_nobody_reads_is_proven_equivalent(tmp_path):
    netlist = made_cells(rtlil.convert(Deaf(), name="cbit"))
    (inside,) = (cell for cell in cells(netlist) if cell.name == "counter")
    for port, found in (("last", "cbit"), ("count", None)):
        assert equivalent_within(Sample(netlist, []), mutant(inside, port, 0, "inv"), Store(tmp_path)) == found
    # Within the counter itself it is one.
    compared = sole(netlist, "$ge")
    assert equivalent_within(Sample(netlist, []), mutant(compared, "Y", 0, "inv"), Store(tmp_path)) is None
