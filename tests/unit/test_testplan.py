"""The test plan: every claim names tests, and every test it names is there."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
BENCHES = ROOT / "sim" / "cbit_sim" / "benches"
CLAIMS = tomllib.loads((TESTS / "testplan.toml").read_text())["claim"]


def functions(path):
    """Names of the test functions of a file, those of its classes as ``Class::name``."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                yield name
            case ast.ClassDef(name=name, body=body) if name.startswith("Test"):
                yield from (f"{name}::{part.name}" for part in body if isinstance(part, ast.FunctionDef))


def bench_tests(name):
    """Names of the cocotb tests of a bench."""
    for node in ast.parse((BENCHES / f"{name}.py").read_text()).body:
        match node:
            case ast.AsyncFunctionDef(name=function, decorator_list=[ast.Call(func=ast.Attribute(attr="test"))]):
                yield function


def test_claims_have_distinct_names():
    names = [claim["id"] for claim in CLAIMS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("claim", [pytest.param(claim, id=claim["id"]) for claim in CLAIMS])
def test_claim_names_tests_that_exist(claim):
    assert claim["text"].endswith(".")
    assert claim["tests"]
    for name in claim["tests"]:
        path, _, function = name.partition("::")
        assert function.partition("[")[0] in functions(TESTS / path), name
    for name in claim.get("bench", []):
        bench, _, function = name.partition("::")
        assert function in bench_tests(bench), name


def test_every_row_of_the_readme_names_claims_of_the_plan():
    names = {claim["id"] for claim in CLAIMS}
    section = (ROOT / "README.md").read_text().partition("\n## What it defends against")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows
    for row in rows:
        claims = re.findall(r"`([^`]+)`", row.split("|")[-2])
        assert claims, row
        assert names.issuperset(claims), row
