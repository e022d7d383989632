"""The `cbit` command itself: help, refusals as one line, and what stands behind each subcommand's name."""

import subprocess
import sys

import click
import pytest

from cbit_cli import main as cli


def run(capsys, *arguments):
    """Runs the command in this process; returns exit status, standard output, standard error."""
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    captured = capsys.readouterr()
    return exit_.value.code or 0, captured.out, captured.err


@pytest.fixture
def failing(monkeypatch):
    """Makes a subcommand that raises what it is given."""
    def register(error):
        @click.command()
        def regs():
            raise error
        monkeypatch.setattr("cbit_cli.regs.regs", regs)
    return register


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_shows_the_way_from_first_run_to_own_soc(capsys, arguments):
    status, out, err = run(capsys, *arguments)
    steps = ["cbit demo", "cbit presets", "cbit verilog", "cbit regs"]
    assert (status, err) == (0, "")
    assert [out.index(step) for step in steps] == sorted(out.index(step) for step in steps)
    assert all(text in out for _, text in cli.COMMANDS.values())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_subcommand_has_help(capsys, name):
    status, out, err = run(capsys, name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: cbit {name}")


def test_help_imports_no_subcommand():
    program = ("import sys; from cbit_cli.main import main\n"
               "try: main(['--help'])\n"
               "except SystemExit: pass\n"
               "assert not {'amaranth', 'numpy', 'systemrdl', 'cbit_cli.regs'} & set(sys.modules), sys.modules")
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(("error", "text"), [
    (click.UsageError("Key bits must be\n 128 or 256, not 3"), "Key bits must be 128 or 256, not 3"),
    (FileNotFoundError(2, "No such file or directory", "there.v"), "there.v: No such file or directory"),
])
def test_refusals_are_one_line_with_status_2(capsys, failing, error, text):
    failing(error)
    assert run(capsys, "regs") == (2, "", f"cbit: {text}\n")


def test_interruption_ends_with_the_status_of_shells(capsys, failing):
    failing(KeyboardInterrupt())
    assert run(capsys, "regs") == (130, "", "\ncbit: interrupted\n")


@pytest.mark.parametrize("fault", [ValueError("must not happen"), KeyError("slot"), AssertionError()])
def test_faults_of_ours_keep_their_traceback(failing, fault):
    failing(fault)
    with pytest.raises(type(fault)) as raised:
        cli.main(["regs"])
    assert raised.value is fault


@pytest.mark.parametrize(("arguments", "text"), [
    (("nothing",),
     "command must be one of demo, model, presets, verilog, regs, regress, soak, coverage, bench, mutate, upset, "
     "explore, boards, build, psp, owner, board, not 'nothing'"),
    (("model", "nothing"), "command must be one of decrypt, encrypt, not 'nothing'"),
    (("--nothing",), "No such option '--nothing'. Options are --version, --help."),
    (("regs", "--from", "json"), "No such option '--from'. Options are --format, -o, --help."),
    (("regs", "--format", "xml"),
     "Invalid value for '--format': 'xml' is not one of 'json', 'markdown', 'c', 'zig', 'ipxact', 'html'."),
    (("regs", "more"), "Got unexpected extra argument (more)"),
])
def test_bad_usage_is_one_line_with_status_2(capsys, arguments, text):
    assert run(capsys, *arguments) == (2, "", f"cbit: {text}\n")


def test_reader_that_leaves_is_no_error():
    program = subprocess.Popen([sys.executable, "-c", "from cbit_cli.main import main; main(['regs'])"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    program.stdout.close()
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait() == 1


@pytest.mark.parametrize(("arguments", "text"), [
    (("--preset", "fast"), "preset must be one of streaming, "),
    (("--set", "key_bits=3"), "key_bits must be 128 or 256, not 3\n"),
    (("--set", "c_bit=48"), "c_bit must be an integer from 13 to 47, not 48\n"),
])
def test_bad_configuration_is_one_line_with_status_2(capsys, arguments, text):
    status, out, err = run(capsys, "verilog", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cbit: {text}")


def test_group_without_subcommand_shows_its_help(capsys):
    status, out, err = run(capsys, "model")
    assert (status, err) == (0, "")
    assert out.startswith("Usage: cbit model")


def test_version(capsys):
    assert run(capsys, "--version")[1].startswith("cbit, version ")
