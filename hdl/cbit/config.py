"""What an engine can be: its parameters, their ranges, and the presets.

Plain Python without Amaranth, so that tools read a configuration without a gateware toolchain.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT_PRESET", "NARROW", "PRESETS", "SERIAL", "EngineConfig", "SBox", "preset"]


class SBox(enum.Enum):
    """How the AES S-box (FIPS 197, 5.1.1) is built. All three are proven equal.

    ``TABLE``
        A 256-byte read-only memory in LUTs: shallow, 128 to 160 LUT4 each on ECP5, fast to simulate.
    ``COMPOSITE``
        Inversion in GF((2^4)^2): about 70 LUT4 each on ECP5, deeper, ten times slower to simulate.
    ``BLOCK_RAM``
        Half a dual-ported block RAM each, which holds part of MixColumns, too: the fewest LUT4. Its address
        register is the round's register, so only one round fits a cycle.
    """

    TABLE = "table"
    COMPOSITE = "composite"
    BLOCK_RAM = "block_ram"


DEFAULT_KEY_WAYS = 16
"""As many as a cell of distributed RAM holds."""


SERIAL: Mapping[str, Any] = {
    "serial": True, "data_width": 128, "data_unit_bytes": 64, "duplex": False, "unroll": 2, "rounds_per_cycle": 1,
    "cycles_per_round": 2, "pipelined": False, "pipelined_writes": False, "sbox": SBox.BLOCK_RAM, "max_outstanding": 4}
"""What goes with ``serial``."""

NARROW: Mapping[str, Any] = {**SERIAL, "unroll": 1, "cycles_per_round": 5, "max_outstanding": 2}
"""What goes with ``serial`` if ``unroll`` is 1: a round column by column."""


def _as_text(value: object) -> object:
    return value.value if isinstance(value, SBox) else value


def _require(what: str, rule: str, value: object, *, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{what} must be {rule}, not {value!r}")


def _require_integer(what: str, value: object, low: int, high: int, *, power: bool = False) -> None:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    rule = f"{'a power of two' if power else 'an integer'} from {low} to {high}"
    _require(what, rule, value, holds=is_integer)
    assert isinstance(value, int)
    _require(what, rule, value, holds=low <= value <= high and (not power or value & (value - 1) == 0))


def _require_choice(what: str, value: object, choices: tuple[int, ...]) -> None:
    rule = " or ".join(str(choice) for choice in choices)
    _require(what, rule, value, holds=not isinstance(value, bool) and value in choices)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """The parameters of one engine.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address on the managers' port, the C-bit included. 32 to 64.
    c_bit : :class:`int`
        Position of the C-bit. 13 to ``addr_width - 1``. Address bits above it must be zero.
    id_width : :class:`int`
        Bits of an AXI ID, the same on both ports. 1 to 8.
    data_width : :class:`int`
        Bits of a data bus. 128, 256 or 512: one, two or four AES blocks a beat, and a lane with as many pipelines.
    asid_count : :class:`int`
        Number of ASIDs, the host's ASID 0 included, and of key slots. 2 to 1024.
    key_ways : :class:`int` or :data:`None`
        Slots whose round keys are expanded at a time; if fewer than ``asid_count``, an access under another waits
        until its key is expanded in place of one not used of late. 2 to ``asid_count``. :data:`None` means all
        of up to 16, and 16 of more.
    key_bits : :class:`int`
        Bits of each of the two AES keys of a slot. 128 or 256.
    data_unit_bytes : :class:`int`
        Bytes of an XTS data unit (IEEE 1619). 64 or 4096.
    duplex : :class:`bool`
        ``True``: a lane for reads and one for writes, each with an AES pipeline for each block of a beat. ``False``:
        both share one lane that works in both directions.
    unroll : :class:`int` or :data:`None`
        AES rounds in hardware; a block enters every ``ceil(rounds / unroll)`` cycles. 1 to ``rounds``,
        a multiple of ``rounds_per_cycle``. :data:`None` means all rounds.
    rounds_per_cycle : :class:`int`
        AES rounds between two registers. 1 or 2; 1 with ``SBox.BLOCK_RAM``.
    cycles_per_round : :class:`int`
        Registers in an AES round, where ``rounds_per_cycle`` is 1. 1 to 5: each raises the clock and the
        latency.
    pipelined : :class:`bool`
        Whether the bus side, too, has registers between its steps: for clocks that the AES rounds reach
        with two or more ``cycles_per_round``, at the price of some cycles on each access.
    pipelined_writes : :class:`bool`
        Whether at least what no read waits for has these registers: the ways of writes, and of the requests for tweaks,
        which are there before DRAM's data. ``True`` if ``pipelined``, whatever is given. Not with ``serial``.
    serial : :class:`bool`
        Whether the bus side takes reads one after the other, and writes, through one ring of two AES rounds: less than
        a third of the size, and enough for memory that takes eight cycles for a block. A block takes six cycles, with
        AES-256 eight, a plain beat two, and each burst some more; at most three reads are in flight to DRAM, and two
        writes. A partial block waits until all earlier writes are answered. It takes ``data_width`` 128,
        ``data_unit_bytes`` 64, at most 16 ASIDs with as many ``key_ways``, ``unroll`` 2, ``cycles_per_round`` 2,
        ``SBox.BLOCK_RAM``, none of ``duplex``, ``pipelined`` and ``pipelined_writes``, and ``max_outstanding`` 4. Or
        the same with ``unroll`` 1, ``cycles_per_round`` 5 and ``max_outstanding`` 2: a round by columns, for the
        smallest devices, with all blocks in memory of 32 bits with one port. A block takes about 80 cycles, a plain
        beat 14; two reads are in flight.
    sbox : :class:`SBox`
        How the S-boxes are built.
    block_ram_rounds : :class:`int`
        With ``SBox.BLOCK_RAM``, most rounds in hardware that have it, at eight block RAMs each; those beyond have
        ``SBox.COMPOSITE``. Lanes come before tweaks. 0 to 140, which is all of the largest engine.
    guarded : :class:`bool`
        Whether registers of control have shadows: if one bit of them flips, the engine closes until reset. It costs
        LUTs, no cycle. A register of a bit for each of 128 bursts or ways would be taken for data, so that these are
        fewer then: ``max_outstanding`` at most 64, ``key_ways`` at most 127.
    max_outstanding : :class:`int`
        Bursts of managers in flight to DRAM in each direction. A power of two from 4 to 256, or 2. With 32, lines of 64
        bytes keep full bandwidth on a bus of 128 bits while DRAM answers within 80 cycles; with 16, within 30. If
        writes are pipelined, 64 do for them while it answers within 30. On a wider bus lines take fewer cycles, so that
        more are in flight: with 256 bits 64 do while it answers within 80, with 512 within 30, but not for writes if
        these are pipelined.

    Raises
    ------
    ValueError
        If a parameter is outside its range; the text names parameter, rule and value.
    """

    addr_width: int = 48
    c_bit: int = 47
    id_width: int = 4
    data_width: int = 128
    asid_count: int = 16
    key_ways: int | None = None
    key_bits: int = 128
    data_unit_bytes: int = 64
    duplex: bool = True
    unroll: int | None = None
    rounds_per_cycle: int = 1
    cycles_per_round: int = 1
    pipelined: bool = False
    pipelined_writes: bool = False
    serial: bool = False
    sbox: SBox = SBox.TABLE
    block_ram_rounds: int = 140
    guarded: bool = False
    max_outstanding: int = 32

    def __post_init__(self) -> None:
        _require_integer("addr_width", self.addr_width, 32, 64)
        _require_integer("c_bit", self.c_bit, 13, self.addr_width - 1)
        _require_integer("id_width", self.id_width, 1, 8)
        _require_choice("data_width", self.data_width, (128, 256, 512))
        _require_integer("asid_count", self.asid_count, 2, 1024)
        if self.key_ways is None:
            object.__setattr__(self, "key_ways", min(self.asid_count, DEFAULT_KEY_WAYS))
        _require_integer("key_ways", self.key_ways, 2, self.asid_count)
        _require_choice("key_bits", self.key_bits, (128, 256))
        _require_choice("data_unit_bytes", self.data_unit_bytes, (64, 4096))
        _require("duplex", "true or false", self.duplex, holds=isinstance(self.duplex, bool))
        _require_choice("rounds_per_cycle", self.rounds_per_cycle, (1, 2))
        _require_integer("cycles_per_round", self.cycles_per_round, 1, 5)
        _require("cycles_per_round", "1 with two rounds_per_cycle", self.cycles_per_round,
                 holds=self.rounds_per_cycle == 1 or self.cycles_per_round == 1)
        _require("pipelined", "true or false", self.pipelined, holds=isinstance(self.pipelined, bool))
        _require("pipelined_writes", "true or false", self.pipelined_writes,
                 holds=isinstance(self.pipelined_writes, bool))
        if self.pipelined:
            object.__setattr__(self, "pipelined_writes", True)
        _require("guarded", "true or false", self.guarded, holds=isinstance(self.guarded, bool))
        _require("sbox", " or ".join(kind.value for kind in SBox), self.sbox, holds=isinstance(self.sbox, SBox))
        _require("rounds_per_cycle", "1 with the block_ram S-box", self.rounds_per_cycle,
                 holds=self.sbox is not SBox.BLOCK_RAM or self.rounds_per_cycle == 1)
        _require_integer("block_ram_rounds", self.block_ram_rounds, 0, 140)
        _require_integer("max_outstanding", self.max_outstanding, 2 if self.narrow else 4, 256, power=True)
        _require("max_outstanding", "at most 64 if guarded", self.max_outstanding,
                 holds=not self.guarded or self.max_outstanding <= 64)
        _require("key_ways", "at most 127 if guarded", self.key_ways,
                 holds=not self.guarded or self.key_way_count <= 127)
        if self.unroll is None:
            object.__setattr__(self, "unroll", self.rounds)
        _require_integer("unroll", self.unroll, 1, self.rounds)
        _require("unroll", f"a multiple of rounds_per_cycle ({self.rounds_per_cycle})", self.unroll,
                 holds=self.unroll_rounds % self.rounds_per_cycle == 0)
        _require("serial", "true or false", self.serial, holds=isinstance(self.serial, bool))
        if self.serial:
            self._require_serial()

    def _require_serial(self) -> None:
        """What the serial bus side is built for."""
        for name, value in (NARROW if self.narrow else SERIAL).items():
            given = getattr(self, name)
            _require(name, f"{_as_text(value)} if serial", _as_text(given), holds=given == value)
        _require("asid_count", "at most 16 if serial", self.asid_count, holds=self.asid_count <= DEFAULT_KEY_WAYS)
        _require("key_ways", "asid_count if serial", self.key_ways, holds=not self.caches_keys)

    @property
    def rounds(self) -> int:
        """AES rounds of ``key_bits`` (FIPS 197, 5): 10 or 14."""
        return {128: 10, 256: 14}[self.key_bits]

    @property
    def narrow(self) -> bool:
        """Whether it is ``serial``, and its round works by columns."""
        return self.serial and self.unroll == 1

    @property
    def unroll_rounds(self) -> int:
        """``unroll`` as the number it stands for."""
        return self.rounds if self.unroll is None else self.unroll

    @property
    def aes_latency_cycles(self) -> int:
        """Cycles a block spends in an AES pipeline: two more where rounds take several, for the first round key; and by
        columns one more for each round, and four in which it enters."""
        if self.narrow:
            return self.rounds * (self.cycles_per_round + 1) + 2 + 4
        return self.rounds * self.cycles_per_round // self.rounds_per_cycle + 2 * (self.cycles_per_round > 1)

    @property
    def block_cycles(self) -> int:
        """Cycles in which an AES pipeline takes a block: of a ring as often as a block goes around, and if ``serial``
        one more, in which its place is free; by columns, what it takes from the store, through the ring and back."""
        if self.narrow:
            return self.aes_latency_cycles + 14
        return -(-self.rounds // self.unroll_rounds) + self.serial

    @property
    def asid_width(self) -> int:
        """Bits of the ASID in AxUSER and of a slot number."""
        return (self.asid_count - 1).bit_length()

    @property
    def key_way_count(self) -> int:
        """``key_ways`` as the number it stands for."""
        return DEFAULT_KEY_WAYS if self.key_ways is None else self.key_ways

    @property
    def way_width(self) -> int:
        """Bits of the number of a way."""
        return (self.key_way_count - 1).bit_length()

    @property
    def caches_keys(self) -> bool:
        """Whether fewer keys are expanded than there are."""
        return self.key_way_count < self.asid_count

    def as_dict(self) -> dict[str, int | bool | str]:
        """The parameters as JSON knows them, in the order of the class."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"sbox": self.sbox.value}


_BLOCK_RAM_ROUNDS = 22
"""Beside the buffers, so many fit an LFE5U-85F."""

_FAST: dict[str, Any] = {"pipelined": True, "sbox": SBox.BLOCK_RAM, "cycles_per_round": 3,
                         "block_ram_rounds": _BLOCK_RAM_ROUNDS}

PRESETS: Mapping[str, tuple[str, EngineConfig]] = {
    "streaming": ("the fastest clock: a block a cycle each way, AES-128", EngineConfig(max_outstanding=64, **_FAST)),
    "streaming-256": ("the same with AES-256", EngineConfig(key_bits=256, max_outstanding=64, **_FAST)),
    "low-latency": ("reads with an AES round and each step a cycle, AES-128",
                    EngineConfig(pipelined_writes=True, sbox=SBox.BLOCK_RAM, block_ram_rounds=_BLOCK_RAM_ROUNDS)),
    "low-latency-256": ("the same with AES-256",
                        EngineConfig(key_bits=256, pipelined_writes=True, sbox=SBox.BLOCK_RAM,
                                     block_ram_rounds=_BLOCK_RAM_ROUNDS)),
    "two-rounds": ("the fewest cycles: two AES rounds in each, AES-128",
                   EngineConfig(rounds_per_cycle=2, sbox=SBox.COMPOSITE)),
    "balanced": ("one lane for both directions, a block a cycle", EngineConfig(duplex=False, **_FAST)),
    "small": ("one pipeline for both directions, a block every five cycles",
              EngineConfig(duplex=False, unroll=2, max_outstanding=8, **_FAST)),
    "compact": ("the least: accesses in order, a block every six cycles, a beat of plain data every two",
                EngineConfig(**SERIAL)),
    "tiny": ("for an iCE40 UP5K: four slots, a block at a time, column by column",
             EngineConfig(**NARROW, addr_width=32, c_bit=31, id_width=2, asid_count=4)),
    "page": ("data units of 4096 bytes", EngineConfig(data_unit_bytes=4096, max_outstanding=64, **_FAST)),
}
"""Name to what it is for, in one line, and its configuration."""

DEFAULT_PRESET = "streaming"


def preset(name: str) -> EngineConfig:
    """The configuration of a preset.

    Raises
    ------
    ValueError
        If there is no such preset; the text lists those there are.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    return PRESETS[name][1]
