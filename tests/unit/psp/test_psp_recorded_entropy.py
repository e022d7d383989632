"""Words that were recorded, and the Verilog that records them."""

import pytest

from cbit_model.sev.drbg import Drbg
from cbit_model.sev.ports import EntropyFailedError
from cbit_sim.entropy_words import RecordedEntropy, recorded_words, with_recorded_entropy

UNIT = """module \\top.psp.entropy (psp_clk);
  input psp_clk;
endmodule
"""


def test_words_come_in_order_and_then_fail(tmp_path):
    path = tmp_path / "words"
    path.write_text("0000002a\nffffffff\n")
    source = RecordedEntropy(recorded_words(path))
    assert [source.take(), source.take()] == [42, (1 << 32) - 1]
    assert not source.failed
    with pytest.raises(EntropyFailedError):
        source.take()
    assert source.failed


def test_too_few_words_make_no_generator():
    with pytest.raises(EntropyFailedError):
        Drbg(RecordedEntropy(range(63)))
    assert Drbg(RecordedEntropy(range(64)))


def test_the_unit_alone_is_changed():
    other = UNIT.replace("entropy", "entropy.tests")
    changed = with_recorded_entropy(other + UNIT + other)
    assert changed.startswith(other)
    assert changed.endswith(f"endmodule\n{other}")
    assert changed.count("$fdisplay") == 1


@pytest.mark.parametrize(("text", "count"), [("", 0), (UNIT + UNIT, 2)])
def test_there_is_one_unit(text, count):
    with pytest.raises(ValueError, match=f"Verilog must have one unit for entropy, not {count}"):
        with_recorded_entropy(text)
