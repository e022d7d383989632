"""The firmware in a process of this machine: it boots in surroundings of Python's, and carries out commands."""

import ctypes
import functools
from collections.abc import Sequence
from typing import Any, Protocol

from cbit.csr.map import size_bytes
from cbit_sim.firmware_build import native_library

__all__ = ["DramRegisters", "NativeFirmware", "Surroundings", "library"]

KEY_BYTES = 16
SECRET_BYTES = 32

_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
_WORD = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32))
_INSTALL = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)
_NUMBER = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
_ANSWER = ctypes.CFUNCTYPE(ctypes.c_uint32)
_EVENT = ctypes.CFUNCTYPE(None)
_POKE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
_WAIT = ctypes.CFUNCTYPE(None, ctypes.c_uint32)


class DramRegisters(Protocol):
    """DRAM that the firmware has to level.

    Members
    -------
    table : sequence of :class:`int`
        The words of the map `dram_table`.
    """

    @property
    def table(self) -> Sequence[int]: ...

    def read(self, offset: int) -> int:
        """A register of the controller as it reads."""

    def write(self, offset: int, value: int) -> None:
        """One is written."""

    def wait(self, cycles: int) -> None:
        """So many cycles of the processor's clock have passed."""

    def open(self) -> None:
        """Accesses are let through to DRAM."""


class Surroundings(Protocol):
    """What the security processor is joined to.

    Members
    -------
    tsme : :class:`bool`
        The strap.
    c_bit, asid_count, memory_pages : :class:`int`
        As the engine and memory are.
    device_secret : :class:`bytes`
        32 bytes.
    entropy_failed : :class:`bool`
        Whether a health test has failed.
    caches_flushed : :class:`bool`
        Whether caches were written back and invalidated since the firmware last set it to false.
    dram : :class:`DramRegisters` or :data:`None`
        If there is DRAM that has to be leveled.
    """

    tsme: bool
    dram: DramRegisters | None
    asid_count: int
    device_secret: bytes
    caches_flushed: bool

    @property
    def c_bit(self) -> int: ...

    @property
    def memory_pages(self) -> int: ...

    @property
    def entropy_failed(self) -> bool: ...

    def read(self, address: int, asid: int, length: int) -> bytes | None:
        """Memory as the engine shows it, or :data:`None` for an error."""

    def write(self, address: int, asid: int, data: bytes) -> bool:
        """Whether memory has taken it."""

    def entropy(self) -> int | None:
        """A raw word, or :data:`None` if the source fails."""

    def install(self, slot: int, data_key: bytes, tweak_key: bytes) -> int:
        """A command of the engine: its result, as the register has it."""

    def retire(self, slot: int) -> int:
        """The same."""

    def self_test(self) -> bool:
        """Whether that of the engine has passed."""

    def open_engine(self, *, tsme: bool) -> bool:
        """Whether the engine has opened."""


class _Table(ctypes.Structure):
    """As `native.zig` has it."""

    _fields_ = (
        ("read", _READ), ("write", _READ), ("entropy", _WORD), ("entropy_failed", _ANSWER), ("install", _INSTALL),
        ("retire", _NUMBER), ("self_test", _ANSWER), ("open", _NUMBER), ("caches_flushed", _ANSWER),
        ("forget_flush", _EVENT), ("tsme", ctypes.c_uint32), ("c_bit", ctypes.c_uint32),
        ("asid_count", ctypes.c_uint32), ("memory_pages", ctypes.c_uint32),
        ("device_secret", ctypes.c_uint8 * SECRET_BYTES), ("dram_table", ctypes.POINTER(ctypes.c_uint32)),
        ("dram_read", _NUMBER), ("dram_write", _POKE), ("wait", _WAIT), ("open_dram", _EVENT),
    )


class NativeFirmware:
    """A security processor. There is one in a process at a time: to make one resets that which was before.

    Parameters
    ----------
    surroundings : :class:`Surroundings`
        What it is joined to.

    Attributes
    ----------
    boot_code : :class:`int`
        How the boot has ended: 0x80 for well.
    """

    def __init__(self, surroundings: Surroundings):
        self._surroundings = surroundings
        self._table = _Table(
            _READ(self._read), _READ(self._write), _WORD(self._entropy),
            _ANSWER(lambda: int(surroundings.entropy_failed)), _INSTALL(self._install), _NUMBER(surroundings.retire),
            _ANSWER(lambda: int(not surroundings.self_test())),
            _NUMBER(lambda tsme: int(not surroundings.open_engine(tsme=bool(tsme)))),
            _ANSWER(lambda: int(surroundings.caches_flushed)), _EVENT(self._forget_flush), surroundings.tsme,
            surroundings.c_bit, surroundings.asid_count, surroundings.memory_pages,
            (ctypes.c_uint8 * SECRET_BYTES)(*surroundings.device_secret), *_dram_members(surroundings.dram))
        self.boot_code = int(library().cbit_boot(ctypes.byref(self._table)))

    def command(self, number: int, buffer: int = 0) -> int:
        """The status of a command whose buffer lies at an address. Only if the boot has ended well."""
        return int(library().cbit_command(ctypes.c_uint32(number), ctypes.c_uint64(buffer)))

    def _read(self, address: int, asid: int, place: int, length: int) -> int:
        data = self._surroundings.read(address, asid, length)
        if data is None:
            return 1
        ctypes.memmove(place, data, length)
        return 0

    def _write(self, address: int, asid: int, place: int, length: int) -> int:
        return int(not self._surroundings.write(address, asid, ctypes.string_at(place, length)))

    def _entropy(self, word: Any) -> int:
        value = self._surroundings.entropy()
        if value is None:
            return 1
        word[0] = value
        return 0

    def _install(self, slot: int, data_key: int, tweak_key: int) -> int:
        keys = (ctypes.string_at(place, KEY_BYTES) for place in (data_key, tweak_key))
        return self._surroundings.install(slot, *keys)

    def _forget_flush(self) -> None:
        self._surroundings.caches_flushed = False


def _dram_members(dram: DramRegisters | None) -> tuple[Any, ...]:
    """The end of the table. What is null is never called."""
    if dram is None:
        return None, _NUMBER(), _POKE(), _WAIT(), _EVENT()
    # The table has as many words as the map, whatever the firmware reads of it.
    words = (ctypes.c_uint32 * (size_bytes("dram_table") // 4))(*dram.table)
    return words, _NUMBER(dram.read), _POKE(dram.write), _WAIT(dram.wait), _EVENT(dram.open)


@functools.cache
def library() -> ctypes.CDLL:
    """The firmware as functions of C: those of `native_library.zig` and `native_crypto.zig`."""
    return ctypes.CDLL(str(native_library()))
