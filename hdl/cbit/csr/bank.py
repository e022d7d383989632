"""Registers behind AXI4-Lite: decodes addresses, answers refusals, stores nothing."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.data import Field, FlexibleLayout
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import AxiLiteSignature, Response
from cbit.csr.map import SIZE_BYTES, Register

__all__ = ["ADDR_WIDTH", "Bank", "RegisterSignature", "register_layout"]

ADDR_WIDTH = (SIZE_BYTES - 1).bit_length()
"""Bits of an address on a bank's port."""


def _is_constant(register: Register) -> bool:
    return all(field.constant for field in register.fields)


def register_layout(register: Register) -> FlexibleLayout:
    """The word of a register: its fields, named in lower case, where the map puts them."""
    return FlexibleLayout(32, {field.name.lower(): Field(unsigned(field.width), field.lsb)
                               for field in register.fields})


class RegisterSignature(wiring.Signature):
    """What stands behind one register, seen from the bank.

    Parameters
    ----------
    register : :class:`cbit.csr.map.Register`
        The register.

    Members
    -------
    value : ``In(register_layout(register))``
        Registers that can be read: the word as it reads now.
    write : ``Out(1)``
        Registers that can be written: high for the one cycle in which ``data`` is written.
    data : ``Out(register_layout(register))``
        The word written; any value while ``write`` is low.
    refuse : ``In(1)``
        While high, a write is answered SLVERR and ``write`` stays low. May depend on ``data`` in the same
        cycle, not on ``write``.
    """

    def __init__(self, register: Register):
        self.register = register
        layout = register_layout(register)
        readable = {"value": In(layout)} if register.access != "wo" else {}
        writable = {"write": Out(1), "data": Out(layout), "refuse": In(1)} if register.access != "ro" else {}
        super().__init__(readable | writable)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisterSignature) and self.register == other.register


class Bank(wiring.Component):
    """The registers of one address space as an AXI4-Lite subordinate.

    A read answers in the second cycle after its address, a write in the second cycle after the later of its
    address and data. Each goes on every second cycle, the two independent of each other; ready and valid come
    from registers. An answer waits for its ready and holds up only its own direction.

    Every access is answered, and a refused one changes nothing: DECERR where there is no register; SLVERR for
    a write to a read-only register, for a write of less than all four bytes, for one that the register
    refuses, and for a read of a write-only register, which reads zero. The two low address bits are ignored.
    A written word leaves the bank with its answer: no key stays behind.

    Parameters
    ----------
    registers : sequence of :class:`cbit.csr.map.Register`
        The registers. Constant ones are answered by the bank.

    Members
    -------
    s_axil : ``In(AxiLiteSignature(addr_width=12))``
        The bus.
    <name> : ``Out(RegisterSignature(register))``
        Each register that is not constant, by its name in lower case.
    """

    def __init__(self, *, registers: Sequence[Register]):
        self.registers = tuple(registers)
        super().__init__({"s_axil": In(AxiLiteSignature(addr_width=ADDR_WIDTH))} | {
            register.name.lower(): Out(RegisterSignature(register))
            for register in self.registers if not _is_constant(register)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._elaborate_write(m)
        self._elaborate_read(m)
        return m

    def _port(self, register: Register) -> wiring.PureInterface:
        return getattr(self, register.name.lower())

    def _elaborate_write(self, m: Module) -> None:
        aw, w, b = self.s_axil.aw, self.s_axil.w, self.s_axil.b
        address, address_held = Signal(ADDR_WIDTH), Signal()
        word, whole, word_held = Signal(32), Signal(), Signal()
        m.d.comb += [aw.ready.eq(~address_held), w.ready.eq(~word_held)]
        with m.If(aw.valid & aw.ready):
            m.d.sync += [address.eq(aw.p.addr), address_held.eq(1)]
        with m.If(w.valid & w.ready):
            m.d.sync += [word.eq(w.p.data), whole.eq(w.p.strb.all()), word_held.eq(1)]

        perform, resp = Signal(), Signal(Response)
        m.d.comb += perform.eq(address_held & word_held & ~b.valid)
        self._decode_write(m, address, word, whole, perform, resp)
        with m.If(perform):
            m.d.sync += [b.valid.eq(1), b.p.resp.eq(resp), address_held.eq(0), word_held.eq(0), word.eq(0)]
        with m.Elif(b.ready):
            m.d.sync += b.valid.eq(0)

    def _decode_write(self, m: Module, address: Value, word: Value, whole: Value, perform: Value,
                      resp: Signal) -> None:
        m.d.comb += resp.eq(Response.DECERR)
        with m.Switch(address[2:]):
            for register in self.registers:
                with m.Case(register.offset // 4):
                    m.d.comb += resp.eq(Response.SLVERR)
                    if register.access != "ro":
                        port = self._port(register)
                        with m.If(whole & ~port.refuse):
                            m.d.comb += [resp.eq(Response.OKAY), port.write.eq(perform)]
        m.d.comb += [self._port(register).data.as_value().eq(word)
                     for register in self.registers if register.access != "ro"]

    def _elaborate_read(self, m: Module) -> None:
        ar, r = self.s_axil.ar, self.s_axil.r
        address, address_held = Signal(ADDR_WIDTH), Signal()
        m.d.comb += ar.ready.eq(~address_held)
        with m.If(ar.valid & ar.ready):
            m.d.sync += [address.eq(ar.p.addr), address_held.eq(1)]

        answer = Signal(r.p.shape())
        self._decode_read(m, address, answer)
        with m.If(address_held & ~r.valid):
            m.d.sync += [r.valid.eq(1), r.p.eq(answer), address_held.eq(0)]
        with m.Elif(r.ready):
            m.d.sync += r.valid.eq(0)

    def _decode_read(self, m: Module, address: Value, answer) -> None:
        m.d.comb += answer.resp.eq(Response.DECERR)
        with m.Switch(address[2:]):
            for register in self.registers:
                with m.Case(register.offset // 4):
                    if register.access == "wo":
                        m.d.comb += answer.resp.eq(Response.SLVERR)
                    else:
                        m.d.comb += [answer.resp.eq(Response.OKAY), answer.data.eq(self._word(register))]

    def _word(self, register: Register) -> Value:
        if _is_constant(register):
            return Const(register.reset, 32)
        named_bits = sum((1 << field.width) - 1 << field.lsb for field in register.fields)
        return self._port(register).value.as_value() & named_bits
