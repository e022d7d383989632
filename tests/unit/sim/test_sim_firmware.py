"""Firmware for a simulated platform: what is loaded, and where."""

import pytest

from cbit_sim.firmware import hexadecimal, with_loaded_firmware

MEMORY = """  reg [31:0] memory [16383:0];
  initial begin
    memory[0] = 32'd0;
  end
"""


def test_an_image_is_words_with_zeros_after_it(tmp_path):
    path = hexadecimal(bytes(range(1, 7)), tmp_path)
    lines = path.read_text().splitlines()
    assert len(lines) == 16384
    assert lines[:3] == ["04030201", "00000605", "00000000"]


def test_an_image_must_fit(tmp_path):
    with pytest.raises(ValueError, match="Firmware must be of at most 65536 bytes, not 65537"):
        hexadecimal(bytes(65537), tmp_path)


def test_the_memory_is_loaded():
    text = with_loaded_firmware(f"module a;\n{MEMORY}endmodule\n")
    assert "$readmemh(firmware_file, memory)" in text
    assert "memory[0]" not in text


@pytest.mark.parametrize("count", [0, 2])
def test_there_must_be_one_memory(count):
    with pytest.raises(ValueError, match=f"Verilog must have one memory of 16384 words, not {count}"):
        with_loaded_firmware(f"module a;\n{MEMORY * count}endmodule\n")
