# amaranth: UnusedElaboratable=no

"""LiteDRAM's controller as it is generated: the same each time, kept, and refused in one line."""

import dataclasses
import importlib.util
import re
import subprocess

import pytest

from cbit.dram import generate as generation
from cbit.dram.ddr3 import Ddr3
from cbit.dram.generate import DramGenerationError, generate
from cbit.dram.litedram import LiteDram
from cbit.dram.spec import DramKind, DramSpec

DDR3 = DramSpec(module="MT41K256M16", memory_bytes=1 << 29, clock_hz=50_000_000, kind=DramKind.DDR3,
                crystal_hz=100_000_000)
CHIP = {"module": "MT48LC16M16", "memory_bytes": 1 << 25, "clock_hz": 50_000_000}


@pytest.mark.parametrize(("change", "message"), [
    ({"module": "a chip"}, "module must be the name of a chip, not 'a chip'"),
    ({"memory_bytes": 3 << 20}, "memory_bytes must be a power of two of at least 4096, not 3145728"),
    ({"memory_bytes": 2048}, "memory_bytes must be a power of two of at least 4096, not 2048"),
    ({"clock_hz": 0}, "clock_hz must be positive, not 0"),
    ({"width": 8}, "width must be 16 or 32, not 8")])
def test_specifications_are_checked(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        DramSpec(**CHIP | change)


def test_what_is_generated_is_the_same_and_has_no_date(tmp_path):
    first, second = (generate(DramSpec(**CHIP), id_width=4, folder=tmp_path / name) for name in "ab")
    assert first == second
    assert "module litedram_core (" in first.verilog
    assert not re.search(r"//|/\*|\b20\d\d-", first.verilog)
    assert first.port_width("sdram_a") == 13
    assert first.port_width("sdram_cke") == 1
    with pytest.raises(KeyError):
        first.port_width("sdram_dq")


def test_it_is_generated_once_and_nothing_else_is_left(tmp_path, monkeypatch):
    generate.cache_clear()
    first = generate(DramSpec(**CHIP), id_width=4, folder=tmp_path)
    generate.cache_clear()
    monkeypatch.setattr(subprocess, "run", None)
    assert generate(DramSpec(**CHIP), id_width=4, folder=tmp_path) == first
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["controller.json"]


@pytest.mark.parametrize(("clock_hz", "cas_latency"), [(50_000_000, 2), (133_000_000, 3)])
def test_the_cas_latency_is_the_one_of_the_clock(tmp_path, clock_hz, cas_latency):
    assert generate(DramSpec(**CHIP | {"clock_hz": clock_hz}), id_width=4, folder=tmp_path).cas_latency == cas_latency


@pytest.mark.parametrize(("change", "message"), [
    ({"module": "ABC123"}, "LiteDRAM can not generate a controller of ABC123 at 50 MHz: .*'ABC123'$"),
    ({"clock_hz": 1_000_000}, "LiteDRAM can not generate a controller of MT48LC16M16 at 1 MHz: .*tREFI")])
def test_what_litedram_can_not_do_is_said_in_one_line(tmp_path, change, message):
    with pytest.raises(DramGenerationError, match=message) as raised:
        generate(DramSpec(**CHIP | change), id_width=4, folder=tmp_path)
    assert "\n" not in str(raised.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_chip_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="memory_bytes must be 33554432 of 16 bits of MT48LC16M16, not 16777216"):
        generate(DramSpec(**CHIP | {"memory_bytes": 1 << 24}), id_width=4, folder=tmp_path)


def test_a_missing_litedram_is_named(tmp_path, monkeypatch):
    generate.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "litedram" else name)
    with pytest.raises(DramGenerationError, match=r"^LiteDRAM is not installed: pip install litedram$"):
        generate(DramSpec(**CHIP), id_width=4, folder=tmp_path)


def test_other_verilog_than_expected_is_refused():
    with pytest.raises(DramGenerationError, match="has 0 buffers of data pins where 16 were expected"):
        generation._with_plain_data_pins("module litedram_core ();\nendmodule\n", 16)


def test_each_kind_has_its_component(tmp_path):
    controller = generate(DDR3, id_width=4, folder=tmp_path)
    assert "ddrphy_rdly_dq_inc" in controller.registers
    assert controller.port_width("ddram_dm") == 2
    with pytest.raises(ValueError, match="memory must be SDR SDRAM, not DDR3"):
        LiteDram(DDR3, addr_width=48, id_width=4, folder=tmp_path)
    with pytest.raises(ValueError, match="memory must be DDR3, not SDR"):
        Ddr3(DramSpec(**CHIP), addr_width=48, id_width=4, folder=tmp_path)


@pytest.mark.parametrize(("kind", "crystal_hz"), [(DramKind.SDR, 1), (DramKind.DDR3, None), (DramKind.DDR3, 0)])
def test_ddr3_alone_has_a_crystal(kind, crystal_hz):
    with pytest.raises(ValueError, match=rf"^crystal_hz must be positive for DDR3, and None .* not {crystal_hz}$"):
        DramSpec(**CHIP, kind=kind, crystal_hz=crystal_hz)


def test_the_sequence_is_litedram_s(tmp_path):
    """That of CAS latencies 6 and 5, for the clock that is asked for."""
    sequence = generate(DDR3, id_width=4, folder=tmp_path).sequence
    given = {name: [step.data for step in sequence if step.register == f"sdram_dfii_{name}"]
             for name in ("control", "pi0_baddress", "pi0_command", "pi0_command_issue")}
    assert given == {"control": [0b1100, 0b1110], "pi0_baddress": [0, 0, 2, 3, 1, 0, 0],
                     "pi0_command": [0b1111] * 4 + [0b0011], "pi0_command_issue": [1] * 5}
    assert [step.wait_cycles for step in sequence if step.wait_cycles] == [50_000, 10_000, 200, 200]


def test_what_a_board_wants_of_ddr3_reaches_the_controller(tmp_path):
    wanted = dataclasses.replace(DDR3, command_delay=77, swaps_masks=True)
    plain, other = (generate(spec, id_width=4, folder=tmp_path) for spec in (DDR3, wanted))
    assert [verilog.count("(7'd77)") > 20 for verilog in (plain.verilog, other.verilog)] == [False, True]
    masks = [re.findall(r"dm_o_data\d\[0\] <?= (\w+\[\d+\])", each.verilog) for each in (plain, other)]
    assert masks[0] == masks[1][::-1] != []
    with pytest.raises(ValueError, match=r"^command_delay must be from 0 to 127, not 128$"):
        dataclasses.replace(DDR3, command_delay=128)


@pytest.mark.parametrize(("header", "message"), [
    ("", "LiteDRAM's header has no sequence where one was expected"),
    ("void init_sequence(void)\n{\n\tnew_thing(1);\n}\n",
     "LiteDRAM's sequence has new_thing, which is not known here")])
def test_another_sequence_than_expected_is_refused(header, message):
    with pytest.raises(DramGenerationError, match=message):
        generation._sequence(header)


def test_other_verilog_of_ddr3_than_expected_is_refused():
    with pytest.raises(DramGenerationError, match="has 0 ports of bidirectional pins where 2 were expected"):
        generation._with_inout_pins("module litedram_core ();\nendmodule\n")
