"""A prompt at the mailbox: commands of the SEV API by name, and the host's memory."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from cbit_cli.files import require_writable, write_together
from cbit_cli.hosting.running import telling
from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS, Layout
from cbit_model.sev.ports import AccessError
from cbit_sim.platforms import HostedPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["Shell"]

_PROMPT = "psp> "
_LINE_BYTES = 16
_ALIASES = {"status": Command.PLATFORM_STATUS}
_COMMANDS = {command.name.lower().replace("_", "-"): command for command in Command} | _ALIASES

_HELP = """\
status, init, launch-start policy=1, activate handle=1 asid=1, and so on:
    a command of the SEV API, with fields of its buffer as NAME=VALUE, all others zero. Numbers are decimal, or
    hexadecimal after 0x; a nonce is 32 hexadecimal digits. Prints the status, and the fields that the PSP has changed.
help COMMAND                        the fields of a command's buffer
write ADDRESS FILE|HEX [ASID]       bytes into memory, as the host or under an ASID, with the C-bit where ADDRESS has it
read ADDRESS LENGTH [ASID] [> FILE] bytes of memory as software sees them
dram ADDRESS LENGTH [> FILE]        bytes as an attacker at the DRAM sees them
wbinvd                              write back and invalidate the host's caches
quit"""


class Shell:
    """Carries out lines.

    Parameters
    ----------
    platform : :class:`~cbit_sim.platforms.HostedPlatform`
        On which.
    """

    def __init__(self, platform: HostedPlatform) -> None:
        self._platform = platform
        self._verbs: dict[str, Callable[[Sequence[str]], None]] = {
            "help": self._help, "write": self._write, "read": self._read, "dram": self._dram, "wbinvd": self._wbinvd}

    def run(self, *, is_interactive: bool) -> None:
        """Lines of standard input until it or they end it.

        Raises
        ------
        click.UsageError
            If a line can not be understood, unless somebody is at the prompt, who is told.
        """
        for number, line in enumerate(_prompted() if is_interactive else _given(), 1):
            try:
                words = shlex.split(line, comments=True)
                if words and words[0] in ("quit", "exit"):
                    return
                if words:
                    self._carry_out(words)
            except (click.ClickException, ValueError, OSError) as error:
                text = _text_of(error)
                if not is_interactive:
                    raise click.UsageError(f"line {number}: {text}") from error
                click.echo(f"cbit: {text}", err=True)

    def _carry_out(self, words: Sequence[str]) -> None:
        verb, *arguments = words
        if (perform := self._verbs.get(verb)) is not None:
            perform(arguments)
        elif verb in _COMMANDS:
            self._command(_COMMANDS[verb], arguments)
        else:
            raise ValueError(f"command must be one that help lists, not {verb!r}")

    def _command(self, command: Command, arguments: Sequence[str]) -> None:
        layout = COMMAND_BUFFERS.get(command, Layout(0))
        fields = dict(_field(layout, command, argument) for argument in arguments)
        given = layout.pack(**fields)
        with telling():
            reply = self._platform.host.raw(command, given)
        click.echo(f"{reply.status.name}{'' if reply.status is Status.SUCCESS else f' ({reply.status.value:#x})'}")
        for name in layout.numbers:
            if layout.number(reply.buffer, name) != layout.number(given, name):
                click.echo(f"  {name} {layout.number(reply.buffer, name):#x}")

    def _help(self, arguments: Sequence[str]) -> None:
        for name in arguments:
            if name not in _COMMANDS:
                raise ValueError(f"command must be one of {', '.join(_COMMANDS)}, not {name!r}")
            layout = COMMAND_BUFFERS.get(_COMMANDS[name], Layout(0))
            click.echo(" ".join([name, *(f"{field}=" for field in (*layout.numbers, *layout.strings))]))
        if not arguments:
            click.echo(_HELP)
            click.echo(f"commands: {', '.join(_COMMANDS)}")

    def _write(self, arguments: Sequence[str]) -> None:
        address, content, *rest = _at_least(arguments, 2, "write ADDRESS FILE|HEX [ASID]")
        data = bytes.fromhex(content) if not Path(content).exists() and _is_hex(content) else Path(content).read_bytes()
        self._access(lambda: self._platform.memory.write(_number(address), data, _asid(rest)))
        click.echo(f"{len(data)} bytes")

    def _read(self, arguments: Sequence[str]) -> None:
        words, target = _redirected(arguments)
        address, length, *rest = _at_least(words, 2, "read ADDRESS LENGTH [ASID] [> FILE]")
        self._show(_number(address), target,
                   lambda: self._platform.memory.read(_number(address), _length(length), _asid(rest)))

    def _dram(self, arguments: Sequence[str]) -> None:
        words, target = _redirected(arguments)
        address, length = _at_least(words, 2, "dram ADDRESS LENGTH [> FILE]")[:2]
        self._show(_number(address), target, lambda: self._platform.dram(_number(address), _length(length)))

    def _show(self, address: int, target: Path | None, look: Callable[[], bytes]) -> None:
        if target is not None:
            require_writable(target, "FILE")
        content = self._access(look)
        if target is not None:
            write_together({target: content})
            click.echo(f"{len(content)} bytes")
            return
        for start in range(0, len(content), _LINE_BYTES):
            click.echo(f"{address + start:#x}: {content[start:start + _LINE_BYTES].hex(' ')}")

    def _access(self, perform: Callable[[], bytes | None]) -> bytes:
        try:
            return perform() or b""
        except AccessError as error:
            raise ValueError(f"{error}") from error

    def _wbinvd(self, _arguments: Sequence[str]) -> None:
        self._platform.flush_caches()


def _prompted() -> Iterator[str]:
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            return


def _given() -> Iterator[str]:
    yield from sys.stdin


def _text_of(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _field(layout: Layout, command: Command, argument: str) -> tuple[str, int | bytes]:
    name, is_given, value = argument.partition("=")
    places = (*layout.numbers, *layout.strings)
    if not is_given or name not in places:
        wanted = f"one of {', '.join(places)}, as NAME=VALUE" if places else "absent"
        raise ValueError(f"field of {command.name} must be {wanted}, not {argument!r}")
    if name in layout.strings:
        if not _is_hex(value):
            raise ValueError(f"{name} must be hexadecimal digits, not {value!r}")
        return name, bytes.fromhex(value)
    return name, _number(value)


def _at_least(arguments: Sequence[str], count: int, usage: str) -> Sequence[str]:
    if not count <= len(arguments) <= count + 1:
        raise ValueError(f"line must be {usage}")
    return arguments


def _redirected(arguments: Sequence[str]) -> tuple[Sequence[str], Path | None]:
    """Words before ``>``, and the file after it."""
    if ">" not in arguments:
        return arguments, None
    place = list(arguments).index(">")
    if len(arguments) != place + 2:
        raise ValueError("one file must follow >")
    return arguments[:place], Path(arguments[-1])


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"number must be as 4096 or 0x1000, not {text!r}") from None


def _length(text: str) -> int:
    length = _number(text)
    if not 0 < length <= PLATFORM_MEMORY_BYTES:
        raise ValueError(f"length must be from 1 to {PLATFORM_MEMORY_BYTES}, not {text}")
    return length


def _asid(rest: Sequence[str]) -> int:
    return _number(rest[0]) if rest else 0


def _is_hex(text: str) -> bool:
    return bool(text) and len(text) % 2 == 0 and all(digit in "0123456789abcdefABCDEF" for digit in text)
