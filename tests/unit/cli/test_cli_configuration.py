"""The options --preset and --set."""

import dataclasses

import click
import pytest

from cbit.config import PRESETS, SBox, preset
from cbit_cli.configuration import configure


@pytest.mark.parametrize("name", PRESETS)
def test_preset_alone_is_itself(name):
    assert configure(name, []) == preset(name)


@pytest.mark.parametrize(("setting", "changes"), [
    ("key_bits=256", {"key_bits": 256, "unroll": None}),
    ("asid_count=0x40", {"asid_count": 64}),
    ("duplex=false", {"duplex": False}),
    ("sbox=composite", {"sbox": SBox.COMPOSITE}),
    ("unroll=5", {"unroll": 5}),
])
def test_setting_changes_one_parameter(setting, changes):
    assert configure("streaming", [setting]) == dataclasses.replace(preset("streaming"), **changes)


def test_all_rounds_stay_all_rounds_with_a_longer_key():
    assert configure("streaming", ["key_bits=256"]).unroll == 14


@pytest.mark.parametrize(("settings", "asid_count", "key_ways"), [
    (["asid_count=4"], 4, 4), (["asid_count=1024"], 1024, 16), (["asid_count=64", "key_ways=64"], 64, 64),
    (["key_ways=2"], 16, 2)])
def test_ways_follow_the_number_of_asids(settings, asid_count, key_ways):
    config = configure("streaming", settings)
    assert (config.asid_count, config.key_ways) == (asid_count, key_ways)


def test_two_rounds_a_cycle_have_no_registers_within():
    assert configure("balanced", ["rounds_per_cycle=2", "sbox=table"]).cycles_per_round == 1


def test_some_rounds_stay_as_they_are():
    config = configure("compact", ["key_bits=256"])
    assert config == dataclasses.replace(preset("compact"), key_bits=256)
    assert config.unroll == 2


def test_later_setting_wins():
    assert configure("streaming", ["id_width=8", "id_width=6"]).id_width == 6


@pytest.mark.parametrize(("name", "settings", "text"), [
    ("quick", [], "preset must be one of streaming, .*, not 'quick'"),
    ("streaming", ["key_bits"], "--set must be FIELD=VALUE, not 'key_bits'"),
    ("streaming", ["keys=1"], "--set field must be one of addr_width, .*, not 'keys'"),
    ("streaming", ["key_bits=192"], "key_bits must be 128 or 256, not 192"),
    ("streaming", ["key_bits=many"], "key_bits must be 128 or 256, not 'many'"),
    ("streaming", ["asid_count=1"], "asid_count must be an integer from 2 to 1024, not 1"),
    ("streaming", ["asid_count=64", "key_ways=65"], "key_ways must be an integer from 2 to 64, not 65"),
    ("streaming", ["duplex=maybe"], "duplex must be true or false, not 'maybe'"),
    ("streaming", ["sbox=lut"], "sbox must be table or composite or block_ram, not 'lut'"),
])
def test_bad_input_is_refused(name, settings, text):
    with pytest.raises(click.UsageError, match=f"^{text}$"):
        configure(name, settings)
