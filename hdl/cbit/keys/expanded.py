"""Round keys of every slot, always at hand."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.keys.eraser import RoundKeyEraser
from cbit.keys.loader import KeyLoader
from cbit.keys.settling import Settling
from cbit.keys.types import KeyStoreSignature, RoundKeyPairSignature

__all__ = ["ExpandedKeys"]


class ExpandedKeys(wiring.Component):
    """Expands the keys of a slot once, as they come. A slot's round keys are where its number says.

    An erase takes as long as :class:`~cbit.keys.eraser.RoundKeyEraser` says.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    store : ``In(KeyStoreSignature(asid_count))``
        What key control wants.
    serving : ``Out(asid_count)``
        The slots whose accesses in flight succeed.
    round_key : ``Out(RoundKeyPairSignature(...))``
        The round keys to write. While the slot is not serving, it may hold anything.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.sizes = {"asid_count": asid_count, "key_bits": key_bits}
        super().__init__({
            "store": In(KeyStoreSignature(asid_count=asid_count)),
            "serving": Out(asid_count),
            "round_key": Out(RoundKeyPairSignature(**self.sizes)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.loader = loader = KeyLoader(**self.sizes)
        m.submodules.eraser = eraser = RoundKeyEraser(**self.sizes)
        store, round_key = self.store, self.round_key
        wiring.connect(m, wiring.flipped(store.words), loader.i)
        m.d.comb += [
            loader.slot.eq(store.slot), store.loaded.eq(loader.done),
            eraser.slot.eq(store.slot), eraser.enable.eq(store.erase), store.erased.eq(eraser.done),
        ]
        for name in round_key.signature.members:
            m.d.sync += getattr(round_key, name).eq(
                Mux(eraser.enable, getattr(eraser.round_key, name), getattr(loader.round_key, name)))
        m.submodules.settling = settling = Settling()
        m.d.comb += [settling.written.eq(round_key.valid), store.settling.eq(settling.settling)]
        with m.If(store.sweep):
            m.d.sync += self.serving.eq(0)
        with m.Elif(store.start | store.cut):
            m.d.sync += self.serving.bit_select(store.slot, 1).eq(store.start)
        return m
