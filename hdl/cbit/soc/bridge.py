# amaranth: UnusedElaboratable=no
"""From requests on a serial line to memory and registers."""

from typing import Any

from amaranth import Array, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.access.request import user_layout
from cbit.axi.ports import Axi4Signature, AxiLiteSignature, Response
from cbit.soc.byte_range import BEAT_BYTES, ByteRange
from cbit.soc.checks import RequestChecks, is_one_of
from cbit.soc.dispatch import Dispatcher, Worker
from cbit.soc.identity import Identity
from cbit.soc.line import SerialLine
from cbit.soc.looks import BoardState, looked_at
from cbit.soc.protocol import Operation
from cbit.soc.register_word import RegisterWord

__all__ = ["CONTROL_ADDR_WIDTH", "HOST_ADDR_WIDTH", "Bridge"]

HOST_ADDR_WIDTH = 12
CONTROL_ADDR_WIDTH = {True: 17, False: 12}
"""By whether there is a PSP: of the mailbox, or of the engine's registers of keys."""

FETCH = 0b100
"""AxPROT of an instruction fetch."""


class Bridge(Component):
    """Carries out the requests of frames on a serial line, one after the other, and answers each.

    The README of this folder has the frames. Accesses of memory are single beats.

    Latency and throughput: those of the line; see :class:`~cbit.soc.byte_range.ByteRange`. An access that is not
    answered within ``2**patience_bits`` cycles ends with NO_ANSWER, and so does, until reset, each that would have to
    wait for it: all of memory and DRAM, or all of registers.

    Parameters
    ----------
    addr_width, c_bit, asid_count, key_bits : :class:`int`
        Of the engine.
    id_width, raw_id_width : :class:`int`
        Of the ports to the engine and to DRAM. All accesses have ID 0.
    memory_bytes : :class:`int`
        Bytes of DRAM.
    has_psp : :class:`bool`
        Whether the registers of control are those of the mailbox of a security processor, or those of the engine for
        one.
    rate_bits : :class:`int`
        As of :class:`~cbit.soc.rate.RateMeter`.
    patience_bits : :class:`int`
        As of :class:`~cbit.soc.dispatch.Dispatcher`.

    Members
    -------
    rx : ``In(1)``, tx : ``Out(1)``
        The line, high at rest. ``rx`` is asynchronous.
    memory_ready : ``In(1)``
        Memory may be accessed.
    released, violation, self_test_failed : ``Out(1)``
        As of :class:`~cbit.soc.looks.BoardState`.
    flush : ``Out(1)``
        High for a cycle for each FLUSH.
    m_axi : ``Out(Axi4Signature(...))``
        To the engine.
    m_axi_raw : ``Out(Axi4Signature(...))``
        To DRAM, past the engine.
    m_axil_host, m_axil_control : ``Out(AxiLiteSignature(...))``
        Registers of the host and of control.
    """

    def __init__(self, *, addr_width: int, c_bit: int, asid_count: int, key_bits: int, id_width: int,
                 raw_id_width: int, memory_bytes: int, has_psp: bool, rate_bits: int = 18,
                 patience_bits: int = 24) -> None:
        asid_width = (asid_count - 1).bit_length()
        control_addr_width = CONTROL_ADDR_WIDTH[has_psp]
        self.has_psp = has_psp
        self.user = user_layout(asid_width=asid_width)
        self.line = SerialLine(rate_bits=rate_bits)
        self.dispatcher = Dispatcher(patience_bits=patience_bits)
        self.checks = RequestChecks(addr_width=addr_width, c_bit=c_bit, asid_width=asid_width,
                                    memory_bytes=memory_bytes, has_psp=has_psp, control_addr_width=control_addr_width)
        self.state = BoardState(has_psp=has_psp)
        self.identity = Identity(addr_width=addr_width, c_bit=c_bit, asid_count=asid_count, key_bits=key_bits,
                                 memory_bytes=memory_bytes)
        self.memory = ByteRange(addr_width=addr_width, id_width=id_width, user_width=self.user.size)
        self.registers = RegisterWord(addr_width=control_addr_width)
        widths = {"addr_width": addr_width, "data_width": 8 * BEAT_BYTES}
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "memory_ready": In(1),
            "released": Out(1),
            "violation": Out(1),
            "self_test_failed": Out(1),
            "flush": Out(1),
            "m_axi": Out(Axi4Signature(id_width=id_width, user_width=self.user.size, **widths)),
            "m_axi_raw": Out(Axi4Signature(id_width=raw_id_width, **widths)),
            "m_axil_host": Out(AxiLiteSignature(addr_width=HOST_ADDR_WIDTH)),
            "m_axil_control": Out(AxiLiteSignature(addr_width=control_addr_width)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        for name in ("line", "dispatcher", "checks", "state", "identity", "memory", "registers"):
            m.submodules[name] = getattr(self, name)
        line, dispatcher, checks = self.line, self.dispatcher, self.checks
        inbox = line.inbox
        connect(m, inbox, dispatcher.inbox)
        connect(m, dispatcher.outbox, line.outbox)
        m.d.comb += [
            line.rx.eq(self.rx), self.tx.eq(line.tx),
            dispatcher.line_busy.eq(line.busy), dispatcher.refusal.eq(checks.outcome),
            checks.request.eq(inbox.request), checks.data_bytes.eq(inbox.data_bytes),
            checks.memory_ready.eq(self.memory_ready), checks.released.eq(self.state.released),
            self.flush.eq(dispatcher.flush),
        ]
        self._join_workers(m)
        self._join_state(m)
        self._join_memory(m)
        self._join_registers(m)
        return m

    def _join_workers(self, m: Module) -> None:
        """Bytes, beginnings and ends, of the one that is asked."""
        dispatcher, asked = self.dispatcher, self.dispatcher.worker
        workers = {Worker.IDENTITY: self.identity, Worker.MEMORY: self.memory, Worker.REGISTERS: self.registers}
        for number, worker in workers.items():
            with m.If(asked == number):
                m.d.comb += [
                    worker.start.eq(dispatcher.start),
                    dispatcher.i.valid.eq(worker.o.valid), dispatcher.i.payload.eq(worker.o.payload),
                    worker.o.ready.eq(dispatcher.i.ready),
                ]
        m.d.comb += [dispatcher.done.eq(~self.identity.o.valid), dispatcher.response.eq(Response.OKAY)]
        for number in (Worker.MEMORY, Worker.REGISTERS):
            worker = workers[number]
            m.d.comb += worker.i.payload.eq(dispatcher.o.payload)
            with m.If(asked == number):
                m.d.comb += [
                    dispatcher.done.eq(~worker.busy), dispatcher.response.eq(worker.response),
                    worker.i.valid.eq(dispatcher.o.valid), dispatcher.o.ready.eq(worker.i.ready),
                ]

    def _join_state(self, m: Module) -> None:
        state, dispatcher, lights = self.state, self.dispatcher, ("released", "violation", "self_test_failed")
        m.d.comb += [
            state.number.eq(dispatcher.look_number),
            state.end.eq(dispatcher.look_ends), state.is_good.eq(dispatcher.look_is_good),
            state.data.valid.eq(dispatcher.looks & dispatcher.i.valid & dispatcher.i.ready),
            state.data.payload.eq(dispatcher.i.payload),
            *(getattr(self, name).eq(getattr(state, name)) for name in lights),
            self.identity.flags.eq(self._flags()),
        ]

    def _flags(self):
        shown = (int(self.has_psp), self.memory_ready, self.state.released, self.state.violation,
                 self.state.self_test_failed)
        return sum(flag << place for place, flag in enumerate(shown))

    def _join_memory(self, m: Module) -> None:
        """The engine's port or DRAM's, as the operation says, with what the header says of the access.

        All is kept from the start on: an access that is given up still waits while other headers come.
        """
        request, memory = self.line.inbox.request, self.memory
        attributes = request.attributes
        m.d.comb += [
            memory.is_write.eq(is_one_of(request.operation, Operation.WRITE_MEMORY, Operation.WRITE_RAW)),
            memory.address.eq(request.address), memory.length.eq(request.length),
        ]
        is_raw, is_fetch, user = Signal(), Signal(), Signal(self.user)
        with m.If(memory.start):
            m.d.sync += [
                is_raw.eq(is_one_of(request.operation, Operation.READ_RAW, Operation.WRITE_RAW)),
                user.asid.eq(request.asid), user.npt_c.eq(attributes[0]), user.dma.eq(attributes[1]),
                user.walk.eq(attributes[2]), is_fetch.eq(attributes[3]),
            ]
        _lead(m, memory.m_axi, self.m_axi, self.m_axi_raw, is_second=is_raw)
        for channel in (self.m_axi.aw, self.m_axi.ar):
            m.d.comb += [channel.payload.user.eq(user), channel.payload.prot.eq(Mux(is_fetch, FETCH, 0))]

    def _join_registers(self, m: Module) -> None:
        """The port of the host or of control, as the operation says, or the look, from the start on."""
        request, registers, dispatcher = self.line.inbox.request, self.registers, self.dispatcher
        looked = Array(register.offset for register in looked_at(has_psp=self.has_psp))[dispatcher.look_number]
        is_host = Signal()
        with m.If(registers.start):
            m.d.sync += is_host.eq(Mux(dispatcher.looks, dispatcher.look_number == 1,
                                       request.operation == Operation.READ_HOST.value))
        is_write = is_one_of(request.operation, Operation.WRITE_MAILBOX, Operation.WRITE_KEYS)
        m.d.comb += [
            registers.address.eq(Mux(dispatcher.looks, looked, request.address)),
            registers.is_write.eq(is_write & ~dispatcher.looks),
        ]
        _lead(m, registers.m_axil, self.m_axil_control, self.m_axil_host, is_second=is_host)


def _lead(m: Module, manager: Any, *ports: Any, is_second: Value) -> None:
    """Joins a manager to one of two ports, whose payloads may have wider IDs, narrower addresses, or no AxUSER."""
    for name in ("aw", "w", "ar"):
        source, sinks = getattr(manager, name), [getattr(port, name) for port in ports]
        m.d.comb += source.ready.eq(Mux(is_second, sinks[1].ready, sinks[0].ready))
        for sink, is_asked in zip(sinks, (~is_second, is_second)):
            m.d.comb += sink.valid.eq(source.valid & is_asked)
            m.d.comb += [sink.payload[field].eq(source.payload[field]) for field in sink.payload.shape().members]
    for name in ("b", "r"):
        sink, sources = getattr(manager, name), [getattr(port, name) for port in ports]
        m.d.comb += sink.valid.eq(Mux(is_second, sources[1].valid, sources[0].valid))
        m.d.comb += [sink.payload[field].eq(Mux(is_second, sources[1].payload[field], sources[0].payload[field]))
                     for field in sink.payload.shape().members]
        for source, is_asked in zip(sources, (~is_second, is_second)):
            m.d.comb += source.ready.eq(sink.ready & is_asked)
