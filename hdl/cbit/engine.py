"""The engine: the parts of the other folders, joined."""

from amaranth import Cat, Const, Module, Signal
from amaranth.back import verilog
from amaranth.hdl import Elaboratable, Value
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.front import AddressFront
from cbit.access.lookup import KeyLookup
from cbit.access.request import user_layout
from cbit.axi.pins import AmbaPins
from cbit.axi.ports import Axi4Signature, AxiLiteSignature, Response
from cbit.config import EngineConfig
from cbit.csr.control import ControlPort
from cbit.guard.closing import Closing
from cbit.guard.shadows import Shadowed
from cbit.read.decrypt import read_tag_layout
from cbit.read.path import ReadPath
from cbit.serial.bus import SerialBus
from cbit.serial.narrow_bus import NarrowBus
from cbit.stream.stage import Stage
from cbit.write.encrypt import write_tag_layout
from cbit.write.entry import merge_places
from cbit.write.path import WritePath
from cbit.xts.unit import XtsUnit

__all__ = ["Engine", "generate_verilog", "latency_cycles"]

PATIENCE = 8
"""How often in a row a plain access may pass encrypted ones that wait."""

GUARDED = ("control", "read_front", "write_front", "read_lookup", "write_lookup", "read", "write", "xts", "bus",
           "released", "fronts_busy", "closing")
"""Submodules whose registers of control have shadows, those of them that there are."""

LAST_READ_PART = ("read", "deliver", "chosen")
"""What stands before the managers' port, if the read path has registers between its steps."""


class Engine(Component):
    """An inline memory-encryption engine between managers and DRAM.

    Latency: as :func:`latency_cycles`. Throughput: a beat a cycle each way while DRAM gives it, for
    encrypted bursts of 64 bytes or more; a change of key costs no cycle. Stalls and order: AXI4's;
    reads and writes do not wait for each other, but partial writes read. With fewer ways than ASIDs, an access
    whose key is not expanded waits until it is, and for accesses in flight, writes not yet sent among them, under the
    key that it replaces.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`

    Members
    -------
    s_axi : ``In(Axi4Signature(...))``
        From the managers; AxUSER as :func:`~cbit.access.request.user_layout`.
    m_axi : ``Out(Axi4Signature(...))``
        To DRAM; neither C-bit nor ASID.
    s_axil_psp : ``In(AxiLiteSignature(addr_width=12))``
        The security processor's registers.
    s_axil_host : ``In(AxiLiteSignature(addr_width=12))``
        The host's registers, read-only.
    irq : ``Out(1)``
        A violation has been recorded, or the self-test has failed or a round key or a register was faulty, and the
        interrupt of that is enabled.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        user_width = user_layout(asid_width=config.asid_width).size
        widths = {"addr_width": config.addr_width, "data_width": config.data_width, "id_width": config.id_width}
        super().__init__({
            "s_axi": In(Axi4Signature(user_width=user_width, **widths)),
            "m_axi": Out(Axi4Signature(**widths)),
            "s_axil_psp": In(AxiLiteSignature(addr_width=12)),
            "s_axil_host": In(AxiLiteSignature(addr_width=12)),
            "irq": Out(1),
        })

    def elaborate(self, _platform) -> Elaboratable:
        m = Module()
        config = self.config
        identity = {"addr_width": config.addr_width, "c_bit": config.c_bit, "id_width": config.id_width,
                    "asid_count": config.asid_count}
        m.submodules.control = control = ControlPort(
            key_bits=config.key_bits, key_ways=config.key_way_count, data_unit_bytes=config.data_unit_bytes,
            by_word=config.serial, narrow=config.narrow, **identity)
        serial_steps = config.serial and not config.narrow
        fronts = [AddressFront(is_write=is_write, data_width=config.data_width, single=config.serial,
                               pipelined=pipelined or serial_steps, **identity)
                  for is_write, pipelined in ((False, config.pipelined), (True, config.pipelined_writes))]
        m.submodules.read_front, m.submodules.write_front = fronts
        connect(m, flipped(self.s_axil_psp), control.s_axil_psp)
        connect(m, flipped(self.s_axil_host), control.s_axil_host)
        accepts = control.released & ~control.upset
        m.submodules.fronts_busy = busy = Stage(shape=1, registered=config.pipelined_writes)
        m.d.comb += [
            self.irq.eq(control.irq),
            busy.advance.eq(1),
            busy.i.eq(Cat(front.drain_busy for front in fronts).any()),
            control.drain_busy.eq(busy.o),
        ]
        for index, (front, address, log) in enumerate(zip(
                fronts, (self.s_axi.ar, self.s_axi.aw), (control.read_violation, control.write_violation))):
            connect(m, flipped(address), front.i)
            connect(m, front.violation, log)
            m.d.comb += [
                front.released.eq(accepts),
                front.mode.eq(control.mode),
                control.asked[index].eq(front.asid),
                front.own_is_active.eq(control.is_active[index]),
                front.host_is_active.eq(control.host_is_active),
                front.drain_slot.eq(control.drain_slot),
            ]
        m.submodules.released = released = Stage(shape=1, registered=config.pipelined_writes)
        m.d.comb += [released.advance.eq(1), released.i.eq(accepts)]
        join = self._join_serial if config.serial else self._join_paths
        s_w = join(m, control, *fronts)
        m.d.comb += [
            s_w.payload.eq(self.s_axi.w.payload),
            s_w.valid.eq(self.s_axi.w.valid & released.o),
            self.s_axi.w.ready.eq(s_w.ready & released.o),
        ]
        return self._guarded(m, control) if config.guarded else m

    def _join_serial(self, m: Module, control: ControlPort, read_front: AddressFront, write_front: AddressFront):
        """The serial bus side between fronts and DRAM; the port that takes the data of writes."""
        config = self.config
        bus_side = NarrowBus if config.narrow else SerialBus
        m.submodules.bus = bus = bus_side(addr_width=config.addr_width, c_bit=config.c_bit, id_width=config.id_width,
                                           key_bits=config.key_bits, slots=config.asid_count)
        connect(m, read_front.o, bus.read)
        connect(m, write_front.o, bus.write)
        connect(m, control.round_key, bus.round_key)
        connect(m, bus.r, flipped(self.s_axi.r))
        connect(m, bus.b, flipped(self.s_axi.b))
        connect(m, bus.m_axi, flipped(self.m_axi))
        m.d.comb += [
            bus.serving.eq(control.serving),
            bus.drain_slot.eq(control.drain_way), control.way_busy.eq(bus.drain_busy),
            bus.self_test_keys.eq(control.self_test_keys),
            control.self_test_busy.eq(bus.self_test_busy), control.self_test_failed.eq(bus.self_test_failed),
            control.key_fault.eq(bus.key_fault),
        ]
        return bus.s_w

    def _join_paths(self, m: Module, control: ControlPort, read_front: AddressFront, write_front: AddressFront):
        """Paths and lanes of both directions between fronts and DRAM; the port that takes the data of writes."""
        config = self.config
        bus = {"data_width": config.data_width, "pipelined": config.pipelined}
        write_bus = bus | {"pipelined": config.pipelined_writes}
        sizes = {"addr_width": config.addr_width, "c_bit": config.c_bit, "id_width": config.id_width,
                 "slot_width": config.way_width, "slots": config.key_way_count, "patience": PATIENCE}
        read_entries = write_entries = config.max_outstanding
        places = merge_places(entries=write_entries, data_width=config.data_width)
        m.submodules.read = read = ReadPath(entries=read_entries, places=places, **bus, **sizes)
        m.submodules.write = write = WritePath(entries=write_entries, **write_bus, **sizes)
        m.submodules.xts = xts = XtsUnit(
            key_bits=config.key_bits, c_bit=config.c_bit, slots=config.key_way_count,
            data_unit_bytes=config.data_unit_bytes, duplex=config.duplex, unroll=config.unroll_rounds,
            rounds_per_cycle=config.rounds_per_cycle, cycles_per_round=config.cycles_per_round,
            pipelined_requests=config.pipelined_writes, sbox=config.sbox,
            block_ram_rounds=config.block_ram_rounds, read_entries=read_entries, write_entries=write_entries,
            read_tag=read_tag_layout(data_width=config.data_width, id_width=config.id_width,
                                     slot_width=config.way_width, places=places),
            write_tag=write_tag_layout(data_width=config.data_width, slot_width=config.way_width), **bus)
        connect(m, xts.round_key, control.round_key)
        lookup_busy = self._find_keys(m, control, read_front, read, write_front, write)
        m.d.comb += [
            xts.self_test_keys.eq(control.self_test_keys),
            control.self_test_busy.eq(xts.self_test_busy),
            control.self_test_failed.eq(xts.self_test_failed),
            control.key_fault.eq(read.key_fault | write.key_fault),
            control.way_busy.eq(lookup_busy | read.drain_busy | write.drain_busy),
        ]
        connect(m, write.merge, read.merge)
        connect(m, read.merged, write.merged)
        for name, path in (("read", read), ("write", write)):
            m.d.comb += [path.serving.eq(control.serving), path.drain_slot.eq(control.drain_way)]
            connect(m, path.lane_i, getattr(xts, f"{name}_i"))
            connect(m, getattr(xts, f"{name}_o"), path.lane_o)
            connect(m, path.tweak_request, getattr(xts, f"{name}_tweak_request"))
            connect(m, getattr(xts, f"{name}_tweak"), path.tweak)
        self._connect_buses(m, read, write)
        return write.s_w

    def _guarded(self, m: Module, control: ControlPort) -> Elaboratable:
        """The engine with shadows, which closes when one tells that a register is wrong."""
        m.submodules.closing = closing = Closing(parts=len(GUARDED))
        upsets = {(name,): Signal(name=f"{name}_upset") for name in GUARDED}
        found = Cat(upsets.values())
        last = found.any()
        if self.config.pipelined:
            last = upsets[LAST_READ_PART] = Signal(name="last_upset")
        m.d.comb += [closing.found.eq(found), closing.last.eq(last), control.upset.eq(closing.closed)]
        # What has been offered may change: no rule of the bus is worth a secret.
        with m.If(closing.closes):
            m.d.comb += [
                self.s_axi.r.payload.data.eq(~0),
                self.s_axi.r.payload.resp.eq(Response.SLVERR),
                self.s_axi.b.payload.resp.eq(Response.SLVERR),
                self.m_axi.w.payload.data.eq(0),
                self.m_axi.w.payload.strb.eq(0),
            ]
        return Shadowed(m, upsets=upsets)

    def _find_keys(self, m: Module, control: ControlPort, read_front: AddressFront, read: ReadPath,
                   write_front: AddressFront, write: WritePath) -> Value:
        """Joins fronts and paths, by way of the lookup of keys if not all are expanded; whether one holds an access."""
        config = self.config
        if not config.caches_keys:
            connect(m, read_front.o, read.i)
            connect(m, write_front.o, write.i)
            m.d.comb += read.next_id.eq(read_front.next_id)
            return Const(0)
        lookups = [KeyLookup(c_bit=config.c_bit, id_width=config.id_width, asid_count=config.asid_count,
                             key_ways=config.key_way_count) for _ in range(2)]
        m.submodules.read_lookup, m.submodules.write_lookup = lookups
        m.d.comb += read.next_id.eq(lookups[0].next_id)
        for lookup, keys, front, path in zip(lookups, (control.read_ways, control.write_ways),
                                             (read_front, write_front), (read, write), strict=True):
            connect(m, front.o, lookup.i)
            connect(m, lookup.o, path.i)
            connect(m, keys, lookup.keys)
            m.d.comb += lookup.drain_way.eq(control.drain_way)
        return Cat(lookup.drain_busy for lookup in lookups).any()

    def _connect_buses(self, m: Module, read: ReadPath, write: WritePath) -> None:
        managers, dram = self.s_axi, self.m_axi
        connect(m, read.r, flipped(managers.r))
        connect(m, write.b, flipped(managers.b))
        connect(m, read.ar, flipped(dram.ar))
        connect(m, flipped(dram.r), read.dram_r)
        connect(m, write.aw, flipped(dram.aw))
        connect(m, write.w, flipped(dram.w))
        m.d.comb += [
            dram.b.ready.eq(1),
            write.dram_b.valid.eq(dram.b.valid),
            write.dram_b.payload.eq(dram.b.payload),
        ]


def latency_cycles(config: EngineConfig) -> dict[str, int]:
    """Cycles that the engine adds, when nothing else is in flight, the key is expanded, and DRAM takes longer than a
    tweak.

    ``plain_read`` and ``encrypted_read`` count address and data, ``plain_write`` address or data and
    the answer: if ``serial`` of a line of four beats, as it waits for all of them.
    """
    if config.narrow:
        # A beat goes into the store and out of it; of a line that is written all four go in before.
        return {
            "plain_read": 2 + 17,
            "encrypted_read": 2 + config.aes_latency_cycles + 25,
            "plain_write": 50,
            "tweak": config.aes_latency_cycles + 6,
        }
    if config.serial:
        return {
            "plain_read": 4 + 5,
            "encrypted_read": 4 + config.aes_latency_cycles + 8,
            "plain_write": 9 + 1,
            "tweak": config.aes_latency_cycles + 5,
        }
    lookup = int(config.caches_keys)
    address = 1 + lookup
    if config.pipelined_writes:
        cycles = {"plain_write": address + 2 + 14 + 4, "tweak": config.aes_latency_cycles + 2}
    else:
        cycles = {"plain_write": address + 1, "tweak": config.aes_latency_cycles}
    if not config.pipelined:
        return cycles | {"plain_read": address + 1, "encrypted_read": address + config.aes_latency_cycles}
    whitening, steps = 2, 0 if config.data_unit_bytes == 64 else 2
    return cycles | {
        "plain_read": address + 2 + 2 + 8,
        "encrypted_read": address + 2 + 4 + 12 + config.aes_latency_cycles + whitening,
        "tweak": cycles["tweak"] + steps,
    }


def generate_verilog(config: EngineConfig) -> str:
    """The engine as Verilog, its top module ``cbit`` with the ports that AMBA names."""
    return verilog.convert(AmbaPins(Engine(config)), name="cbit")
