"""What raw words the security processor of a simulated platform has taken: recorded, and given once more."""

import re
from collections.abc import Iterable
from pathlib import Path

from cbit_model.sev.ports import EntropyFailedError

__all__ = ["ENTROPY", "RecordedEntropy", "recorded_words", "with_recorded_entropy"]

ENTROPY = "entropy"
"""Name of the plusarg that names the file."""

_MODULE = re.compile(r"^module (\\\S+\.psp\.entropy) \(.*?^(?=endmodule$)", re.DOTALL | re.MULTILINE)
_RECORDER = f"""\
  integer entropy_file = 0;
  reg [8191:0] entropy_path;
  initial if ($value$plusargs("{ENTROPY}=%s", entropy_path)) entropy_file = $fopen(entropy_path, "w");
  always @(posedge psp_clk)
    if (entropy_file != 0 && entropy_take__write && entropy_status__value[0]) begin
      $fdisplay(entropy_file, "%h", entropy_data__value);
      $fflush(entropy_file);
    end
"""


def with_recorded_entropy(text: str) -> str:
    """The Verilog of a platform, which writes each raw word that is taken to the file that ``+entropy=FILE`` names.

    Raises
    ------
    ValueError
        If there is not exactly one unit that gives such words.
    """
    changed, count = _MODULE.subn(lambda match: match[0] + _RECORDER, text)
    if count != 1:
        raise ValueError(f"Verilog must have one unit for entropy, not {count}")
    return changed


def recorded_words(path: Path) -> list[int]:
    """The words in such a file."""
    return [int(line, 16) for line in path.read_text(encoding="ascii").split()]


class RecordedEntropy:
    """A source that gives words that were recorded, then fails.

    Parameters
    ----------
    words : iterable of :class:`int`
        In order.
    """

    def __init__(self, words: Iterable[int]) -> None:
        self._words = iter(words)
        self.failed = False

    def take(self) -> int:
        """The next word. Raises :class:`~cbit_model.sev.ports.EntropyFailedError` once there is none."""
        word = None if self.failed else next(self._words, None)
        if word is None:
            self.failed = True
            raise EntropyFailedError
        return word
