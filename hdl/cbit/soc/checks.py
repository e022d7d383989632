"""What a request must be before anything of it is done."""

from amaranth import Const, Module, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

from cbit.soc.protocol import DATA_BYTES, REQUEST, Operation, Outcome

__all__ = ["RequestChecks", "is_one_of"]

ATTRIBUTE_BITS = 4
_REGISTER_BYTES = 4
_MEMORY = (Operation.READ_MEMORY, Operation.WRITE_MEMORY)
_RAW = (Operation.READ_RAW, Operation.WRITE_RAW)
_REGISTERS = (Operation.READ_HOST, Operation.READ_MAILBOX, Operation.WRITE_MAILBOX, Operation.READ_KEYS,
              Operation.WRITE_KEYS)
_WRITES = (Operation.WRITE_MEMORY, Operation.WRITE_RAW, Operation.WRITE_MAILBOX, Operation.WRITE_KEYS)


def is_one_of(operation: Value, *choices: Operation) -> Value:
    """Whether an operation, as a number, is one of some."""
    return operation.matches(*(choice.value for choice in choices))


class RequestChecks(Component):
    """Says whether a request can be carried out, and if not, what is wrong with it; the first rule that fails counts.

    Combinational.

    Parameters
    ----------
    addr_width, c_bit, asid_width : :class:`int`
        Of the engine.
    memory_bytes : :class:`int`
        Bytes of DRAM.
    has_psp : :class:`bool`
        Whether there is a mailbox; if not, there are the registers of keys.
    control_addr_width : :class:`int`
        Bits of an address of these registers.

    Members
    -------
    request : ``In(REQUEST)``
    data_bytes : ``In(range(DATA_BYTES + 1))``
        What came with it.
    memory_ready, released : ``In(1)``
        What there is now.
    outcome : ``Out(Outcome)``
        ``OK`` if it can.
    """

    def __init__(self, *, addr_width: int, c_bit: int, asid_width: int, memory_bytes: int, has_psp: bool,
                 control_addr_width: int) -> None:
        self.addr_width = addr_width
        self.c_bit = c_bit
        self.asid_width = asid_width
        self.memory_bytes = memory_bytes
        self.has_psp = has_psp
        self.control_addr_width = control_addr_width
        super().__init__({
            "request": In(REQUEST),
            "data_bytes": In(range(DATA_BYTES + 1)),
            "memory_ready": In(1),
            "released": In(1),
            "outcome": Out(Outcome),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        request = self.request
        operation = request.operation
        is_memory, is_raw = is_one_of(operation, *_MEMORY), is_one_of(operation, *_RAW)
        rules = (
            (Outcome.OPERATION, ~is_one_of(operation, *self._operations())),
            (Outcome.LENGTH, self._has_wrong_length(is_memory | is_raw)),
            (Outcome.ADDRESS, self._has_wrong_address(m, is_memory, is_raw)),
            (Outcome.ATTRIBUTES, ~is_memory & (request.attributes.any() | request.asid.any())),
            (Outcome.ATTRIBUTES, request.attributes[ATTRIBUTE_BITS:].any() | request.asid[self.asid_width:].any()),
            (Outcome.NOT_READY, (is_memory | is_raw) & ~self.memory_ready),
            (Outcome.NOT_RELEASED, is_memory & ~self.released),
        )
        m.d.comb += self.outcome.eq(Outcome.OK)
        for outcome, is_broken in reversed(rules):
            with m.If(is_broken):
                m.d.comb += self.outcome.eq(outcome)
        return m

    def _operations(self) -> list[Operation]:
        keys = (Operation.READ_KEYS, Operation.WRITE_KEYS)
        psp = (Operation.READ_MAILBOX, Operation.WRITE_MAILBOX, Operation.FLUSH)
        return [operation for operation in Operation if operation not in (keys if self.has_psp else psp)]

    def _has_wrong_length(self, is_memory: Value) -> Value:
        request = self.request
        is_register = is_one_of(request.operation, *_REGISTERS)
        fits = ((is_memory & (request.length != 0) & (request.length <= DATA_BYTES))
                | (is_register & (request.length == _REGISTER_BYTES))
                | (~is_memory & ~is_register & (request.length == 0)))
        is_write = is_one_of(request.operation, *_WRITES)
        return ~fits | (self.data_bytes != (request.length & is_write.replicate(16)))

    def _has_wrong_address(self, m: Module, is_memory: Value, is_raw: Value) -> Value:
        address, operation = self.request.address, self.request.operation
        c_bit = Const(1 << self.c_bit, 64)
        place = Signal(self.addr_width)
        m.d.comb += place.eq(address & ~(c_bit & is_memory.replicate(64)))
        past_memory = (place + self.request.length > self.memory_bytes) | address[self.addr_width:].any()
        is_control = is_one_of(operation, Operation.READ_MAILBOX, Operation.WRITE_MAILBOX, Operation.READ_KEYS,
                               Operation.WRITE_KEYS)
        is_host = operation == Operation.READ_HOST.value
        is_unaligned = address[:2].any()
        return (((is_memory | is_raw) & past_memory)
                | (is_control & (is_unaligned | address[self.control_addr_width:].any()))
                | (is_host & (is_unaligned | address[12:].any()))
                | (~is_memory & ~is_raw & ~is_control & ~is_host & address.any()))
