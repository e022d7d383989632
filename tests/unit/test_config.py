"""What an engine can be: each parameter's range and the text of its refusal."""

import dataclasses
import json

import pytest

from cbit.config import DEFAULT_PRESET, NARROW, PRESETS, SERIAL, EngineConfig, SBox, preset


@pytest.mark.parametrize(("field", "value"), [
    ("addr_width", 64), ("c_bit", 13), ("c_bit", 46), ("id_width", 1), ("id_width", 8), ("data_width", 256),
    ("data_width", 512), ("asid_count", 2), ("asid_count", 3), ("asid_count", 1024), ("key_ways", 2),
    ("key_ways", 16), ("key_bits", 128), ("key_bits", 256), ("data_unit_bytes", 64), ("data_unit_bytes", 4096),
    ("duplex", False), ("unroll", 1), ("unroll", 10), ("rounds_per_cycle", 2), ("cycles_per_round", 5),
    ("pipelined", True), ("pipelined_writes", True), ("guarded", True), ("block_ram_rounds", 0),
    ("block_ram_rounds", 140), ("max_outstanding", 4), ("max_outstanding", 256), *(("sbox", kind) for kind in SBox)])
def test_values_at_the_ends_of_their_range_are_taken(field, value):
    assert getattr(EngineConfig(**{field: value}), field) == value


@pytest.mark.parametrize(("values", "text"), [
    ({"addr_width": 31}, "addr_width must be an integer from 32 to 64, not 31"),
    ({"addr_width": 65}, "addr_width must be an integer from 32 to 64, not 65"),
    ({"addr_width": "48"}, "addr_width must be an integer from 32 to 64, not '48'"),
    ({"addr_width": True}, "addr_width must be an integer from 32 to 64, not True"),
    ({"c_bit": 12}, "c_bit must be an integer from 13 to 47, not 12"),
    ({"c_bit": 48}, "c_bit must be an integer from 13 to 47, not 48"),
    ({"id_width": 0}, "id_width must be an integer from 1 to 8, not 0"),
    ({"id_width": 9}, "id_width must be an integer from 1 to 8, not 9"),
    ({"data_width": 64}, "data_width must be 128 or 256 or 512, not 64"),
    ({"asid_count": 1}, "asid_count must be an integer from 2 to 1024, not 1"),
    ({"asid_count": 1025}, "asid_count must be an integer from 2 to 1024, not 1025"),
    ({"key_ways": 1}, "key_ways must be an integer from 2 to 16, not 1"),
    ({"key_ways": 17}, "key_ways must be an integer from 2 to 16, not 17"),
    ({"key_bits": 192}, "key_bits must be 128 or 256, not 192"),
    ({"data_unit_bytes": 512}, "data_unit_bytes must be 64 or 4096, not 512"),
    ({"duplex": 1}, "duplex must be true or false, not 1"),
    ({"unroll": 0}, "unroll must be an integer from 1 to 10, not 0"),
    ({"unroll": 11}, "unroll must be an integer from 1 to 10, not 11"),
    ({"unroll": 3, "rounds_per_cycle": 2}, r"unroll must be a multiple of rounds_per_cycle \(2\), not 3"),
    ({"rounds_per_cycle": 3}, "rounds_per_cycle must be 1 or 2, not 3"),
    ({"cycles_per_round": 6}, "cycles_per_round must be an integer from 1 to 5, not 6"),
    ({"rounds_per_cycle": 2, "cycles_per_round": 2}, "cycles_per_round must be 1 with two rounds_per_cycle, not 2"),
    ({"guarded": 1}, "guarded must be true or false, not 1"),
    ({"guarded": True, "max_outstanding": 128}, "max_outstanding must be at most 64 if guarded, not 128"),
    ({"guarded": True, "asid_count": 128, "key_ways": 128}, "key_ways must be at most 127 if guarded, not 128"),
    ({"block_ram_rounds": 141}, "block_ram_rounds must be an integer from 0 to 140, not 141"),
    ({"pipelined": 1}, "pipelined must be true or false, not 1"),
    ({"pipelined_writes": 1}, "pipelined_writes must be true or false, not 1"),
    ({"rounds_per_cycle": 2, "sbox": SBox.BLOCK_RAM}, "rounds_per_cycle must be 1 with the block_ram S-box, not 2"),
    ({"sbox": "table"}, "sbox must be table or composite or block_ram, not 'table'"),
    ({"max_outstanding": 12}, "max_outstanding must be a power of two from 4 to 256, not 12"),
    ({"serial": 1}, "serial must be true or false, not 1"),
    *(({**SERIAL, name: value}, f"{name} must be {rule} if serial, not {given}") for name, value, rule, given in (
        ("data_width", 256, 128, 256), ("data_unit_bytes", 4096, 64, 4096), ("duplex", True, False, True),
        ("unroll", 5, 2, 5), ("cycles_per_round", 3, 2, 3), ("pipelined", True, False, True),
        ("pipelined_writes", True, False, True),
        ("sbox", SBox.TABLE, "block_ram", "'table'"), ("max_outstanding", 8, 4, 8))),
    *(({**NARROW, name: value}, f"{name} must be {rule} if serial, not {given}") for name, value, rule, given in (
        ("cycles_per_round", 2, 5, 2), ("max_outstanding", 4, 2, 4), ("data_width", 256, 128, 256))),
    ({**SERIAL, "asid_count": 17}, "asid_count must be at most 16 if serial, not 17"),
    ({**SERIAL, "key_ways": 8}, "key_ways must be asid_count if serial, not 8"),
    ({"max_outstanding": 2}, "max_outstanding must be a power of two from 4 to 256, not 2"),
    ({"max_outstanding": 512}, "max_outstanding must be a power of two from 4 to 256, not 512"),
])
def test_values_outside_their_range_are_refused(values, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        EngineConfig(**values)


@pytest.mark.parametrize(("key_bits", "rounds_per_cycle", "latency"), [
    (128, 1, 10), (256, 1, 14), (128, 2, 5), (256, 2, 7)])
def test_aes_latency(key_bits, rounds_per_cycle, latency):
    config = EngineConfig(key_bits=key_bits, rounds_per_cycle=rounds_per_cycle)
    assert (config.aes_latency_cycles, config.unroll) == (latency, config.rounds)


@pytest.mark.parametrize(("values", "cycles"), [
    ({}, 1), ({"unroll": 4}, 3), (SERIAL, 6), ({**SERIAL, "key_bits": 256}, 8), (NARROW, 80),
    ({**NARROW, "key_bits": 256}, 104)])
def test_block_cycles(values, cycles):
    assert EngineConfig(**values).block_cycles == cycles


@pytest.mark.parametrize(("key_bits", "latency"), [(128, 22), (256, 30)])
def test_aes_latency_if_serial(key_bits, latency):
    assert EngineConfig(**{**SERIAL, "key_bits": key_bits}).aes_latency_cycles == latency


@pytest.mark.parametrize(("config", "narrow"), [(NARROW, True), (SERIAL, False), ({"unroll": 1}, False)])
def test_narrow_is_serial_with_one_round(config, narrow):
    assert EngineConfig(**config).narrow == narrow


@pytest.mark.parametrize(("asid_count", "width"), [(2, 1), (3, 2), (16, 4), (17, 5), (1024, 10)])
def test_asid_width(asid_count, width):
    assert EngineConfig(asid_count=asid_count).asid_width == width


@pytest.mark.parametrize(("asid_count", "key_ways", "expected"), [
    (2, None, 2), (16, None, 16), (17, None, 16), (1024, None, 16), (1024, 1024, 1024), (16, 4, 4)])
def test_ways(asid_count, key_ways, expected):
    config = EngineConfig(asid_count=asid_count, key_ways=key_ways)
    assert config.key_ways == config.key_way_count == expected
    assert config.caches_keys == (expected < asid_count)
    assert 1 << config.way_width >= expected


def test_configuration_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EngineConfig().key_bits = 256


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    values = json.loads(json.dumps(preset(name).as_dict()))
    assert EngineConfig(**values | {"sbox": SBox(values["sbox"])}) == preset(name)


def test_where_all_is_pipelined_writes_are():
    assert EngineConfig(pipelined=True, pipelined_writes=False) == EngineConfig(pipelined=True, pipelined_writes=True)


def test_default_preset_differs_from_the_default_configuration_in_its_clock_alone():
    parameters, defaults = preset(DEFAULT_PRESET).as_dict(), EngineConfig().as_dict()
    assert {name for name, value in parameters.items() if value != defaults[name]} == {
        "pipelined", "pipelined_writes", "sbox", "cycles_per_round", "block_ram_rounds", "max_outstanding"}


def test_unknown_preset_is_refused():
    with pytest.raises(ValueError, match=r"^preset must be one of streaming, .*, not 'fast'$"):
        preset("fast")
