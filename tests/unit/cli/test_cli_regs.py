"""`cbit regs`."""

import json

from click.testing import CliRunner

from cbit.csr import map as register_map
from cbit_cli.regs import regs


def test_json_is_the_map():
    assert json.loads(CliRunner().invoke(regs, ["--format", "json"]).stdout) == register_map.as_dict()


def test_markdown_names_every_register_and_field():
    text = CliRunner().invoke(regs, ["--format", "markdown"]).stdout
    _, *maps = text.split("# Registers of ")
    for map_name, map_text in zip(register_map.MAP_NAMES, maps):
        sections = {section.splitlines()[0]: section for section in map_text.split("\n## ")}
        for register in register_map.registers(map_name):
            assert all(f"| {field.name} |" in sections[register.name] for field in register.fields)
    assert "| 25:16 | SLOT | Slot, which is the ASID it serves. |" in text
    assert "0 OK, 1 KEY_INCOMPLETE" in text
