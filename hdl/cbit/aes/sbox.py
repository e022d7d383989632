"""SubBytes: the S-box on each byte of a state."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes import field
from cbit.aes.cipher import Direction
from cbit.aes.composite import CompositeSBox
from cbit.aes.mixing import PLAIN, Rows
from cbit.aes.rom import DualPortRom
from cbit.aes.transform import map_bytes
from cbit.config import SBox

__all__ = ["SubBytes"]

TABLES_PER_MEMORY = 2
"""Of memories with many ports, yosys takes minutes to find that they are to be copied."""


class SubBytes(Component):
    """SubBytes (FIPS 197, 5.1.1), InvSubBytes (5.3.2), or either, and linear maps before and after it.

    Latency: ``stages`` cycles. Throughput: one state a cycle, without stalls.

    Parameters
    ----------
    direction : :class:`Direction`
        The S-box, its inverse, or both, chosen by ``decrypt``.
    sbox : :class:`SBox`
        How the S-boxes are built.
    count : :class:`int`
        Number of bytes.
    stages : :class:`int`
        0 to 3; at least 1 with ``SBox.BLOCK_RAM``, whose address register it is.
    basis : :data:`Rows`
        What the bits of an input byte are of the byte in FIPS 197.
    images : :class:`tuple` of two :data:`Rows`
        What the bits of an output byte are of the byte's image: of S(x), and of that under the inverse S-box.

    Members
    -------
    i : ``In(8 * count)``
        The state; byte *i* is bits 8i+7..8i.
    decrypt : ``In(1)``
        Whether to take the inverse S-box; heeded with ``Direction.BOTH`` only.
    o : ``Out(len(images[0]) * count)``
        Of each byte in its place what ``images`` says.

    Raises
    ------
    ValueError
        If ``stages`` is 0 with ``SBox.BLOCK_RAM``.
    """

    unguarded = True
    """Pieces of blocks."""

    i: Signal
    decrypt: Signal
    o: Signal

    def __init__(self, *, direction: Direction, sbox: SBox, count: int = 16, stages: int, basis: Rows = PLAIN,
                 images: tuple[Rows, Rows] = (PLAIN, PLAIN)) -> None:
        assert stages in range(4)
        if sbox is SBox.BLOCK_RAM and not stages:
            raise ValueError("Stages must be at least 1 with the block_ram S-box, not 0")
        self.direction = direction
        self.sbox = sbox
        self.count = count
        self.stages = stages
        self.basis = basis
        self.images = images
        super().__init__({
            "i": In(8 * count),
            "decrypt": In(1),
            "o": Out(len(images[0]) * count),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        match self.sbox:
            case SBox.BLOCK_RAM:
                self._read_block_rams(m)
            case SBox.TABLE:
                self._read_tables(m)
            case SBox.COMPOSITE:
                self._compute(m)
        return m

    def _tables(self, images: tuple[Rows, Rows]) -> list[int]:
        """What ``images`` say at each value of ``i``, of each direction."""
        basis, forward = field.transpose(self.basis), field.sbox_table()
        from_basis = field.invert(basis)
        inverse = sorted(range(256), key=forward.__getitem__)
        return [field.apply(field.transpose(rows), table[field.apply(from_basis, value)])
                for used, table, rows in zip((self.direction.encrypts, self.direction.decrypts),
                                             (forward, inverse), images) if used
                for value in range(256)]

    def _address(self, state: Value, decrypt: Value, number: int) -> Value:
        """Of a byte in tables: with both directions, those of the second come after those of the first."""
        byte = state.word_select(number, 8)
        return Cat(byte, decrypt) if self.direction is Direction.BOTH else byte

    def _read_block_rams(self, m: Module) -> None:
        state, decrypt = _delay(m, self.stages - 2, self.i, self.decrypt)
        contents = self._tables(self.images)
        width = len(self.images[0])
        for number in range(0, self.count, 2):
            m.submodules[f"rom_{number // 2}"] = rom = DualPortRom(
                contents=contents, read_cycles=min(self.stages, 2))
            for byte, address, word in zip(range(number, self.count), (rom.address_0, rom.address_1),
                                           (rom.data_0, rom.data_1)):
                m.d.comb += [
                    address.eq(self._address(state, decrypt, byte)),
                    self.o.word_select(byte, width).eq(word),
                ]

    def _read_tables(self, m: Module) -> None:
        state, decrypt = _delay(m, self.stages - 1, self.i, self.decrypt)
        contents = self._tables((PLAIN, PLAIN))
        images = []
        for number in range(self.count):
            if number % TABLES_PER_MEMORY == 0:
                memory = Memory(shape=8, depth=len(contents), init=contents)
                m.submodules[f"rom_{number // TABLES_PER_MEMORY}"] = memory
            port = memory.read_port(domain="comb")
            m.d.comb += port.addr.eq(self._address(state, decrypt, number))
            images.append(port.data)
        self._deliver(m, *_delay(m, min(self.stages, 1), Cat(images), decrypt))

    def _compute(self, m: Module) -> None:
        boxes = [CompositeSBox(direction=self.direction, stages=self.stages, basis=self.basis)
                 for _ in range(self.count)]
        for number, box in enumerate(boxes):
            m.submodules[f"byte_{number}"] = box
            m.d.comb += [
                box.i.eq(self.i.word_select(number, 8)),
                box.decrypt.eq(self.decrypt),
            ]
        decrypt, = _delay(m, self.stages, self.decrypt)
        self._deliver(m, Cat(box.o for box in boxes), decrypt)

    def _deliver(self, m: Module, images: Value, decrypt: Value) -> None:
        forward, inverse = self.images
        state = Signal(8 * self.count)
        m.d.comb += state.eq(images)
        match self.direction:
            case Direction.ENCRYPT:
                m.d.comb += self.o.eq(map_bytes(forward, state))
            case Direction.DECRYPT:
                m.d.comb += self.o.eq(map_bytes(inverse, state))
            case Direction.BOTH:
                m.d.comb += self.o.eq(Mux(decrypt, map_bytes(inverse, state), map_bytes(forward, state)))


def _delay(m: Module, cycles: int, *values: Value) -> tuple[Value, ...]:
    for _ in range(cycles):
        # A valid bit goes beside them and is reset; what they were before that does not matter.
        registers = [Signal(len(value), reset_less=True) for value in values]
        m.d.sync += [register.eq(value) for register, value in zip(registers, values)]
        values = tuple(registers)
    return values
