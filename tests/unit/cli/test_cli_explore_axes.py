"""The configurations that `cbit explore` visits."""

import dataclasses

import click
import pytest

from cbit.config import EngineConfig, SBox
from cbit_cli.exploration.axes import AXES, Space, parse_axes


@pytest.mark.parametrize(("text", "axes"), [
    ("sbox", {"sbox": tuple(SBox)}),
    ("sbox,key_bits", {"sbox": tuple(SBox), "key_bits": (128, 256)}),
    ("sbox=table,block_ram", {"sbox": (SBox.TABLE, SBox.BLOCK_RAM)}),
    ("unroll=5,10,duplex", {"unroll": (5, 10), "duplex": (False, True)}),
    ("duplex=true,unroll=1..3", {"duplex": (True,), "unroll": (1, 2, 3)}),
    ("unroll=1..2,5, 5", {"unroll": (1, 2, 5)}),
])
def test_names_alone_mean_all_values_and_others_those_named(text, axes):
    assert parse_axes(text) == axes
    assert list(parse_axes(text)) == list(axes)


@pytest.mark.parametrize("text", ["", "sboxes", "sbox,table", "sbox,,duplex", "id_width", "=1"])
def test_what_is_no_axis_is_refused(text):
    with pytest.raises(click.UsageError, match=r"^--axes must be of sbox, .*, not '.*'$"):
        parse_axes(text)


def test_an_axis_is_named_once():
    with pytest.raises(click.UsageError, match=r"^--axes must name unroll once$"):
        parse_axes("unroll,unroll=5")


def test_every_axis_is_a_parameter_whose_values_are_all_of_use():
    assert set(AXES) <= {field.name for field in dataclasses.fields(EngineConfig)}
    for name in AXES:
        space = Space.of(EngineConfig(), parse_axes("unroll,key_bits" if name == "unroll" else name))
        assert {getattr(config, name) for config in space.configs} == set(AXES[name])


def test_all_combinations_are_visited_or_counted():
    space = Space.of(EngineConfig(), parse_axes("sbox,rounds_per_cycle,cycles_per_round=1..2"))
    assert len(space.configs) + space.left_out == 3 * 2 * 2
    assert all(config.rounds_per_cycle == 1 or config.cycles_per_round == 1 for config in space.configs)
    assert EngineConfig(rounds_per_cycle=2) in space.configs
    assert space.settings[0] == (SBox.TABLE, 1, 1)
    assert len(set(space.configs)) == len(space.configs)


@pytest.mark.parametrize(("key_bits", "unrolls"), [(128, (1, 2, 5, 10)), (256, (1, 2, 5, 7, 14))])
def test_rounds_that_only_cost_are_left_out(key_bits, unrolls):
    space = Space.of(EngineConfig(key_bits=key_bits), parse_axes("unroll"))
    assert tuple(config.unroll for config in space.configs) == unrolls


def test_all_rounds_stay_all_rounds_where_their_number_varies():
    assert [config.unroll for config in Space.of(EngineConfig(), parse_axes("key_bits")).configs] == [10, 14]


@pytest.mark.parametrize(("axes", "text"), [
    ("sbox=lut", "sbox must be table or composite or block_ram, not 'lut'"),
    ("unroll=5,99", "unroll must be an integer from 1 to 10, not 99"),
    ("unroll=6", "unroll must not be 6, which wastes rounds of 10"),
    ("rounds_per_cycle=2,cycles_per_round=2", "cycles_per_round must be 1 with two rounds_per_cycle, not 2"),
])
def test_values_that_no_engine_can_have_are_refused(axes, text):
    with pytest.raises(click.UsageError, match=f"^--axes: {text}$"):
        Space.of(EngineConfig(), parse_axes(axes))
