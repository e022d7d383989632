"""Registers behind AXI4-Lite: decodes addresses, answers refusals, stores nothing."""

from collections.abc import Iterator, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import AxiLiteSignature, Response
from cbit.csr.map import SIZE_BYTES, Register
from cbit.csr.rotation import rotation_layout
from cbit.csr.word import ArraySignature, RegisterSignature

__all__ = ["ADDR_WIDTH", "Bank"]

ADDR_WIDTH = (SIZE_BYTES - 1).bit_length()
"""Bits of an address on an engine's bank."""

WORD_CYCLES = 3
"""Cycles from a read's address to the word of a register that stands behind the bank."""


def _is_constant(register: Register) -> bool:
    return all(field.constant for field in register.fields)


class Bank(wiring.Component):
    """The registers of one address space as an AXI4-Lite subordinate.

    A read answers in the fifth cycle after its address, one of a rotating register within 16 cycles more, with
    the word as it was at some time after the address. A write answers in the third cycle after the later of its
    address and data. Each direction takes its next access while the answer is taken, the two independent of each
    other; ready and valid come from registers. An answer waits for its ready and holds up only its own direction.

    Every access is answered, and a refused one changes nothing: DECERR where there is no register; SLVERR for
    a write to a read-only register, for a write of less than all four bytes, for one that the register
    refuses, and for a read of a write-only register, which reads zero. The two low address bits are ignored.
    A written word leaves the bank with its answer: no key stays behind.

    Parameters
    ----------
    registers : sequence of :class:`cbit.csr.map.Register`
        The registers. Constant ones are answered by the bank.
    rotating : sequence of :class:`cbit.csr.map.Register`
        Those of them that are read from ``rotation``.
    addr_width : :class:`int`
        Bits of an address, enough for each register's offset.

    Members
    -------
    s_axil : ``In(AxiLiteSignature(addr_width=addr_width))``
        The bus.
    rotation : ``In(rotation_layout())``
        The rotating registers in turn.
    <name> : ``Out(RegisterSignature(register))`` or ``Out(ArraySignature(...))``
        Each other register that is not constant, by its name in lower case, and each array by its.
    """

    unguarded = True
    """Words of keys are among what it decodes."""

    def __init__(self, *, registers: Sequence[Register], rotating: Sequence[Register] = (),
                 addr_width: int = ADDR_WIDTH):
        self.registers = tuple(registers)
        self.addr_width = addr_width
        self.rotating = frozenset(register.name for register in rotating)
        arrays = {register.array: register for register in self.registers if register.array}
        super().__init__({
            "s_axil": In(AxiLiteSignature(addr_width=addr_width)),
            "rotation": In(rotation_layout()),
            **{register.name.lower(): Out(RegisterSignature(register))
               for register in self.registers if not register.array and self._stands_behind(register)},
            **{name.lower(): Out(ArraySignature(register, count=register.index + 1))
               for name, register in arrays.items()},
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._elaborate_write(m)
        self._elaborate_read(m)
        return m

    def _stands_behind(self, register: Register) -> bool:
        return not _is_constant(register) and register.name not in self.rotating

    def _elaborate_write(self, m: Module) -> None:
        aw, w, b = self.s_axil.aw, self.s_axil.w, self.s_axil.b
        address, address_held, is_decoded = Signal(self.addr_width), Signal(), Signal()
        word, whole, word_held = Signal(32), Signal(), Signal()
        perform = Signal()
        m.d.comb += [
            aw.ready.eq(~address_held),
            w.ready.eq(~word_held),
            perform.eq(is_decoded & word_held & ~b.valid),
        ]
        resp = self._offer_write(m, address, word, whole, perform)
        m.d.sync += is_decoded.eq(address_held & ~perform)
        with m.If(aw.valid & aw.ready):
            m.d.sync += [address.eq(aw.p.addr), address_held.eq(1)]
        with m.If(w.valid & w.ready):
            m.d.sync += [word.eq(w.p.data), whole.eq(w.p.strb.all()), word_held.eq(1)]
        with m.If(perform):
            m.d.sync += [b.valid.eq(1), b.p.resp.eq(resp), address_held.eq(0), word_held.eq(0), word.eq(0)]
        with m.Elif(b.ready):
            m.d.sync += b.valid.eq(0)

    def _offer_write(self, m: Module, address: Value, word: Value, whole: Value, perform: Value) -> Value:
        """Offers the word to the register at the address; returns the response."""
        exists, is_taken = Signal(), Signal()
        m.d.sync += exists.eq(self._is_any(address, self.registers))
        for port, registers in self._writable():
            chosen = Signal()
            m.d.sync += chosen.eq(self._is_any(address, registers))
            m.d.comb += [port.data.as_value().eq(word), port.write.eq(perform & chosen & whole & ~port.refuse)]
            if registers[0].array:
                m.d.comb += port.index.eq(address[2:])
            with m.If(chosen & whole & ~port.refuse):
                m.d.comb += is_taken.eq(1)
        return Mux(is_taken, Response.OKAY, Mux(exists, Response.SLVERR, Response.DECERR))

    def _writable(self) -> Iterator[tuple[wiring.PureInterface, list[Register]]]:
        """Each port that takes words, and its registers."""
        writable = [register for register in self.registers if register.access != "ro"]
        for name in dict.fromkeys(register.array or register.name for register in writable):
            yield getattr(self, name.lower()), [entry for entry in writable if name in (entry.array, entry.name)]

    def _elaborate_read(self, m: Module) -> None:
        ar, r = self.s_axil.ar, self.s_axil.r
        address, address_held = Signal(self.addr_width), Signal()
        age = Signal(WORD_CYCLES)
        rotates, is_there = Signal(), Signal()
        answer = self._read(m, address, rotates)
        m.d.comb += [
            ar.ready.eq(~address_held),
            is_there.eq(age[-1] & (~rotates | (self.rotation.place == address[2:6])) & ~r.valid),
        ]
        m.d.sync += age.eq(Cat(address_held, age) & (address_held & ~is_there).replicate(WORD_CYCLES))
        with m.If(ar.valid & ar.ready):
            m.d.sync += [address.eq(ar.p.addr), address_held.eq(1)]
        with m.If(is_there):
            m.d.sync += [r.valid.eq(1), r.p.eq(answer), address_held.eq(0)]
        with m.Elif(r.ready):
            m.d.sync += r.valid.eq(0)

    def _read(self, m: Module, address: Value, rotates: Signal) -> Signal:
        """The answer of what is at the address, and whether it ``rotates``, each step behind a register."""
        answer = Signal(self.s_axil.r.p.shape())
        exists, is_readable = Signal(), Signal()
        word, resp = Signal(32), Signal(Response)
        readable = [register for register in self.registers if register.access != "wo"]
        words = [Const(0, 32)]
        for register in readable:
            if register.name not in self.rotating:
                chosen = Signal()
                m.d.sync += chosen.eq(self._is_any(address, [register]))
                words.append(self._word(register) & chosen.replicate(32))
        m.d.sync += [
            exists.eq(self._is_any(address, self.registers)),
            is_readable.eq(self._is_any(address, readable)),
            rotates.eq(self._is_any(address, [entry for entry in readable if entry.name in self.rotating])),
            word.eq(Cat(Cat(column).any() for column in zip(*words))),
            resp.eq(Mux(is_readable, Response.OKAY, Mux(exists, Response.SLVERR, Response.DECERR))),
        ]
        m.d.comb += [
            answer.data.eq(word | (self.rotation.word & rotates.replicate(32))),
            answer.resp.eq(resp),
        ]
        return answer

    def _word(self, register: Register) -> Value:
        if _is_constant(register):
            return Const(register.reset, 32)
        named_bits = sum((1 << field.width) - 1 << field.lsb for field in register.fields)
        port = getattr(self, (register.array or register.name).lower())
        word = port.value[register.index] if register.array else port.value
        return word.as_value() & named_bits

    @staticmethod
    def _is_any(address: Value, registers: Sequence[Register]) -> Value:
        """Whether the address is that of one of the registers."""
        return address[2:].matches(*(register.offset // 4 for register in registers)) if registers else Const(0)
