"""The memory through which the processor and the units that work for it hand data to each other."""

from amaranth import Const, Module
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["BUFFER_BYTES", "BUFFER_WORDS", "Buffer", "BufferSignature", "leaves_buffer"]

BUFFER_BYTES = 8192

WORD_BYTES = 4

BUFFER_WORDS = BUFFER_BYTES // WORD_BYTES


class BufferSignature(wiring.Signature):
    """Access to the buffer, seen from who asks.

    An access is done in a cycle with ``valid`` and ``ready``. ``ready`` may depend on anybody's ``valid`` in the same
    cycle; who asks may change its mind while it waits.

    Members
    -------
    valid : ``Out(1)``
        Asks.
    ready : ``In(1)``
        The access is done in this cycle, if there is one.
    address : ``Out(range(BUFFER_WORDS))``
        The word.
    strobes : ``Out(4)``
        Bytes to write, byte *i* for bits 8i+7..8i; none for a read.
    write_data : ``Out(32)``
        What to write.
    read_data : ``In(32)``
        In the cycle after a read, and in that one only: the word. Any value after a write.
    """

    def __init__(self):
        super().__init__({
            "valid": Out(1),
            "ready": In(1),
            "address": Out(range(BUFFER_WORDS)),
            "strobes": Out(WORD_BYTES),
            "write_data": Out(8 * WORD_BYTES),
            "read_data": In(8 * WORD_BYTES),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BufferSignature)


class Buffer(Component):
    """8 KB of words of 32 bits that the processor shares with its units, a word a cycle.

    Latency: a word read shows in the cycle after. Throughput: an access a cycle. Stalls: the processor never waits; of
    the units that ask in a cycle without it the first goes. The contents survive a reset.

    Parameters
    ----------
    units : :class:`int`
        How many units there are. 1 or more.

    Members
    -------
    processor : ``In(BufferSignature())``
    units : ``In(BufferSignature()).array(units)``
        Who leaves cycles between its accesses comes first.

    Raises
    ------
    ValueError
        If ``units`` is less than 1.
    """

    def __init__(self, *, units: int) -> None:
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"Units must be an integer of at least 1, not {units!r}")
        self.unit_count = units
        super().__init__({
            "processor": In(BufferSignature()),
            "units": In(BufferSignature()).array(units),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8 * WORD_BYTES, depth=BUFFER_WORDS, init=[])
        # One port for all: yosys maps no memory with two that read and write to block RAM.
        read, write = memory.read_port(), memory.write_port(granularity=8)
        users = [self.processor, *self.units]
        for user in reversed(users):
            with m.If(user.valid):
                m.d.comb += [
                    read.addr.eq(user.address),
                    write.addr.eq(user.address),
                    write.data.eq(user.write_data),
                    write.en.eq(user.strobes),
                ]
        asked = Const(0)
        for user in users:
            m.d.comb += [user.ready.eq(~asked), user.read_data.eq(read.data)]
            asked |= user.valid
        return m


def leaves_buffer(offset: Value, length: Value) -> Value:
    """Whether so many bytes from an offset on do not all lie in the buffer."""
    return offset + length > BUFFER_BYTES
