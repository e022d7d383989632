"""Dividers of a PLL: exact, within the chip's limits, and those that another calculator finds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cbit_boards.pll import DETECTOR_HZ, OSCILLATOR_HZ, Output, Wanted, dividers

MHZ = 1_000_000


@pytest.mark.parametrize(("input_hz", "wanted"), [
    (25 * MHZ, [Wanted(50 * MHZ)]),
    (25 * MHZ, [Wanted(50 * MHZ), Wanted(50 * MHZ, 90), Wanted(25 * MHZ)]),
    (50 * MHZ, [Wanted(50 * MHZ), Wanted(50 * MHZ, 180), Wanted(20 * MHZ), Wanted(100 * MHZ, 45)]),
    (12 * MHZ, [Wanted(60 * MHZ)]),
    (48 * MHZ, [Wanted(72 * MHZ)]),
    (100 * MHZ, [Wanted(400 * MHZ)]),
    (8 * MHZ, [Wanted(3_125_000 * 128 // 100)]),
])
def test_every_output_is_exact_and_every_frequency_within_limits(input_hz, wanted):
    found = dividers(input_hz, wanted)
    assert found.outputs_hz == tuple(output.hz for output in wanted)
    assert OSCILLATOR_HZ[0] <= found.oscillator_hz <= OSCILLATOR_HZ[1]
    assert DETECTOR_HZ[0] <= input_hz / found.input_divider <= DETECTOR_HZ[1]
    assert input_hz * found.feedback_divider == wanted[0].hz * found.input_divider
    for output, each in zip(found.outputs, wanted):
        assert 1 <= output.divider <= 128
        assert 0 <= output.coarse < 128
        assert 0 <= output.fine < 8
        late = output.coarse - found.outputs[0].coarse + output.fine / 8
        assert 360 * late / output.divider == each.phase_degrees


def test_finest_phase_is_an_eighth_of_the_oscillator():
    assert dividers(25 * MHZ, [Wanted(25 * MHZ), Wanted(200 * MHZ, 15)]).outputs[1] == Output(3, 11, 1)


@pytest.mark.parametrize(("input_hz", "wanted", "text"), [
    (7 * MHZ, [Wanted(50 * MHZ)], r"^input_hz must be from 8000000 to 400000000, not 7000000$"),
    (25 * MHZ, [], r"^A PLL must have 1 to 4 outputs, not 0$"),
    (25 * MHZ, [Wanted(25 * MHZ)] * 5, r"^A PLL must have 1 to 4 outputs, not 5$"),
    (48 * MHZ, [Wanted(50 * MHZ + 1)],
     r"^A PLL must have outputs that 48000000 Hz can give, not 50000001 Hz at 0 degrees$"),
    (25 * MHZ, [Wanted(50 * MHZ), Wanted(50 * MHZ, 1)], r"50000000 Hz at 0 degrees, 50000000 Hz at 1 degrees$"),
    (25 * MHZ, [Wanted(1 * MHZ)], r"^A PLL must have outputs"),
])
def test_what_no_pll_can_is_refused(input_hz, wanted, text):
    with pytest.raises(ValueError, match=text):
        dividers(input_hz, wanted)


def test_ecppll_finds_the_same(tmp_path):
    program = Path(sys.executable).with_name("yowasp-ecppll")
    subprocess.run([program, "-i", "25", "-o", "50", "--clkout1", "50", "--phase1", "90", "--clkout2", "25",
                    "-f", "pll.v"], cwd=tmp_path, check=True, capture_output=True)
    theirs = {name: int(value) for name, value in
              re.findall(r"\.(CLK\w+)\((\d+)\)", (tmp_path / "pll.v").read_text())}
    ours = dividers(25 * MHZ, [Wanted(50 * MHZ), Wanted(50 * MHZ, 90), Wanted(25 * MHZ)])
    assert (theirs["CLKI_DIV"], theirs["CLKFB_DIV"]) == (ours.input_divider, ours.feedback_divider)
    assert [Output(theirs[f"{name}_DIV"], theirs[f"{name}_CPHASE"], theirs[f"{name}_FPHASE"])
            for name in ("CLKOP", "CLKOS", "CLKOS2")] == list(ours.outputs)
