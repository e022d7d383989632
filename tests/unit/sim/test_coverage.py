"""Functional coverage: how accesses are told apart, what can not be, what meets what."""

import types

import pytest

from cbit_model.access import Burst, Decision, Violation
from cbit_model.memory import ALL_LANES, Memory
from cbit_sim.beats import Address, WriteData
from cbit_sim.coverage.countable import countable
from cbit_sim.coverage.crosses import CROSSES, cross_bins
from cbit_sim.coverage.meetings import EVENTS, Access, aliases, events_of_command, meeting, overtakings
from cbit_sim.coverage.observer import Observer
from cbit_sim.coverage.rules import RULES, impossible
from cbit_sim.coverage.shape import blocks_of, decision_name, kind_of, shape_of
from cbit_sim.manager import Transaction

C_BIT = 31
CONFIG = {"addr_width": 32, "c_bit": C_BIT, "asid_count": 4, "max_outstanding": 4}
UNUSUAL = CONFIG | {"addr_width": 34, "asid_count": 6}
PLAIN, OWN, DENIED = Decision(), Decision(slot=1), Decision(violation=Violation.SME_OFF)


def write(start, strobes, *, size=4, burst=Burst.INCR, identifier=0, c_bit=True):
    return Transaction(Address(identifier, start | c_bit << C_BIT, len(strobes) - 1, size, burst),
                       [WriteData(0, strobe, 0) for strobe in strobes])


def read(start, *, length=1, identifier=0, c_bit=True):
    return Transaction(Address(identifier, start | c_bit << C_BIT, length - 1))


@pytest.mark.parametrize(("strobes", "size", "name"), [
    ([ALL_LANES] * 2, 4, "whole"), ([0, 0], 4, "empty"), ([0, 1 << 5], 4, "one byte"),
    ([ALL_LANES, 0], 4, "beats left out"), ([0x0FF0, ALL_LANES], 4, "part"), ([0x0FF0, 0x0101], 4, "holes"),
    ([1], 0, "whole"), ([1, 0], 0, "one byte"), ([0x3, 0xC], 1, "whole"), ([0x3, 0x4], 1, "part")])
def test_strobes(strobes, size, name):
    assert shape_of(write(0, strobes, size=size), OWN).strobe == name


@pytest.mark.parametrize(("start", "alignment"), [(0x40, "line"), (0x50, "block"), (0x54, "beat"), (0x51, "none")])
def test_alignments(start, alignment):
    assert shape_of(write(start, [0], size=2), OWN).alignment == alignment


def test_bursts_that_axi4_does_not_know_have_a_shape():
    assert shape_of(write(0, [ALL_LANES], burst=Burst.RESERVED), DENIED).burst == "RESERVED"
    assert shape_of(write(0, [ALL_LANES], size=6), DENIED).size == "wider"


def test_decisions_have_names():
    assert [decision_name(decision) for decision in (PLAIN, Decision(slot=0), OWN, DENIED)] == [
        "plain", "host key", "own key", "denied: sme off"]


def test_narrow_beats_make_a_block_together():
    whole = write(0x20, [0x00FF, 0xFF00], size=3)
    assert blocks_of(whole, C_BIT) == ({0x20}, set())
    partly = write(0x20, [0x00FF, 0x7F00], size=3)
    assert blocks_of(partly, C_BIT) == ({0x20}, {0x20})
    kinds = [kind_of(one, decision, blocks_of(one, C_BIT)) for one, decision in (
        (whole, OWN), (partly, OWN), (partly, PLAIN), (partly, DENIED), (read(0), OWN))]
    assert kinds == ["line write", "partial write", "plain write", "denied write", "encrypted read"]


@pytest.mark.parametrize("cross", CROSSES)
@pytest.mark.parametrize("config", [CONFIG, UNUSUAL])
def test_rules_leave_most_bins_and_each_has_its_own(cross, config):
    bins = cross_bins(cross)
    left_out = impossible(cross, bins, config)
    assert len(left_out) < len(bins)
    if config is CONFIG:
        assert {reason for reason in left_out.values()} == {rule.reason for rule in RULES if rule.cross == cross}


def in_flight(transaction, kind="line write", slot=1):
    return Access.of(transaction, kind, slot, blocks_of(transaction, C_BIT), c_bit=C_BIT)


@pytest.mark.parametrize(("start", "identifier", "place", "identity"), [
    (0x40, 0, "same block", "same ID"), (0x50, 1, "same line", "other ID"), (0x80, 1, "elsewhere", "other ID")])
def test_meetings(start, identifier, place, identity):
    older = in_flight(write(0x40, [1]), "partial write")
    younger = in_flight(read(start, identifier=identifier), "encrypted read")
    assert meeting(younger, older) == ("encrypted read", "partial write", place, identity)


def test_aliases():
    one = in_flight(write(0x40, [1]))
    assert list(aliases(in_flight(write(0x40, [1], c_bit=False)), one)) == ["C-bit alias under one key"]
    assert list(aliases(in_flight(read(0x40, c_bit=False), "plain read", None), one)) == [
        "C-bit alias, plain and encrypted"]
    assert list(aliases(in_flight(read(0x50, c_bit=False)), one)) == []


def test_overtaking_and_crowds():
    line, plain = in_flight(write(0x40, [1])), in_flight(write(0x80, [1]), "plain write", None)
    assert list(overtakings(plain, [line], 2)) == ["plain write passes line"]
    assert list(overtakings(plain, [line], 2)) == ["plain write passes line", "crowd passes line"]
    assert list(overtakings(line, [plain], 2)) == ["line passes plain write"]


def test_commands_meet_what_is_in_flight_under_their_slot():
    one, other = in_flight(write(0x40, [1])), in_flight(read(0x80), "encrypted read", 2)
    assert list(events_of_command("retire", [2], [one, other])) == ["retire meets reads"]
    assert list(events_of_command("reset", None, [one, other])) == ["reset meets line writes", "reset meets reads"]
    assert set(events_of_command("install", [3], [one, other])) == {"install under load"}
    assert {"retire meets reads", "reset meets line writes", "install under load"} <= set(EVENTS)


def channel():
    return types.SimpleNamespace(valid=False, taken=False, payload=None)


def test_the_observer_sees_order_and_meeting_at_the_port():
    model = Memory(size_bytes=4096, addr_width=32, c_bit=C_BIT, asid_count=4)
    model.install(0, bytes(16), bytes([1] * 16))
    model.set_mode(sme=True, tsme=False, sev=True)
    manager = types.SimpleNamespace(aw=channel(), w=channel(), ar=channel())
    observer = Observer(manager, model, CONFIG)
    before = observer.figures()
    first, second = write(0x40, [0x0FF0]), write(0x40, [ALL_LANES], identifier=1)
    for transaction in (first, second):
        observer.begin(transaction)
        transaction.responses.append(0)
    manager.w.valid = manager.w.taken = True
    manager.w.payload = WriteData(0, 1, 1)
    observer.step()
    manager.aw.valid = manager.aw.taken = True
    observer.step()
    manager.w.valid = manager.w.taken = False
    observer.step()
    observer.end(first)
    observer.end(second)
    hits = {name: {tuple(one): count for one, count in cross["hits"]} for name, cross in observer.figures().items()}
    assert {name: [one for one, count in bins.items() if count] for name, bins in hits.items()} == {
        "shape": [("INCR", "16", "whole", "host key"), ("INCR", "16", "part", "host key")],
        "length": [("write", "INCR", "1")], "alignment": [("INCR", "16", "line")],
        "exclusive": [("write", "host key", "normal")],
        "order": [("line write", "data first"), ("partial write", "data first")],
        "answer": [("line write", "OKAY"), ("partial write", "OKAY")],
        "meeting": [("line write", "partial write", "same block", "other ID")], "event": []}
    assert not any(cross["contradicted"] for cross in before.values())
    observer.begin(write(0x40, [ALL_LANES], burst=Burst.RESERVED))
    assert not observer.figures()["shape"]["contradicted"]


def test_what_yosys_has_made_and_wires_are_not_counted():
    text = ("module m(a);\n  reg \\$auto$verilog_backend.cc:1:dump_module$1  = 0;\n  wire [1:0] a;\n  reg \\$12 ;\n"
            "  reg named = 1'h0;\n  reg [1:0] \\parts$3 ;\n  always @* begin\n"
            "    if (\\$auto$verilog_backend.cc:1:dump_module$1 ) begin end\n    \\$12  = named;\n  end\n"
            "  always @*\n    \\parts$3 [0] = named;\nendmodule\n")
    off, on = "/*verilator coverage_off*/", "/*verilator coverage_on*/"
    assert countable(text) == (
        f"module m(a);\n{off}  wire [1:0] a;{on}\n  reg _temporary12 ;\n  reg named = 1'h0;\n"
        f"{off}  reg [1:0] \\parts$3 /*verilator split_var*/;{on}\n"
        f"  always @* begin\n    _temporary12  = named;\n  end\n"
        f"{off}  assign \\parts$3 [0] = named;{on}\nendmodule\n")
