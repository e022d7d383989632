"""The design between a manager and DRAM, watched by the protocol checker, under a clock."""

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from cbit_model.memory import Memory
from cbit_sim.checker import Checker
from cbit_sim.chip import Chip
from cbit_sim.clocked import Clocked, start_clock
from cbit_sim.dram import Dram, Personality
from cbit_sim.manager import Manager, Transaction
from cbit_sim.psp import HostPort, PspPort
from cbit_sim.session import Session

__all__ = ["Testbed"]

_INITIALIZED_CYCLES = 10_000
"""A chip that takes longer is not initialized at all."""

_NARROW_PATIENCE = 8
"""A ring that works column by column takes a block in more than ten times the cycles of the one of two rounds, but
waits for DRAM as long."""


class _Watch:
    """Shows one port's channels to a checker, each cycle."""

    def __init__(self, checker: Checker, port: Manager | Dram):
        self.checker = checker
        self._port = port

    def step(self) -> None:
        port = self._port
        self.checker.observe(aw=port.aw, w=port.w, b=port.b, ar=port.ar, r=port.r)


class Testbed:
    """Everything around the design.

    Parameters
    ----------
    dut
        cocotb's handle of the design.
    session : :class:`~cbit_sim.session.Session`
        Configuration, and which top it is. With the parameter ``coverage``, what traffic there was is reported.
    size_bytes : :class:`int`
        Bytes of DRAM.
    base : :class:`int`
        Address of the first.
    personality : :class:`~cbit_sim.dram.Personality`
        How DRAM behaves, unless it is a chip.
    outstanding : :class:`int`
        Limit of the manager's reads, and of its writes, in flight.
    checked : :class:`bool`
        Whether the protocol checker watches both ports. It costs about a third of the speed.
    manager_pauses, dram_pauses : mapping
        Back-pressure of the manager's channels and of DRAM's: :func:`cbit_sim.pauses.pauses`.
    on_begin, on_end : callable
        Called with each transaction as it begins and ends.
    observed : :class:`bool`
        Whether coverage counts its traffic: not where keys come and go without the golden model.
    seed : :class:`int`
        Of DRAM's choices, and of the keys.

    Attributes
    ----------
    clocked, manager, dram, chip, model
        The parts; ``dram`` is a :class:`~cbit_sim.dram.Dram`, or where the design has a controller the
        :class:`~cbit_sim.chip.Chip` behind that, which is ``chip``, too, and otherwise :data:`None`; ``model`` is the
        golden model, kept in step with keys and modes by the methods below.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    patience : :class:`int`
        How many times as many cycles as others this engine may take.
    psp, host
        The register ports; :data:`None` where the top is the wire.
    observer : :class:`cbit_sim.coverage.observer.Observer` or :data:`None`
        What counts the traffic.
    """

    def __init__(self, dut: Any, session: Session, *, size_bytes: int = 1 << 16, base: int = 0,
                 personality: Personality | None = None, outstanding: int = 64, checked: bool = True,
                 manager_pauses: Mapping[str, Iterator[bool]] | None = None,
                 dram_pauses: Mapping[str, Iterator[bool]] | None = None,
                 on_begin: Callable[[Transaction], None] | None = None,
                 on_end: Callable[[Transaction], None] | None = None, observed: bool = True, seed: int = 0):
        self.config = session.config
        self.dut = dut
        self._rng = random.Random(seed)
        dut.rst.value = 0
        start_clock(dut)
        self.clocked = Clocked(dut)
        self.clocked.held = True
        self._on_begin, self._on_end = on_begin, on_end
        is_observed = observed and bool(session.parameters.get("coverage"))
        self.manager = Manager(dut, self.clocked, outstanding=outstanding, pauses=manager_pauses,
                               on_begin=self._begin if is_observed else on_begin,
                               on_end=self._end if is_observed else on_end)
        self.bus_bytes = int(self.config["data_width"]) // 8
        is_narrow = bool(self.config["serial"]) and self.config["unroll"] == 1
        self.patience = _NARROW_PATIENCE if is_narrow else 1
        self.chip = Chip(dut, base=base, size_bytes=size_bytes) if session.has_chip else None
        # Benches that ask for more than both have are for tops without a chip.
        self.dram: Any = self.chip or Dram(
            dut, self.clocked, size_bytes=size_bytes, base=base, bus_bytes=self.bus_bytes, personality=personality,
            seed=seed, pauses=dram_pauses)
        self._watches: list[_Watch] = []
        if checked:
            self.watch()
        has_registers = session.has_engine
        self.psp = PspPort(dut) if has_registers else None
        self.host = HostPort(dut) if has_registers else None
        self.model = Memory(
            size_bytes=size_bytes, base=base, addr_width=self.config["addr_width"], c_bit=self.config["c_bit"],
            asid_count=self.config["asid_count"], key_bits=self.config["key_bits"],
            data_unit_bytes=self.config["data_unit_bytes"], data_width=self.config["data_width"])
        self.observer = self._observer(session) if is_observed else None

    def _observer(self, session: Session) -> Any:
        # What it is made of takes a while to import.
        observer = import_module("cbit_sim.coverage.observer").Observer(self.manager, self.model, self.config)
        self.clocked.add(observer)
        session.also_report("coverage", observer.figures)
        return observer

    def _begin(self, transaction: Transaction) -> None:
        assert self.observer is not None
        self.observer.begin(transaction)
        if self._on_begin is not None:
            self._on_begin(transaction)

    def _end(self, transaction: Transaction) -> None:
        assert self.observer is not None
        self.observer.end(transaction)
        if self._on_end is not None:
            self._on_end(transaction)

    def watch(self) -> None:
        """Has the protocol checker watch both ports, as far as they can be seen, from now on, when nothing is in
        flight."""
        self._watch("s_axi", self.manager, legal_addresses=False)
        if self.chip is None:
            self._watch("m_axi", self.dram, legal_addresses=True)

    def _watch(self, name: str, port: Manager | Dram, *, legal_addresses: bool) -> None:
        watch = _Watch(Checker(name, bus_bytes=self.bus_bytes, legal_addresses=legal_addresses), port)
        self._watches.append(watch)
        self.clocked.add(watch)

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight on either port."""
        return self.manager.idle and self.dram.idle

    @property
    def key_bytes(self) -> int:
        """Bytes of each key of a slot."""
        return int(self.config["key_bits"]) // 8

    def fill_dram(self) -> None:
        """Random bytes in DRAM, the same in the model."""
        content = self._rng.randbytes(len(self.model.dram.content))
        self.dram.fill(content)
        self.model.dram.content[:] = content

    async def reset(self, cycles: int = 1, *, is_awaited: bool = True) -> None:
        """Resets the design, and every model with it. DRAM keeps its bytes, which the model then has too.

        Before its first reset a design has gone on for a cycle from whatever its registers held. Unless it
        ``is_awaited``, the erase and the self-test that follow have only begun, and so has the chip's initialization.
        """
        if not self.clocked.cycle:
            await self.clocked.cycles(1)
        self.dut.rst.value = 1
        self.clocked.held = True
        if self.observer is not None:
            self.observer.reset()
        self.manager.reset()
        self.dram.reset()
        await self.clocked.cycles(cycles)
        self.model.reset()
        self.model.dram.content[:] = self.dram.memory
        for watch in self._watches:
            watch.checker = Checker(watch.checker.name, bus_bytes=self.bus_bytes,
                                    legal_addresses=watch.checker.legal_addresses)
        self.dut.rst.value = 0
        await self.clocked.cycles(1)
        self.clocked.held = False
        if self.psp is not None and is_awaited:
            await self.psp.wait_ready()
        if self.chip is not None and is_awaited:
            await self.clocked.until(self.chip.is_ready, _INITIALIZED_CYCLES)

    def command(self, how: str, *slots: int) -> contextlib.AbstractContextManager[None]:
        """Tells the observer, if there is one, that slots are retired, zeroized or installed while this lasts."""
        if self.observer is None:
            return contextlib.nullcontext()
        watched: contextlib.AbstractContextManager[None] = self.observer.command(how, slots)
        return watched

    async def install(self, *slots: int) -> None:
        """Fresh random keys for empty slots, in design and model."""
        for slot in slots:
            key, tweak_key = self._rng.randbytes(self.key_bytes), self._rng.randbytes(self.key_bytes)
            if self.psp is not None:
                await self.psp.install_key(slot, key, tweak_key)
            self.model.install(slot, key, tweak_key)

    async def release(self, *, sme: bool = False, tsme: bool = False, sev: bool = False) -> None:
        """Sets and locks the mode, and lets accesses in, in design and model."""
        if self.psp is not None:
            await self.psp.set_mode(sme=sme, tsme=tsme, sev=sev)
            await self.psp.lock()
            await self.psp.release()
        self.model.set_mode(sme=sme, tsme=tsme, sev=sev)
        self.model.lock()
        self.model.release()

    async def quiet(self, limit_cycles: int = 200_000) -> None:
        """Waits until nothing is in flight.

        Raises
        ------
        TimeoutError
            If something still is after ``limit_cycles``, times :attr:`patience`.
        AssertionError
            If a rule of the chip behind the design has been broken.
        """
        await self.clocked.until(lambda: self.idle, limit_cycles * self.patience)
        if self.chip is not None:
            await self.clocked.cycles(self.chip.WRITTEN_CYCLES)
            self.chip.check()
