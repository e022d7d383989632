"""`cbit regs`: each format against the map."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from cbit.csr import map as register_map
from cbit_cli.regs import regs

MAPS = [(map_name, register) for map_name in register_map.MAP_NAMES for register in register_map.registers(map_name)]
IP_XACT = "{http://www.accellera.org/XMLSchema/IPXACT/1685-2014}"


def run(*arguments):
    return CliRunner().invoke(regs, arguments)


def text_of(style):
    result = run("--format", style)
    assert result.exit_code == 0
    return result.stdout


def test_json_is_the_map():
    assert json.loads(text_of("json")) == register_map.as_dict()


def test_markdown_names_every_register_and_field():
    text = text_of("markdown")
    _, *maps = text.split("# Registers of ")
    for map_name, map_text in zip(register_map.MAP_NAMES, maps):
        sections = {section.splitlines()[0]: section for section in map_text.split("\n## ")}
        for register in register_map.registers(map_name):
            assert all(f"| {field.name} |" in sections[register.name] for field in register.fields)
    assert "| 25:16 | SLOT | Slot, which is the ASID it serves. |" in text
    assert "0 OK, 1 KEY_INCOMPLETE" in text


def test_c_header_compiles_and_has_every_offset_mask_and_value(tmp_path):
    checks = []
    for map_name, register in MAPS:
        name = f"CBIT_{map_name.upper()}_{register.array or register.name}"
        place = f"{name}({register.index}u)" if register.array else name
        checks.append(f"{place} == {register.offset}")
        for field in register.fields:
            checks.append(f"{name}_{field.name}_MASK == {(1 << field.width) - 1 << field.lsb}u")
            checks.append(f"{name}_{field.name}_LSB == {field.lsb}")
            checks += [f"{name}_{field.name}_{value} == {number}" for value, number in field.values.items()]
    (tmp_path / "registers.h").write_text(text_of("c"))
    source = tmp_path / "check.cc"
    lines = [f'static_assert({check}, "{check}");' for check in checks]
    source.write_text('#include "registers.h"\n#include "registers.h"\n' + "\n".join(lines))
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source], check=True)


def test_zig_compiles_and_has_every_offset_field_and_value(tmp_path):
    checks = []
    for map_name, register in MAPS:
        name = f"registers.{map_name}.{register.array or register.name}"
        checks.append(f"{name}.offset + 4 * {register.index} == {register.offset}")
        checks.append(f"@as(u32, @bitCast({name}{{}})) == {register.reset}")
        for field in register.fields:
            checks.append(f'@bitOffsetOf({name}, "{field.name}") == {field.lsb}')
            checks.append(f"@bitSizeOf(@FieldType({name}, \"{field.name}\")) == {field.width}")
            checks += [f"@intFromEnum(@as(@FieldType({name}, \"{field.name}\"), .{value})) == {number}"
                       for value, number in field.values.items()]
    (tmp_path / "registers.zig").write_text(text_of("zig"))
    source = tmp_path / "check.zig"
    lines = [f"    if (!({check})) @compileError({json.dumps(check)});" for check in checks]
    source.write_text("\n".join(['const registers = @import("registers.zig");', "comptime {",
                                 "    @setEvalBranchQuota(100000);", *lines, "}", ""]))
    subprocess.run([sys.executable, "-m", "ziglang", "build-obj", "-fno-emit-bin", "--cache-dir", tmp_path / "cache",
                    "--global-cache-dir", tmp_path / "global", source], check=True, cwd=tmp_path)


def test_ip_xact_has_a_memory_map_for_each_bus():
    component = ET.fromstring(text_of("ipxact"))
    maps = component.findall(f".//{IP_XACT}memoryMap")
    for map_name, memory_map in zip(register_map.MAP_NAMES, maps, strict=True):
        found = {(entry.findtext(f"{IP_XACT}name"), int(entry.findtext(f"{IP_XACT}addressOffset").lstrip("'h"), 16))
                 for entry in memory_map.iter(f"{IP_XACT}register")}
        expected = {(entry.array or entry.name, entry.offset) for entry in register_map.registers(map_name)
                    if not entry.index}
        assert found == expected


def test_html_is_a_folder_of_pages(tmp_path):
    folder = tmp_path / "pages"
    result = run("--format", "html", "--output", folder)
    assert result.exit_code == 0
    assert (folder / "index.html").is_file()
    assert "SELF_TEST_FAILED" in "".join(page.read_text() for page in folder.rglob("*.html"))
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_a_file_takes_the_place_of_standard_output(tmp_path):
    file = tmp_path / "registers.h"
    assert run("--format", "c", "-o", file).stdout == ""
    assert file.read_text() == text_of("c")


@pytest.mark.parametrize(("arguments", "reason"), [
    (["--format", "html"], "give its name with --output"),
    (["--format", "html", "-o", "{folder}"], "must be a new folder"),
    (["--format", "c", "-o", "{folder}"], "must be a file"),
    (["--format", "c", "-o", "{folder}/none/registers.h"], "must be in a folder that exists"),
    (["--format", "vhdl"], "'json', 'markdown', 'c', 'zig', 'ipxact', 'html'"),
])
def test_bad_input_is_refused_and_writes_nothing(tmp_path, arguments, reason):
    result = run(*(argument.format(folder=tmp_path) for argument in arguments))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not list(tmp_path.iterdir())
