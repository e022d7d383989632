"""Where fields lie: agreed with the Linux kernel's own headers, by a C compiler."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cbit_model.sev.certificate import CERTIFICATE_BYTES, SIGNED_BYTES
from cbit_model.sev.constants import Command, PlatformState, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS, REPORT, SECRET_HEADER, SESSION, Layout

USER_HEADER = Path("/usr/include/linux/psp-sev.h")
DRIVER_HEADERS = sorted(Path("/usr/src").glob("linux-headers-*-common/include/linux/psp-sev.h"))

STATUSES = {
    "NO_FW_CALL": None, "INAVLID_CONFIG": "INVALID_CONFIG", "INVALID_LEN": "INVALID_LENGTH",
    "DFFLUSH_REQUIRED": "DF_FLUSH_REQUIRED", "HWSEV_RET_PLATFORM": "HARDWARE_ERROR_PLATFORM",
    "HWSEV_RET_UNSAFE": "HARDWARE_ERROR_UNSAFE", "MAX": None,
}
"""The kernel's names of statuses, where they are not ours."""

COMMANDS = {
    "PLATFORM_RESET": "FACTORY_RESET", "LAUNCH_SECRET": "LAUNCH_UPDATE_SECRET", "ATTESTATION": "ATTESTATION_REPORT",
    "COPY": None,
}
"""The same of commands; the kernel knows no COPY."""

DEBUG_NAMES = {"source": "src_addr", "destination": "dst_addr", "length": "len"}

STRUCTURES = {
    Command.INIT: ("sev_data_init", {"tmr_length": "tmr_len"}, ["reserved"]),
    Command.PEK_CSR: ("sev_data_pek_csr", {"length": "len"}, []),
    Command.PEK_CERT_IMPORT: ("sev_data_pek_cert_import", {
        "pek_address": "pek_cert_address", "pek_length": "pek_cert_len", "oca_address": "oca_cert_address",
        "oca_length": "oca_cert_len"}, ["reserved"]),
    Command.PDH_CERT_EXPORT: ("sev_data_pdh_cert_export", {
        "pdh_address": "pdh_cert_address", "pdh_length": "pdh_cert_len", "chain_address": "cert_chain_address",
        "chain_length": "cert_chain_len"}, ["reserved"]),
    Command.GET_ID: ("sev_data_get_id", {"length": "len"}, []),
    Command.DECOMMISSION: ("sev_data_decommission", {}, []),
    Command.ACTIVATE: ("sev_data_activate", {}, []),
    Command.DEACTIVATE: ("sev_data_deactivate", {}, []),
    Command.GUEST_STATUS: ("sev_data_guest_status", {}, []),
    Command.LAUNCH_START: ("sev_data_launch_start", {
        "dh_address": "dh_cert_address", "dh_length": "dh_cert_len", "session_length": "session_len"}, ["reserved"]),
    Command.LAUNCH_UPDATE_DATA: ("sev_data_launch_update_data", {"length": "len"}, ["reserved"]),
    Command.LAUNCH_MEASURE: ("sev_data_launch_measure", {"length": "len"}, ["reserved"]),
    Command.LAUNCH_SECRET: ("sev_data_launch_secret", {
        "header_address": "hdr_address", "header_length": "hdr_len", "guest_length": "guest_len",
        "transport_address": "trans_address", "transport_length": "trans_len"},
        ["reserved1", "reserved2", "reserved3"]),
    Command.LAUNCH_FINISH: ("sev_data_launch_finish", {}, []),
    Command.ATTESTATION: ("sev_data_attestation_report", {"length": "len"}, ["reserved"]),
    Command.DBG_DECRYPT: ("sev_data_dbg", DEBUG_NAMES, ["reserved"]),
    Command.DBG_ENCRYPT: ("sev_data_dbg", DEBUG_NAMES, ["reserved"]),
}
"""The kernel's structure of each command: its name, names of fields where they are not ours, and what is reserved."""

PRELUDE = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define __packed __attribute__((packed))
"""


def run_c(folder: Path, source: str, *options: str) -> list[str]:
    """The lines that a C program prints."""
    (folder / "client.c").write_text(source)
    subprocess.run(["gcc", "-Werror", *options, "-o", "client", "client.c"], cwd=folder, check=True)
    return subprocess.run([folder / "client"], check=True, capture_output=True, text=True).stdout.split()


def place(structure: str, field: str) -> str:
    """A statement that prints a field's offset and size."""
    return (f'printf("%zu+%zu\\n", offsetof(struct {structure}, {field}), sizeof(((struct {structure} *)0)->{field}));')


def size(structure: str) -> str:
    return f'printf("%zu\\n", sizeof(struct {structure}));'


def ours(layout: Layout, names: list[str]) -> list[str]:
    places = {**layout.numbers, **layout.strings}
    return ["{}+{}".format(*places[name]) for name in names]


needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc: apt install gcc")


@needs_gcc
@pytest.mark.skipif(not USER_HEADER.exists(), reason="no linux/psp-sev.h: apt install linux-libc-dev")
def test_statuses_and_status_buffer_are_those_of_the_kernels_users(tmp_path):
    enumeration = USER_HEADER.read_text().partition("typedef enum {")[2].partition("} sev_ret_code;")[0]
    names = re.findall(r"^\s*SEV_RET_(\w+)", enumeration, re.MULTILINE)
    fields = ["api_major", "api_minor", "state", "flags", "build", "guest_count"]
    lines = run_c(tmp_path, PRELUDE + "#include <linux/psp-sev.h>\nint main(void) {\n" + "\n".join([
        *(f'printf("%d\\n", SEV_RET_{name});' for name in names),
        *(place("sev_user_data_status", field) for field in fields), size("sev_user_data_status"), "return 0; }"]))
    values = dict(zip(names, lines))
    by_our_name = {known: int(values[name]) for name in names if (known := STATUSES.get(name, name)) is not None}
    assert by_our_name == {status.name: status.value for status in Status if status.name in by_our_name}
    assert len(by_our_name) >= 24
    layout = COMMAND_BUFFERS[Command.PLATFORM_STATUS]
    assert lines[len(names):] == [*ours(layout, ["api_major", "api_minor", "state"]), "3+4", "7+1",
                                  *ours(layout, ["guests"]), str(layout.size)]
    assert ours(layout, ["owner", "config"]) == ["3+1", "4+4"]


@needs_gcc
@pytest.mark.skipif(not DRIVER_HEADERS, reason="no driver's psp-sev.h: apt install linux-headers-amd64")
def test_command_buffers_are_those_of_the_kernels_driver(tmp_path):
    path = DRIVER_HEADERS[-1]
    structures, functions, _ = path.read_text().partition("#ifdef CONFIG_CRYPTO_DEV_SP_PSP")
    assert functions
    users = (path.parents[1] / "uapi" / "linux" / "psp-sev.h").read_text()
    for name, text in (("linux", structures + "#endif\n"), ("uapi/linux", users)):
        (tmp_path / "include" / name).mkdir(parents=True)
        (tmp_path / "include" / name / "psp-sev.h").write_text(text)
    statements, expected = [], []
    for command in Command:
        name = COMMANDS.get(command.name, command.name)
        if name is not None and f"SEV_CMD_{name}\t" in structures:
            statements.append(f'printf("%d\\n", SEV_CMD_{name});')
            expected.append(str(command.value))
    assert len(expected) == len(Command) - 1
    for state in PlatformState:
        statements.append(f'printf("%d\\n", SEV_STATE_{state.name});')
        expected.append(str(state.value))
    for command, (structure, renamed, reserved) in STRUCTURES.items():
        layout = COMMAND_BUFFERS[command]
        names = [*layout.numbers, *layout.strings]
        statements += [place(structure, renamed.get(name, name)) for name in names]
        statements += [*(place(structure, name) for name in reserved), size(structure)]
        expected += [*ours(layout, names), *("{}+{}".format(*spot) for spot in layout.reserved), str(layout.size)]
    lines = run_c(tmp_path, PRELUDE + "#include <linux/psp-sev.h>\nint main(void) {\n" + "\n".join(statements)
                  + "\nreturn 0; }", "-I", "include")
    assert lines == expected


def test_every_command_with_a_buffer_is_compared():
    assert {*STRUCTURES, Command.PLATFORM_STATUS} == set(COMMAND_BUFFERS)


@pytest.mark.parametrize("layout", [*COMMAND_BUFFERS.values(), SESSION, SECRET_HEADER, REPORT])
def test_fields_fill_a_structure_without_overlap(layout):
    spots = sorted([*layout.numbers.values(), *layout.strings.values(), *layout.reserved])
    end = 0
    for offset, length in spots:
        assert offset == end
        end = offset + length
    assert end == layout.size


def test_fixed_sizes():
    assert (CERTIFICATE_BYTES, SIGNED_BYTES) == (0x824, 0x414)
    assert (SESSION.size, SECRET_HEADER.size, REPORT.size) == (0x80, 0x34, 0xD0)


def test_packing_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"^flags must be from 0 to below 2\^32, not 4294967296$"):
        SECRET_HEADER.pack(flags=1 << 32)
    with pytest.raises(ValueError, match=r"^iv must be 16 bytes, not 15$"):
        SECRET_HEADER.pack(iv=bytes(15))
    with pytest.raises(ValueError, match=r"^Field must be one of flags, iv, mac, not 'nonce'$"):
        SECRET_HEADER.pack(nonce=bytes(16))
    header = SECRET_HEADER.pack(flags=0x01020304, iv=bytes(range(16)))
    assert SECRET_HEADER.number(header, "flags") == 0x01020304
    assert SECRET_HEADER.string(header, "iv") == bytes(range(16))
