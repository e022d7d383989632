"""The model of the health tests has NIST's cutoffs, and finds sources that are stuck, biased or alternate."""

import random

import pytest

from cbit_model.psp_entropy import EntropyModel, proportion_cutoff, repetition_cutoff, von_neumann


@pytest.mark.parametrize(("entropy_bits", "repetition", "proportion"), [
    (1, 21, 589), (0.5, 41, 793), (0.3, 68, 890), (0.1, 201, 991)])
def test_cutoffs(entropy_bits, repetition, proportion):
    assert repetition_cutoff(entropy_bits) == repetition
    assert proportion_cutoff(entropy_bits) == proportion


def test_cutoffs_of_no_entropy_are_refused():
    with pytest.raises(ValueError, match="entropy_bits must be over 0 and at most 1, not 2000"):
        proportion_cutoff(2000)


def test_pairs_of_equal_bits_are_dropped():
    assert von_neumann([0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1]) == [0, 1, 1]


def fed(samples):
    """The model after all samples, and after how many it had failed."""
    model = EntropyModel()
    for number, sample in enumerate(samples, 1):
        model.feed(sample)
        if model.has_failed:
            return model, number
    return model, None


def test_a_stuck_source_fails_at_the_41st_sample():
    for value in (0, 1):
        model, number = fed([value] * 50)
        assert (number, model.repetition_failed, model.proportion_failed) == (41, True, False)
    assert fed(([0] * 40 + [1]) * 20)[1] is not None
    assert fed([0] * 40 + [1] * 40)[1] is None


def test_an_alternating_source_fails_as_soon_as_41_corrected_bits_are_the_same():
    model, number = fed([0, 1] * 100)
    assert (number, model.repetition_failed, model.proportion_failed) == (82, True, False)


@pytest.mark.parametrize("samples", [[0, 1, 1, 0], [0, 1, 1, 0, 1, 0], [1, 0, 1, 0, 0, 1, 1, 0, 0, 1]])
def test_a_source_that_recurs_fails_when_41_corrected_bits_have_come_again(samples):
    """All but the first 120 corrected bits are compared with those 120 before."""
    model, number = fed(samples * 100)
    assert (number, model.repetition_failed, model.words) == (2 * (120 + 41), True, [])


def test_a_fair_source_gives_words():
    rng = random.Random(25)
    model, number = fed([rng.getrandbits(1) for _ in range(1024 + 128 * 20)])
    assert number is None
    assert 12 < len(model.words) < 28
    assert len(set(model.words)) == len(model.words)
