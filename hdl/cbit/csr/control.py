"""All that the security processor and the host see of an engine besides memory."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cbit.access.front import violation_event_layout
from cbit.access.request import MODE
from cbit.access.violations import ViolationLog
from cbit.axi.ports import AxiLiteSignature
from cbit.csr.bank import ADDR_WIDTH, Bank
from cbit.csr.map import registers
from cbit.csr.rotation import ROTATING, ViolationWords
from cbit.csr.switches import Switches
from cbit.guard.shadows import unguarded
from cbit.keys.control import KeyControl
from cbit.keys.slots import ASKERS
from cbit.keys.types import KeyWaysSignature

__all__ = ["ControlPort"]

LOOKUPS = ("read_ways", "write_ways")
"""What there is for accesses if not all round keys are expanded."""


class ControlPort(wiring.Component):
    """The registers of the security processor and of the host, key control, mode and release, and the log.

    The meaning of each register is in `registers.rdl`; latency and refusals of the buses are those of
    :class:`cbit.csr.bank.Bank`, the times of commands those of :class:`cbit.keys.control.KeyControl`.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of ASIDs and of key slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.
    key_ways : :class:`int` or :data:`None`
        Number of slots whose round keys are expanded at a time. :data:`None` means all.
    by_word, narrow : :class:`bool`
        As of :class:`cbit.keys.control.KeyControl`.
    addr_width : :class:`int`
        Bits of an address, the C-bit included. 32 to 64.
    c_bit : :class:`int`
        Position of the C-bit.
    id_width : :class:`int`
        Bits of an AXI ID. 1 to 8.
    data_unit_bytes : :class:`int`
        Bytes of an XTS data unit.

    Members
    -------
    s_axil_psp : ``In(AxiLiteSignature(addr_width=12))``
        The security processor's bus. Nobody else may reach it.
    s_axil_host : ``In(AxiLiteSignature(addr_width=12))``
        The host's, read-only.
    irq : ``Out(1)``
        High while a violation is recorded, or the self-test has failed or a round key or a register was faulty, and
        the interrupt of that is enabled.
    mode : ``Out(MODE)``
        What is encrypted.
    released : ``Out(1)``
        Accesses are accepted.
    read_violation, write_violation : ``In(stream.Signature(violation_event_layout(...), always_ready=True))``
        Denied accesses.
    self_test_busy : ``In(1)``
        Holds back the release.
    self_test_failed : ``In(1)``
        Erases every slot as a reset does, and until reset prevents the release and the installation of keys.
    key_fault : ``In(1)``
        A round key in use was faulty. Erases every slot as a reset does, and until reset prevents the installation of
        keys; accesses go on without them.
    upset : ``In(1)``
        Stays until reset. The same as ``self_test_failed``, but for what STATUS tells.
    self_test_keys, asked, is_active, host_is_active, serving, round_key, drain_slot, drain_busy, drain_way, way_busy,
    read_ways, write_ways
        As of :class:`cbit.keys.control.KeyControl`.

    Raises
    ------
    ValueError
        If ``asid_count``, ``key_ways`` or ``key_bits`` is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int, addr_width: int, c_bit: int, id_width: int,
                 data_unit_bytes: int, key_ways: int | None = None, by_word: bool = False, narrow: bool = False):
        self.asid_count = asid_count
        self.narrow = narrow
        self.key_bits = key_bits
        self.key_ways = asid_count if key_ways is None else key_ways
        self.keys = KeyControl(asid_count=asid_count, key_bits=key_bits, key_ways=key_ways, by_word=by_word,
                               narrow=narrow)
        self.addr_width = addr_width
        self.c_bit = c_bit
        self.id_width = id_width
        self.data_unit_bytes = data_unit_bytes
        self.asid_width = (asid_count - 1).bit_length()
        bus = AxiLiteSignature(addr_width=ADDR_WIDTH)
        event = stream.Signature(violation_event_layout(addr_width=addr_width, id_width=id_width,
                                                        asid_width=self.asid_width), always_ready=True)
        super().__init__({
            "s_axil_psp": In(bus),
            "s_axil_host": In(bus),
            "irq": Out(1),
            "mode": Out(MODE),
            "released": Out(1),
            "read_violation": In(event),
            "write_violation": In(event),
            "self_test_busy": In(1),
            "self_test_failed": In(1),
            "key_fault": In(1),
            "upset": In(1),
            "self_test_keys": Out(1),
            "asked": In(range(asid_count)).array(ASKERS),
            "is_active": Out(1).array(ASKERS),
            "host_is_active": Out(1),
            "serving": Out(self.key_ways),
            "round_key": Out(self.keys.round_key.signature),
            "drain_slot": Out(range(asid_count)),
            "drain_busy": In(1),
            "drain_way": Out(range(self.key_ways)),
            "way_busy": In(1),
        } | {name: Out(KeyWaysSignature(asid_count=asid_count, key_ways=self.key_ways))
             for name in LOOKUPS if self.key_ways < asid_count})

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.psp = psp = Bank(registers=registers("psp"), rotating=ROTATING)
        m.submodules.host = host = Bank(registers=registers("host"), rotating=ROTATING)
        m.submodules.switches = switches = Switches()
        widths = {"asid_width": self.asid_width, "addr_width": self.addr_width, "id_width": self.id_width}
        m.submodules.log = log = ViolationLog(**widths, narrow=self.narrow)
        m.submodules.violations = violations = ViolationWords(**widths)
        keys = self.keys
        # What fails is far from the keys' many registers: these are reset a cycle after all slots are closed.
        fails = Signal()
        m.d.comb += keys.cut_all.eq(((self.self_test_failed | self.upset) & ~switches.failed)
                                    | (self.key_fault & ~switches.faulted))
        m.d.sync += fails.eq(keys.cut_all)
        m.submodules.keys = ResetInserter(fails)(keys)

        wiring.connect(m, psp.s_axil, wiring.flipped(self.s_axil_psp))
        wiring.connect(m, host.s_axil, wiring.flipped(self.s_axil_host))
        self._join_switches(m, psp, host, switches, keys)
        self._join_keys(m, psp, keys)
        self._join_log(m, psp, log, switches)
        m.d.comb += [violations.first.eq(log.first), violations.count.eq(log.count),
                     *(bank.rotation.eq(violations.shown) for bank in (psp, host))]
        self._show_parameters(m, host)
        return m

    def _join_switches(self, m: Module, psp: Bank, host: Bank, switches: Switches, keys: KeyControl) -> None:
        wiring.connect(m, psp.control, switches.control)
        wiring.connect(m, psp.mode, switches.mode_register)
        m.d.comb += [
            switches.erased.eq(~keys.busy),
            switches.self_test_busy.eq(self.self_test_busy),
            switches.self_test_failed.eq(self.self_test_failed | self.upset),
            switches.key_fault.eq(self.key_fault),
            keys.closed.eq(switches.failed | switches.faulted),
            psp.status.value.key_fault.eq(switches.faulted),
            self.mode.eq(switches.mode),
            self.released.eq(switches.released),
            psp.status.value.busy.eq(keys.busy),
            psp.status.value.self_test_busy.eq(self.self_test_busy),
            psp.status.value.self_test_failed.eq(switches.failed & ~self.upset),
            psp.status.value.upset.eq(self.upset),
        ]
        for bank in (psp, host):
            m.d.comb += [bank.status.value.released.eq(switches.released), bank.status.value.locked.eq(switches.locked)]
        m.d.comb += [host.mode.value[name].eq(switches.mode[name]) for name in MODE.members]

    def _join_keys(self, m: Module, psp: Bank, keys: KeyControl) -> None:
        m.d.sync += [
            keys.command.valid.eq(psp.command.write),
            keys.command.op.eq(psp.command.data.op),
            keys.command.slot.eq(psp.command.data.slot),
        ]
        m.d.comb += [
            psp.command_status.value.busy.eq(keys.busy),
            psp.command_status.value.result.eq(keys.result),
            psp.slot_select.value.slot.eq(keys.query_slot),
            psp.slot_state.value.state.eq(keys.query_state),
            keys.self_test_busy.eq(self.self_test_busy), self.self_test_keys.eq(keys.self_test_keys),
            keys.drain_busy.eq(self.drain_busy), keys.way_busy.eq(self.way_busy),
            *(given.eq(asked) for given, asked in zip(keys.asked, self.asked)),
            *(shown.eq(is_active) for shown, is_active in zip(self.is_active, keys.is_active)),
            self.host_is_active.eq(keys.host_is_active),
            self.serving.eq(keys.serving), self.drain_slot.eq(keys.drain_slot), self.drain_way.eq(keys.drain_way),
        ]
        for name in ("round_key", *LOOKUPS):
            if name in self.signature.members:
                wiring.connect(m, getattr(keys, name), wiring.flipped(getattr(self, name)))
        with m.If(psp.slot_select.write):
            m.d.sync += keys.query_slot.eq(psp.slot_select.data.slot)
        self._join_words(m, psp, keys)

    def _join_words(self, m: Module, psp: Bank, keys: KeyControl) -> None:
        """A word goes in a cycle after it was not refused, if not at once: no command can come between, from the same
        bus."""
        unguarded(keys.word.data)
        for register in (psp.key_data, psp.key_tweak):
            m.d.comb += register.refuse.eq(~keys.word.ready | (register.index >= self.key_bits // 32))
        m.d["comb" if self.narrow else "sync"] += [
            keys.word.valid.eq(psp.key_data.write | psp.key_tweak.write),
            keys.word.tweak_key.eq(psp.key_tweak.write),
            keys.word.index.eq(psp.key_data.index),
            keys.word.data.eq(psp.key_data.data.word),
        ]

    def _join_log(self, m: Module, psp: Bank, log: ViolationLog, switches: Switches) -> None:
        fault_irq_enable = Signal()
        wiring.connect(m, wiring.flipped(self.read_violation), log.read)
        wiring.connect(m, wiring.flipped(self.write_violation), log.write)
        m.d.sync += [
            log.clear_record.eq(psp.violation_clear.write & psp.violation_clear.data.record),
            log.clear_counts.eq(psp.violation_clear.write & psp.violation_clear.data.counts),
        ]
        m.d.comb += [
            psp.irq_enable.value.violation.eq(log.irq_enable),
            psp.irq_enable.value.fault.eq(fault_irq_enable),
            self.irq.eq(log.irq | fault_irq_enable & (switches.failed | switches.faulted)),
        ]
        with m.If(psp.irq_enable.write):
            m.d.sync += [log.irq_enable.eq(psp.irq_enable.data.violation),
                         fault_irq_enable.eq(psp.irq_enable.data.fault)]

    def _show_parameters(self, m: Module, host: Bank) -> None:
        m.d.comb += [
            host.features_ebx.value.c_bit.eq(self.c_bit),
            host.features_ebx.value.address_reduction.eq(self.addr_width - self.c_bit),
            host.features_ecx.value.guests.eq(self.asid_count - 1),
            host.parameters.value.data_unit_bytes.eq(self.data_unit_bytes),
            host.parameters.value.key_bits.eq(self.key_bits),
        ]
