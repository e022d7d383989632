"""The judge of the demonstration: it agrees with the truth and finds a planted fault, and names it."""

import random

import pytest

from cbit.config import preset
from cbit_model.access import Response
from cbit_sim.demo import model_actor
from cbit_sim.demo.judge import Agreement, changed_blocks, compare, compare_owners, repeated_blocks
from cbit_sim.demo.model_actor import act
from cbit_sim.demo.picture import default_file
from cbit_sim.demo.story import COPIES, Story
from cbit_sim.scoreboard import MismatchError

CONFIG = preset("streaming").as_dict()
FILE = random.Random(5).randbytes(5000)


@pytest.fixture(scope="module")
def story():
    return Story(FILE, seed=1)


@pytest.fixture(scope="module")
def expected(story):
    return act(story, CONFIG)


@pytest.mark.parametrize("size", [1, 2, 17, 64, 4097])
def test_owners_read_the_file_of_any_size(size):
    tale = Story(FILE[:size], seed=2)
    seen = act(tale, CONFIG)
    compare_owners(tale, seen)
    assert compare(tale, seen, seen) == sum(len(content) for content, _ in seen.values())


def test_only_owners_read_the_file(expected):
    for name in COPIES:
        for view in COPIES.values():
            agreement = Agreement.of(expected[f"{view.name}: {name}"][0], FILE)
            assert (agreement.equal == len(FILE)) == (view is COPIES[name])
            assert view is COPIES[name] or abs(agreement.sigmas) < 5
    assert abs(Agreement.of(expected["guest 1: elsewhere"][0], FILE).sigmas) < 5


def test_replay_gives_old_data_and_comparison_shows_where_was_written(story, expected):
    assert expected["guest 1: edited"] == (story.edited, Response.OKAY)
    assert story.edited != FILE
    assert expected["guest 1: replayed"] == (FILE, Response.OKAY)
    start = story.start["guest 1"]
    before, after, restored = (expected[name][0][start:start + len(FILE)]
                               for name in ("DRAM", "DRAM edited", "DRAM restored"))
    assert restored == before
    assert changed_blocks(before, after) == changed_blocks(FILE, story.edited)


@pytest.mark.parametrize(("name", "area", "offset"), [
    ("DRAM", None, 20000), ("guest 1: guest 1", "guest 1", 4999), ("host without C-bit: guest 2", "guest 2", 0),
    ("guest 1: replayed", "guest 1", 77)])
def test_a_flipped_byte_is_named(story, expected, name, area, offset):
    content = bytearray(expected[name][0])
    content[offset] ^= 0x10
    address = offset + (story.start[area] if area else 0)
    with pytest.raises(MismatchError, match=f"^address {address:#x}, observer {name}: expected "
                                            f"{content[offset] ^ 0x10:#04x}, got {content[offset]:#04x}$"):
        compare(story, expected, expected | {name: (bytes(content), Response.OKAY)})


def test_a_wrong_response_is_named(story, expected):
    name = "guest 2: guest 1"
    with pytest.raises(MismatchError, match=f"observer {name}: expected OKAY, got SLVERR"):
        compare(story, expected, expected | {name: (expected[name][0], Response.SLVERR)})


def test_a_wrong_key_is_found(story, expected, monkeypatch):
    keys = model_actor.make_keys(1, 128)
    monkeypatch.setattr(model_actor, "make_keys", lambda *_: keys | {2: keys[1][::-1]})
    with pytest.raises(MismatchError, match="observer DRAM"):
        compare(story, act(story, CONFIG), expected)


def test_owners_that_read_anything_else_are_found(story, expected):
    wrong = {"guest 2: guest 2": (bytes(5000), Response.OKAY)}
    with pytest.raises(MismatchError, match="observer guest 2: guest 2: expected"):
        compare_owners(story, expected | wrong)


def test_default_picture_repeats_blocks_and_its_ciphertext_does_not():
    data = default_file()
    tale = Story(data, seed=1)
    dram = act(tale, CONFIG)["DRAM"][0]
    assert len(data) >= 64 * 1024
    assert repeated_blocks(data) > 3000
    for name in ("host", "guest 1", "guest 2"):
        assert repeated_blocks(dram[tale.start[name]:tale.start[name] + len(data)]) == 0


def test_chance_is_one_in_256():
    noise = random.Random(1).randbytes(1 << 16)
    agreement = Agreement.of(noise, bytes(1 << 16))
    assert agreement.expected == 256
    assert abs(agreement.sigmas) < 4
    assert Agreement(256 + 16, 1 << 16).sigmas == pytest.approx(1.002, abs=1e-3)
