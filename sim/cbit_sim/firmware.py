"""What the security processor of a simulated platform runs, loaded as a simulation starts: one model serves all."""

import re
from pathlib import Path

__all__ = ["FIRMWARE", "hexadecimal", "with_loaded_firmware"]

FIRMWARE = "firmware"
"""Name of the plusarg that names the file."""

_WORDS = 1 << 14
_CONTENT = re.compile(rf"^  reg \[31:0\] (\S+) \[{_WORDS - 1}:0\];\n  initial begin\n.*?^  end\n",
                      re.DOTALL | re.MULTILINE)
_LOADED = r"""  reg [31:0] \1 [{last}:0];
  reg [8191:0] firmware_file;
  initial if ($value$plusargs("{name}=%s", firmware_file)) $readmemh(firmware_file, \1);
"""


def with_loaded_firmware(text: str) -> str:
    """The Verilog of a platform, with a memory that has what the file says that ``+firmware=FILE`` names.

    Raises
    ------
    ValueError
        If there is not exactly one memory that can be the firmware's.
    """
    changed, count = _CONTENT.subn(_LOADED.format(last=_WORDS - 1, name=FIRMWARE), text)
    if count != 1:
        raise ValueError(f"Verilog must have one memory of {_WORDS} words, not {count}")
    return changed


def hexadecimal(image: bytes, folder: Path) -> Path:
    """A file in ``folder`` with an image as Verilog reads memories: all words of it, zeros after the image.

    Raises
    ------
    ValueError
        If it does not fit.
    """
    if len(image) > 4 * _WORDS:
        raise ValueError(f"Firmware must be of at most {4 * _WORDS} bytes, not {len(image)}")
    whole = image.ljust(4 * _WORDS, b"\0")
    words = (int.from_bytes(whole[start:start + 4], "little") for start in range(0, len(whole), 4))
    path = folder / "firmware.hex"
    path.write_text("".join(f"{word:08x}\n" for word in words), encoding="ascii")
    return path
