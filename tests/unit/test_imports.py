"""Who may import whom: the directions of the design, walked over the sources."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PACKAGES = {
    "cbit": ("hdl", set()),
    "cbit_model": ("sim", set()),
    "cbit_sim": ("sim", {"cbit", "cbit_model"}),
    "cbit_fpga": ("fpga", {"cbit", "cbit_sim"}),
    "cbit_boards": ("boards", {"cbit", "cbit_sim", "cbit_fpga"}),
    "cbit_cli": ("scripts", {"cbit", "cbit_model", "cbit_sim", "cbit_boards", "cbit_fpga"}),
}
"""Package to its folder and to those of our packages that it may import."""

ORDER = ("config", "guard", "stream", "axi", "aes", "keys", "xts", "access", "csr", "serial", "read", "write",
         "engine", "psp", "dram", "traffic", "soc")
"""The parts of `cbit`: each may import those before it."""

WITHOUT_AMARANTH = ("cbit.config", "cbit.csr.map", "cbit.csr.blocks", "cbit.csr.zig_header")
"""Modules that tools use without a gateware toolchain."""


def sources(package):
    return sorted((ROOT / PACKAGES[package][0] / package).rglob("*.py"))


def module_name(path, package):
    parts = path.relative_to(ROOT / PACKAGES[package][0]).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, package):
    """Full names of the modules that a file imports, those given to ``import_module`` too."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=name, level=0):
                yield name
            case ast.ImportFrom(module=name, level=1):
                folder = ".".join(path.relative_to(ROOT / PACKAGES[package][0]).parent.parts)
                yield f"{folder}.{name}" if name else folder
            case ast.ImportFrom():
                pytest.fail(f"{path} imports from a parent folder without naming it")
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                          args=[ast.Constant(value=str(name)), *_]):
                yield name


@pytest.mark.parametrize("package", [package for package, (folder, _) in PACKAGES.items()
                                     if (ROOT / folder / package).is_dir()])
def test_packages_import_in_one_direction(package):
    allowed = PACKAGES[package][1] | {package}
    paths = sources(package)
    assert paths
    for path in paths:
        ours = {name.partition(".")[0] for name in imports(path, package)} & {*PACKAGES, "tests"}
        assert ours <= allowed, path


def test_parts_of_the_gateware_import_in_one_direction():
    for path in sources("cbit"):
        part, *_ = [*module_name(path, "cbit").split(".")[1:], None]
        if part is not None:
            used = {name.split(".")[1] for name in imports(path, "cbit") if name.startswith("cbit.")}
            assert used <= set(ORDER[:ORDER.index(part) + 1]), path


@pytest.mark.parametrize("module", WITHOUT_AMARANTH)
def test_tables_for_tools_need_no_amaranth(module):
    (path,) = (path for path in sources("cbit") if module_name(path, "cbit") == module)
    assert not any(name.startswith("amaranth") for name in imports(path, "cbit"))


def test_tests_import_nothing_of_each_other():
    paths = sorted((ROOT / "tests").rglob("*.py"))
    names = [path.stem for path in paths]
    assert len(names) == len(set(names))
    for path in paths:
        used = {name.partition(".")[0] for name in imports(path, "cbit")} if path.name != "conftest.py" else set()
        assert not used & {"tests", "conftest", *names}, path
