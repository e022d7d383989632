"""A round of AES on one column, in either direction, without preparation of the keys of decryption."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes import field
from cbit.aes.transform import map_bytes

__all__ = ["ByteRom", "ColumnRound", "sbox_bytes"]

ROWS = 4


def sbox_bytes(*, both: bool) -> list[int]:
    """The S-box (FIPS 197, 5.1.1), and if ``both`` its inverse after it (5.3.2)."""
    forward = field.sbox_table()
    return [*forward, *(sorted(range(256), key=forward.__getitem__) if both else ())]


class ByteRom(Component):
    """A read-only memory of bytes with one port, which is one block RAM of an iCE40 if it has up to 512.

    Latency: one cycle. Throughput: a byte a cycle.

    Parameters
    ----------
    contents : :class:`list` of :class:`int`

    Members
    -------
    address : ``In(range(len(contents)))``
    data : ``Out(8)``
    """

    unguarded = True
    """Pieces of blocks, or of keys."""

    def __init__(self, *, contents: list[int]) -> None:
        self.contents = contents
        super().__init__({"address": In(range(len(contents))), "data": Out(8)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(8), depth=len(self.contents), init=self.contents,
                                              attrs={"rom_style": "block"})
        read = memory.read_port()
        m.d.comb += [read.addr.eq(self.address), self.data.eq(read.data)]
        return m


class ColumnRound(Component):
    """SubBytes, MixColumns and AddRoundKey of a column (FIPS 197, 5.1), or their inverses in the order of 5.3.

    Latency: one cycle from ``i`` to ``o``, none from all others but ``decrypt``, which stays. Throughput: a column a
    cycle.

    Members
    -------
    decrypt : ``In(1)``
        Whether these are the inverses.
    i : ``In(32)``
        The column after ShiftRows or InvShiftRows; the byte of row 0 is bits 7..0.
    is_block, block : ``In(1)``, ``In(32)``
        In place of what comes of ``i``: a column that is only to have the key added.
    key : ``In(32)``
    is_plain : ``In(1)``
        Leaves MixColumns out.
    o : ``Out(32)``
    """

    decrypt: In(1)
    i: In(32)
    is_block: In(1)
    block: In(32)
    key: In(32)
    is_plain: In(1)
    o: Out(32)

    def elaborate(self, _platform) -> Module:
        m = Module()
        substituted = Signal(32)
        for row in range(ROWS):
            m.submodules[f"rom_{row}"] = rom = ByteRom(contents=sbox_bytes(both=True))
            m.d.comb += [rom.address.eq(Cat(self.i.word_select(row, 8), self.decrypt)),
                         substituted.word_select(row, 8).eq(rom.data)]
        given, prepared, mixed = Signal(32), Signal(32), Signal(32)
        early, late = Signal(32), Signal(32)
        m.d.comb += [
            # Decryption adds the key before it mixes.
            early.eq(self.key & self.decrypt.replicate(32)),
            late.eq(self.key & (~self.decrypt).replicate(32)),
            given.eq(Mux(self.is_block, self.block, substituted) ^ early),
            prepared.eq(_prepared(m, given, self.decrypt)),
            mixed.eq(_mixed(m, prepared)),
            self.o.eq(Mux(self.is_plain | self.is_block, given, mixed) ^ late),
        ]
        return m


def _prepared(m: Module, column: Value, decrypt: Value) -> Value:
    """What MixColumns makes InvMixColumns of: the column times 5, 0, 4, 0 (FIPS 197, 5.1.3 and 5.3.3)."""
    rows = [column.word_select(row, 8) for row in range(ROWS)]
    four = field.transpose(field.linear_map(lambda value: field.multiply(4, value)))
    sums = [Signal(8, name=f"sum_{parity}") for parity in range(2)]
    for parity, total in enumerate(sums):
        m.d.comb += total.eq(map_bytes(four, rows[parity] ^ rows[parity + 2]) & decrypt.replicate(8))
    return Cat(rows[row] ^ sums[row % 2] for row in range(ROWS))


def _mixed(m: Module, column: Value) -> Value:
    """MixColumns, of sums that two bytes share."""
    rows = [column.word_select(row, 8) for row in range(ROWS)]
    pairs = [Signal(8, name=f"pair_{row}") for row in range(ROWS)]
    m.d.comb += [pair.eq(rows[row] ^ rows[(row + 1) % ROWS]) for row, pair in enumerate(pairs)]
    doubled = [Cat(0, pair[:7]) ^ Mux(pair[7], 0x1B, 0) for pair in pairs]
    return Cat(doubled[row] ^ rows[(row + 1) % ROWS] ^ pairs[(row + 2) % ROWS] for row in range(ROWS))
