"""SubBytes: the S-box on each byte of a state."""

from amaranth import Cat, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes import field
from cbit.aes.cipher import Direction
from cbit.aes.composite import CompositeSBox
from cbit.config import SBox

__all__ = ["SubBytes"]

BYTES_PER_ROM = 2
"""A block RAM has two ports; of ROMs with many, yosys takes minutes to find that they are to be copied."""


def _rom(direction: Direction) -> list[int]:
    forward = field.sbox_table()
    inverse = sorted(range(256), key=forward.__getitem__)
    return [*(forward if direction.encrypts else ()), *(inverse if direction.decrypts else ())]


class SubBytes(Component):
    """SubBytes (FIPS 197, 5.1.1), InvSubBytes (5.3.2), or either.

    Latency: one cycle if ``registered``, else none. Throughput: one state a cycle, without stalls.

    Parameters
    ----------
    direction : :class:`Direction`
        The S-box, its inverse, or both, chosen by ``decrypt``.
    sbox : :class:`SBox`
        How the S-boxes are built.
    count : :class:`int`
        Number of bytes.
    registered : :class:`bool`
        Whether ``o`` is a register. Always with ``SBox.BLOCK_RAM``, whose register it is.

    Members
    -------
    i : ``In(8 * count)``
        The state; byte *i* is bits 8i+7..8i.
    decrypt : ``In(1)``
        Whether to take the inverse S-box; heeded with ``Direction.BOTH`` only.
    o : ``Out(8 * count)``
        The image of each byte, in its place.

    Raises
    ------
    ValueError
        If ``registered`` is false with ``SBox.BLOCK_RAM``.
    """

    i: Signal
    decrypt: Signal
    o: Signal

    def __init__(self, *, direction: Direction, sbox: SBox, count: int = 16, registered: bool) -> None:
        if sbox is SBox.BLOCK_RAM and not registered:
            raise ValueError("Registered must be true with the block_ram S-box, not false")
        self.direction = direction
        self.sbox = sbox
        self.count = count
        self.registered = registered
        super().__init__({
            "i": In(8 * count),
            "decrypt": In(1),
            "o": Out(8 * count),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        match self.sbox:
            case SBox.BLOCK_RAM:
                m.d.comb += self.o.eq(self._read_table(m, "sync"))
            case SBox.TABLE:
                self._deliver(m, self._read_table(m, "comb"))
            case SBox.COMPOSITE:
                self._deliver(m, self._compute(m))
        return m

    def _deliver(self, m: Module, images) -> None:
        if not self.registered:
            m.d.comb += self.o.eq(images)
            return
        # Its valid bit goes beside it and is reset; what the state was before that does not matter.
        state = Signal(8 * self.count, reset_less=True)
        m.d.sync += state.eq(images)
        m.d.comb += self.o.eq(state)

    def _read_table(self, m: Module, domain: str):
        contents = _rom(self.direction)
        half = self.decrypt if self.direction is Direction.BOTH else Cat()
        attributes = {"rom_style": "block"} if self.sbox is SBox.BLOCK_RAM else {}
        images = []
        for i in range(self.count):
            if i % BYTES_PER_ROM == 0:
                rom = Memory(shape=8, depth=len(contents), init=contents, attrs=attributes)
                m.submodules[f"rom_{i // BYTES_PER_ROM}"] = rom
            port = rom.read_port(domain=domain)
            m.d.comb += port.addr.eq(Cat(self.i.word_select(i, 8), half))
            images.append(port.data)
        return Cat(images)

    def _compute(self, m: Module):
        boxes = [CompositeSBox(direction=self.direction) for _ in range(self.count)]
        for i, box in enumerate(boxes):
            m.submodules[f"byte_{i}"] = box
            m.d.comb += [
                box.i.eq(self.i.word_select(i, 8)),
                box.decrypt.eq(self.decrypt),
            ]
        return Cat(box.o for box in boxes)
