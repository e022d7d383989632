"""The design between a manager and DRAM, watched by the protocol checker, under a clock."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cbit_model.memory import Memory
from cbit_sim.checker import Checker
from cbit_sim.clocked import Clocked, start_clock
from cbit_sim.dram import Dram, Personality
from cbit_sim.manager import Manager, Transaction
from cbit_sim.psp import HostPort, PspPort
from cbit_sim.session import Session

__all__ = ["Testbed"]

_RESET_CYCLES = 8


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
        Configuration, and which top it is.
    size_bytes : :class:`int`
        Bytes of DRAM.
    personality : :class:`~cbit_sim.dram.Personality`
        How DRAM behaves.
    outstanding : :class:`int`
        Limit of the manager's reads, and of its writes, in flight.
    checked : :class:`bool`
        Whether the protocol checker watches both ports. It costs about a third of the speed.
    manager_pauses, dram_pauses : mapping
        Back-pressure of the manager's channels and of DRAM's: :func:`cbit_sim.pauses.pauses`.
    on_begin, on_end : callable
        Called with each transaction as it begins and ends.
    seed : :class:`int`
        Of DRAM's choices, and of the keys.

    Attributes
    ----------
    clocked, manager, dram, model
        The parts; ``model`` is the golden model, kept in step with keys and modes by the methods below.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    psp, host
        The register ports; :data:`None` where the top is the wire.
    """

    def __init__(self, dut: Any, session: Session, *, size_bytes: int = 1 << 16,
                 personality: Personality | None = None, outstanding: int = 64, checked: bool = True,
                 manager_pauses: Mapping[str, Iterator[bool]] | None = None,
                 dram_pauses: Mapping[str, Iterator[bool]] | None = None,
                 on_begin: Callable[[Transaction], None] | None = None,
                 on_end: Callable[[Transaction], None] | None = None, seed: int = 0):
        self.config = session.config
        self.dut = dut
        self._rng = random.Random(seed)
        dut.rst.value = 1
        start_clock(dut)
        self.clocked = Clocked(dut)
        self.manager = Manager(dut, self.clocked, outstanding=outstanding, on_begin=on_begin, on_end=on_end,
                               pauses=manager_pauses)
        self.bus_bytes = int(self.config["data_width"]) // 8
        self.dram = Dram(dut, self.clocked, size_bytes=size_bytes, bus_bytes=self.bus_bytes, personality=personality,
                         seed=seed, pauses=dram_pauses)
        self._watches: list[_Watch] = []
        if checked:
            self.watch()
        has_registers = session.top == "engine"
        self.psp = PspPort(dut) if has_registers else None
        self.host = HostPort(dut) if has_registers else None
        self.model = Memory(
            size_bytes=size_bytes, addr_width=self.config["addr_width"], c_bit=self.config["c_bit"],
            asid_count=self.config["asid_count"], key_bits=self.config["key_bits"],
            data_unit_bytes=self.config["data_unit_bytes"], data_width=self.config["data_width"])

    def watch(self) -> None:
        """Has the protocol checker watch both ports from now on, when nothing is in flight."""
        for name, port, is_strict in (("s_axi", self.manager, False), ("m_axi", self.dram, True)):
            watch = _Watch(Checker(name, bus_bytes=self.bus_bytes, legal_addresses=is_strict), port)
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
        self.dram.memory[:] = self._rng.randbytes(len(self.dram.memory))
        self.model.dram.content[:] = self.dram.memory

    async def reset(self) -> None:
        """Resets the design, and every model with it. DRAM keeps its bytes, which the model then has too."""
        self.dut.rst.value = 1
        self.clocked.held = True
        self.manager.reset()
        self.dram.reset()
        await self.clocked.cycles(_RESET_CYCLES)
        self.model.reset()
        self.model.dram.content[:] = self.dram.memory
        for watch in self._watches:
            watch.checker = Checker(watch.checker.name, bus_bytes=self.bus_bytes,
                                    legal_addresses=watch.checker.legal_addresses)
        self.dut.rst.value = 0
        await self.clocked.cycles(1)
        self.clocked.held = False
        if self.psp is not None:
            await self.psp.wait_ready()

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
            If something still is after ``limit_cycles``.
        """
        await self.clocked.until(lambda: self.idle, limit_cycles)
