"""The register map: its shape, and what every user of it relies on."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cbit.csr import map as register_map

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=register_map.MAP_NAMES)
def map_name(request):
    return request.param


@pytest.fixture
def registers(map_name):
    return register_map.registers(map_name)


def test_registers_have_distinct_words(map_name, registers):
    offsets = [register.offset for register in registers]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset < register_map.size_bytes(map_name) and offset % 4 == 0 for offset in offsets)


def test_names_are_distinct_and_upper_case(registers):
    names = [register.name for register in registers]
    assert len(names) == len(set(names))
    assert all(name == name.upper() for name in names)


def test_fields_do_not_overlap(registers):
    for register in registers:
        used = 0
        for field in register.fields:
            bits = (1 << field.width) - 1 << field.lsb
            assert not used & bits
            assert bits < 1 << 32
            used |= bits


def test_everything_is_described(registers):
    for register in registers:
        assert register.doc
        assert all(field.doc for field in register.fields)


def test_host_can_write_nothing():
    assert {register.access for register in register_map.registers("host")} == {"ro"}


def test_keys_can_not_be_read():
    keys = [register for register in register_map.registers("psp") if register.name.startswith("KEY_")]
    assert len(keys) == 16
    assert {register.access for register in keys} == {"wo"}


def test_version_is_the_package_version():
    (version,) = (register for register in register_map.registers("psp") if register.name == "VERSION")
    reset = {field.name: field.reset for field in version.fields}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"{reset['MAJOR']}.{reset['MINOR']}.{reset['PATCH']}" == project["version"]


def test_json_has_the_promised_shape():
    maps = json.loads(json.dumps(register_map.as_dict()))
    assert list(maps) == ["psp", "host", "processor", "dram_table", "mailbox"]
    for registers in maps.values():
        for register in registers:
            assert {"name", "offset", "access", "fields", "doc"} <= set(register)
            assert register["access"] in ("rw", "ro", "wo")
            for field in register["fields"]:
                assert {"name", "lsb", "width", "doc"} <= set(field)


def test_mailbox_has_the_offsets_of_the_driver():
    """Those of `ccp` in Linux, and BOOT_STATUS, which is ours."""
    assert {entry.name: entry.offset for entry in register_map.registers("mailbox")} == {
        "INTERRUPT_ENABLE": 0x10690, "INTERRUPT_STATUS": 0x10694, "COMMAND": 0x10980, "BUFFER_LOW": 0x109e0,
        "BUFFER_HIGH": 0x109e4, "FEATURE": 0x109fc, "BOOT_STATUS": 0x10a00}


def test_unknown_map_is_refused():
    names = "psp, host, processor, dram_table, mailbox"
    with pytest.raises(ValueError, match=rf"^Register map must be one of {names}, not 'guest'$"):
        register_map.registers("guest")


def test_map_needs_no_amaranth():
    program = "import sys, cbit.csr.map as m; m.as_dict(); assert 'amaranth' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
