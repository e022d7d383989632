"""The judge of the demonstration: it agrees with the truth and finds a planted fault, and names it."""

import random

import pytest

from cbit.config import preset
from cbit_model.access import Response
from cbit_sim.demo.actor import act
from cbit_sim.demo.judge import Agreement, changed_blocks, compare, compare_owners, repeated_blocks
from cbit_sim.demo.picture import default_file
from cbit_sim.demo.platforms import GoldenPlatform
from cbit_sim.demo.story import COPIES, SECRET, Story
from cbit_sim.scoreboard import MismatchError

CONFIG = preset("streaming")
FILE = random.Random(5).randbytes(5000)
WORDS = random.Random(6).sample(range(1 << 32), 200)


def acted(story, platform=GoldenPlatform):
    return act(story, platform(WORDS, CONFIG), CONFIG).seen


def changed(seen, name, content=None, response=Response.OKAY):
    """What was seen, but for one observation."""
    observation = seen[name]
    return seen | {name: observation._replace(content=content or observation.content, response=response)}


@pytest.fixture(scope="module")
def story():
    return Story(FILE, seed=1)


@pytest.fixture(scope="module")
def expected(story):
    return acted(story)


@pytest.mark.parametrize("size", [1, 2, 17, 64, 4097])
def test_owners_read_the_file_of_any_size(size):
    tale = Story(FILE[:size], seed=2)
    seen = acted(tale)
    compare_owners(tale, seen)
    assert compare(seen, seen) == sum(len(observation.content) for observation in seen.values())


def test_only_owners_read_the_file(expected):
    for name in COPIES:
        for view in COPIES.values():
            agreement = Agreement.of(expected[f"{view.name}: {name}"].content, FILE)
            assert (agreement.equal == len(FILE)) == (view is COPIES[name])
            assert view is COPIES[name] or abs(agreement.sigmas) < 5
    assert abs(Agreement.of(expected["guest 1: elsewhere"].content, FILE).sigmas) < 5


def test_replay_gives_old_data_and_comparison_shows_where_was_written(story, expected):
    start = story.start["guest 1"]
    assert expected["guest 1: edited"] == (start, story.edited, Response.OKAY)
    assert story.edited != FILE
    assert expected["guest 1: replayed"] == (start, FILE, Response.OKAY)
    before, after, restored = (expected[name].content[start:start + len(FILE)]
                               for name in ("DRAM", "DRAM edited", "DRAM restored"))
    assert restored == before
    assert changed_blocks(before, after) == changed_blocks(FILE, story.edited)


@pytest.mark.parametrize("limit", [4096, 1 << 18])
def test_guests_write_what_they_are_not_launched_from(monkeypatch, limit):
    monkeypatch.setattr("cbit_sim.demo.story.LARGEST_IMAGE_BYTES", limit)
    tale = Story(FILE, seed=3)
    seen = acted(tale)
    compare_owners(tale, seen)
    assert tale.image == FILE[:4096] if limit == 4096 else FILE + bytes(8)
    assert seen["DRAM before the launch of guest 1"].content == tale.image
    start = tale.start["guest 1"]
    assert seen["DRAM"].content[start:start + 4096] == seen["DRAM after the launch of guest 1"].content[:4096]
    assert seen["guest 1: secret"].content == SECRET
    assert not any(SECRET[place:place + 16] in seen["DRAM"].content for place in range(len(SECRET) - 16))


@pytest.mark.parametrize(("name", "offset"), [
    ("DRAM", 20000), ("guest 1: guest 1", 4999), ("host without C-bit: guest 2", 0), ("guest 1: replayed", 77),
    ("DRAM after the launch of guest 2", 4095), ("measurement of guest 1", 3), ("report of guest 1", 207)])
def test_a_flipped_byte_is_named(expected, name, offset):
    content = bytearray(expected[name].content)
    content[offset] ^= 0x10
    with pytest.raises(MismatchError, match=f"^address {offset + expected[name].start:#x}, observer {name}: expected "
                                            f"{content[offset] ^ 0x10:#04x}, got {content[offset]:#04x}$"):
        compare(expected, changed(expected, name, bytes(content)))


def test_a_wrong_response_is_named(expected):
    name = "guest 2: guest 1"
    with pytest.raises(MismatchError, match=f"observer {name}: expected OKAY, got SLVERR"):
        compare(expected, changed(expected, name, response=Response.SLVERR))


class WrongKeyPlatform(GoldenPlatform):
    """Guest 2 has K1 and K2 exchanged."""

    def __init__(self, words, config):
        super().__init__(words, config)
        install = self.memory.install
        self.memory.install = lambda slot, *keys: install(slot, *(keys[::-1] if slot == 2 else keys))


def test_a_wrong_key_is_found(story, expected):
    with pytest.raises(MismatchError, match="observer DRAM after the launch of guest 2"):
        compare(acted(story, WrongKeyPlatform), expected)


@pytest.mark.parametrize("name", ["guest 2: guest 2", "guest 1: secret"])
def test_owners_that_read_anything_else_are_found(story, expected, name):
    wrong = changed(expected, name, bytes(len(expected[name].content)))
    with pytest.raises(MismatchError, match=f"observer {name}: expected"):
        compare_owners(story, wrong)


def test_default_picture_repeats_blocks_and_its_ciphertext_does_not():
    data = default_file()
    tale = Story(data, seed=1)
    dram = acted(tale)["DRAM"].content
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
