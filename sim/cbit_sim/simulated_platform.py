"""A platform of gateware with the security processor's firmware, simulated in a process of its own, and its host."""

import concurrent.futures
import contextlib
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from cbit.config import EngineConfig
from cbit_model.sev.constants import Command
from cbit_model.sev.ports import AccessError
from cbit_model.sev.psp import command_of
from cbit_sim.entropy_words import recorded_words
from cbit_sim.firmware_build import firmware
from cbit_sim.manager import Transaction
from cbit_sim.platform_run import PLATFORM_CONFIG, simulate_platform
from cbit_sim.runner import build
from cbit_sim.sev_host import SevHost
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES
from cbit_sim.wire import Wire

__all__ = ["PlatformStoppedError", "Progress", "SimulatedPlatform"]

Progress = Callable[[str, int], None]
"""Called with what is being done, and the cycles of the security processor that it has taken; 0 as it begins."""

_POLL_SECONDS = 0.2
_PIECE_BYTES = 1 << 16
_SCRATCH_BYTES = 1 << 14


class PlatformStoppedError(RuntimeError):
    """The security processor has stopped, or has never released the host; the text says with which boot code."""


class SimulatedPlatform:
    """A security processor that has booted, memory, and the host. The simulation only runs while it is asked something.

    The same seed and the same requests give the same platform, cycle by cycle.

    Parameters
    ----------
    seed : :class:`int`
        Of the simulated entropy, of what registers hold before reset, and of DRAM's delays. From 0 to 2^32 - 2.
    config : :class:`~cbit.config.EngineConfig`
        The engine: one that the security processor can have, see :class:`~cbit.psp.platform.Platform`.
    image : :class:`bytes`
        What the processor runs; by default :func:`cbit_sim.firmware_build.firmware`.
    progress : callable
        Told of what takes time, see :data:`Progress`.

    Members
    -------
    memory : :class:`SimulatedPlatform`
        This platform as memory: :meth:`read` and :meth:`write`.
    host : :class:`~cbit_sim.sev_host.SevHost`
        Its host.
    cycles : :class:`int`
        Cycles of the security processor's clock since reset, at the end of the last request.
    engine_cycles : :class:`int`
        The same of the engine's clock.

    Raises
    ------
    PlatformStoppedError
        If it does not boot.
    cbit_sim.firmware_build.FirmwareError, cbit_sim.simulators.MissingToolError, cbit_sim.simulators.BuildError
        If it can not be built.
    """

    def __init__(self, seed: int = 1, *, config: EngineConfig = PLATFORM_CONFIG, image: bytes | None = None,
                 progress: Progress | None = None) -> None:
        if not 0 <= seed < (1 << 32) - 1:
            raise ValueError(f"seed must be from 0 to 2^32 - 2, not {seed}")
        self._tell = progress or (lambda _text, _cycles: None)
        self.memory = self
        self.host = SevHost(self, self.mailbox, scratch=PLATFORM_MEMORY_BYTES - _SCRATCH_BYTES)
        self.cycles = 0
        self.engine_cycles = 0
        if image is None:
            self._tell("compiling the firmware", 0)
            image = firmware().image
        self._tell("building the simulation (minutes, once)", 0)
        build("platform", config)
        with contextlib.ExitStack() as leftovers:
            self._start(config, image, seed, leftovers)
            self._ask("booting", "boot")
            self._leftovers = leftovers.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the simulation."""
        self._leftovers.close()

    def mailbox(self, word: int, buffer: int) -> int:
        """The response to a command word, as a driver gets it."""
        number = command_of(word)
        name = Command(number).name if number in set(Command) else f"command {number:#x}"
        return int(self._ask(name, "command", word=word, buffer=buffer)["response"])

    def read(self, address: int, length: int, asid: int) -> bytes:
        """Bytes as software under an ASID sees them. Raises :class:`~cbit_model.sev.ports.AccessError`."""
        content = bytearray()
        for begin in range(0, length, _PIECE_BYTES):
            answer = self._ask("", "read", address=address + begin, length=min(_PIECE_BYTES, length - begin), asid=asid)
            if "content" not in answer:
                raise AccessError(f"Memory denies a read at {address + begin:#x} under ASID {asid}")
            content += bytes.fromhex(answer["content"])
        return bytes(content)

    def write(self, address: int, data: bytes, asid: int) -> None:
        """The inverse. Raises :class:`~cbit_model.sev.ports.AccessError`."""
        for begin in range(0, len(data), _PIECE_BYTES):
            answer = self._ask("", "write", address=address + begin, data=data[begin:begin + _PIECE_BYTES].hex(),
                               asid=asid)
            if not answer["is_good"]:
                raise AccessError(f"Memory denies a write at {address + begin:#x} under ASID {asid}")

    def perform(self, bursts: Sequence[Transaction]) -> None:
        """Carries out bursts at the managers' port, several at a time, and notes in each what came of it."""
        answer = self._ask("", "perform", bursts=[(burst.address, burst.data) for burst in bursts])
        for burst, (responses, read) in zip(bursts, answer["bursts"], strict=True):
            burst.responses, burst.read = responses, read

    def dram(self, address: int, length: int) -> bytes:
        """What an attacker at the DRAM sees."""
        return bytes.fromhex(self._ask("", "dram", address=address, length=length)["content"])

    def overwrite(self, address: int, content: bytes) -> None:
        """Puts bytes in DRAM, as an attacker does."""
        self._ask("", "overwrite", address=address, data=content.hex())

    def changes(self) -> dict[int, bytes]:
        """The pages of DRAM, by address, that are not as they were when this was asked last; all were zero before."""
        return {start: bytes.fromhex(content) for start, content in self._ask("", "changes")["pages"]}

    def registers(self) -> dict[str, int]:
        """Every word that the host can read of the mailbox, by name."""
        words: dict[str, int] = self._ask("", "registers")["words"]
        return words

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self._ask("", "flush_caches")

    def entropy_words(self) -> list[int]:
        """The raw words that it has taken since reset. With them the golden model gives the same keys."""
        return recorded_words(self._words)

    def _start(self, config: EngineConfig, image: bytes, seed: int, leftovers: contextlib.ExitStack) -> None:
        """Begins the simulation, and waits until it is on the wire."""
        folder = Path(leftovers.enter_context(tempfile.TemporaryDirectory(prefix="cbit-")))
        path, self._words = folder / "socket", folder / "words"
        pool = leftovers.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(_POLL_SECONDS)
            self._run = pool.submit(simulate_platform, "cbit_sim.benches.psp_service", image, config=config,
                                    parameters={"socket": str(path), "seed": seed}, entropy=self._words)
            self._wire = Wire(self._accept(listener))
        leftovers.callback(self._wire.close)

    def _accept(self, listener: socket.socket) -> socket.socket:
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                if self._run.done():
                    self._run.result()
                    raise PlatformStoppedError("The simulation has ended before it began") from None
            else:
                connection.settimeout(None)
                return connection

    def _ask(self, text: str, ask: str, **request: Any) -> dict[str, Any]:
        """The answer to a request; with a text, progress is told."""
        if text:
            self._tell(text, 0)
        try:
            self._wire.send(ask=ask, **request)
            while "answer" not in (message := self._wire.receive()):
                self._tell(text, message["cycles"])
        except (EOFError, OSError) as error:
            self._run.result()
            raise PlatformStoppedError("The simulation has ended") from error
        answer: dict[str, Any] = message["answer"]
        self.cycles, self.engine_cycles = answer["cycle"], answer["engine_cycle"]
        if "boot_code" in answer:
            raise PlatformStoppedError(f"The security processor has stopped with boot code {answer['boot_code']:#x}")
        return answer
