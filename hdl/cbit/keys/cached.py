"""Keys of many slots, the round keys of a few of them expanded."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.keys.eraser import RoundKeyEraser
from cbit.keys.loader import KeyLoader
from cbit.keys.raw import RawKeys
from cbit.keys.settling import Settling
from cbit.keys.types import DRAIN_SETTLE_CYCLES, KeyStoreSignature, KeyWaysSignature, RoundKeyPairSignature
from cbit.keys.ways import WayTable

__all__ = ["CachedKeys"]

PATIENCE = 1024
"""Cycles for which a miss waits for the accesses of a way before it tries another: longer than they take, if their
manager does not hold back what it writes."""

ANSWER_CYCLES = 3
"""Cycles in which ``way_busy`` may not yet answer for another ``drain_way``."""


class CachedKeys(wiring.Component):
    """Keeps the keys of all slots as they came, and expands those that accesses want into ways.

    An access that finds its slot in no way waits until one has made room and its slot's keys are expanded there:
    see the README of this folder for the cycles that takes. A way makes room only when nothing is in flight under it,
    and only for a slot whose keys are whole; an access to another is told that they are absent. Erasing a slot erases
    its keys and, if they are there, its round keys; it waits for an expansion under way, and for no access.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_ways : :class:`int`
        Number of ways. 2 or more.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    store : ``In(KeyStoreSignature(asid_count))``
        What key control wants.
    serving : ``Out(key_ways)``
        The ways whose accesses in flight succeed.
    round_key : ``Out(RoundKeyPairSignature(asid_count=key_ways, ...))``
        The round keys to write. While the way is not serving, it may hold anything.
    read_ways, write_ways : ``Out(KeyWaysSignature(asid_count, key_ways))``
        For the accesses of each direction.
    drain_way : ``Out(range(key_ways))``
        The way whose accesses in flight are waited for.
    way_busy : ``In(1)``
        High while an access under ``drain_way`` is in flight; counts from the third cycle after a change.
    slot_busy : ``Out(1)``
        High while an access under ``store.slot`` is in flight in a way, or may be.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_ways: int, key_bits: int):
        self.asid_count = asid_count
        self.key_ways = key_ways
        self.key_bits = key_bits
        self.raw = RawKeys(asid_count=asid_count, key_bits=key_bits)
        found = KeyWaysSignature(asid_count=asid_count, key_ways=key_ways)
        super().__init__({
            "store": In(KeyStoreSignature(asid_count=asid_count)),
            "serving": Out(key_ways),
            "round_key": Out(RoundKeyPairSignature(asid_count=key_ways, key_bits=key_bits)),
            "read_ways": Out(found),
            "write_ways": Out(found),
            "drain_way": Out(range(key_ways)),
            "way_busy": In(1),
            "slot_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.raw = raw = self.raw
        m.submodules.loader = loader = KeyLoader(asid_count=self.key_ways, key_bits=self.key_bits)
        m.submodules.eraser = eraser = RoundKeyEraser(asid_count=self.key_ways, key_bits=self.key_bits)
        m.submodules.ways = ways = WayTable(asid_count=self.asid_count, key_ways=self.key_ways)
        store = self.store
        wanted = self._wanted(m)
        asked, absent, is_whole = Signal.like(wanted.slot), Signal(), Signal()
        for port in (self.read_ways, self.write_ways):
            m.d.comb += [port.ways.eq(ways.ways), port.absent.valid.eq(absent), port.absent.slot.eq(asked)]
        m.d.comb += [
            raw.slot.eq(store.slot), raw.words.payload.eq(store.words.payload), raw.read_slot.eq(asked),
            ways.slot.eq(store.slot), ways.release.eq(store.release), ways.cut_all.eq(store.sweep),
            ways.used.eq(self.read_ways.used | self.write_ways.used), ways.bind_slot.eq(asked),
            loader.slot.eq(Mux(store.testing, 0, ways.victim)),
            loader.i.payload.eq(Mux(store.testing, store.words.payload, raw.o.payload.word)),
            self.serving.eq(ways.serving),
        ]
        is_evicting = self._watch(m, ways)
        waited, quiet = Signal(range(PATIENCE)), Signal(range(DRAIN_SETTLE_CYCLES + 2))
        erase = self._erase(m, raw, eraser, ways)
        m.d.comb += ways.cut.eq(store.cut | erase)
        self._write_round_keys(m, loader, eraser)

        # One thing at a time; to erase and to take keys come before what accesses wait for.
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [asked.eq(wanted.slot), waited.eq(0), quiet.eq(0), is_whole.eq(1)]
                with m.If(store.erase):
                    m.next = "ERASE"
                with m.Elif(store.testing):
                    m.next = "TEST"
                with m.Elif(store.words.valid):
                    m.next = "TAKE"
                with m.Elif(wanted.valid):
                    m.next = "LOOK"
            with m.State("ERASE"):
                m.d.comb += [erase.eq(1), absent.eq(store.sweep)]
                m.d.sync += asked.eq(wanted.slot)
                with m.If(store.erased):
                    m.next = "IDLE"
            with m.State("TAKE"):
                m.d.comb += [raw.words.valid.eq(store.words.valid), store.words.ready.eq(1),
                             store.loaded.eq(raw.loaded)]
                with m.If(raw.loaded):
                    m.next = "IDLE"
            with m.State("TEST"):
                m.d.comb += [loader.i.valid.eq(store.words.valid), store.words.ready.eq(loader.i.ready),
                             store.loaded.eq(loader.done)]
                with m.If(~store.testing):
                    m.next = "IDLE"
            with m.State("LOOK"):
                m.d.comb += raw.read.eq(1)
                m.next = "CHOOSE"
            with m.State("CHOOSE"), m.If(raw.o.valid):
                m.d.comb += ways.choose.eq(raw.o.payload.present)
                with m.If(~raw.o.payload.present):
                    m.d.comb += absent.eq(1)
                    m.next = "DROP"
                with m.Elif(ways.chosen):
                    m.next = "EVICT"
            with m.State("EVICT"):
                m.d.comb += is_evicting.eq(1)
                m.d.sync += [waited.eq(waited + 1), quiet.eq(Mux(self.way_busy, 0, quiet + 1))]
                with m.If(quiet == DRAIN_SETTLE_CYCLES + 1):
                    m.d.comb += ways.bind.eq(1)
                    m.next = "EXPAND"
                with m.Elif(store.erase | store.words.valid | (waited == PATIENCE - 1)):
                    m.d.comb += ways.reopen.eq(1)
                    m.next = "DROP"
            with m.State("EXPAND"):
                m.d.comb += [loader.i.valid.eq(raw.o.valid), raw.o.ready.eq(loader.i.ready)]
                with m.If(raw.o.valid):
                    m.d.sync += is_whole.eq(is_whole & raw.o.payload.present)
                with m.If(loader.done):
                    m.d.comb += [absent.eq(~is_whole | store.sweep),
                                 ways.open.eq(is_whole & ~(store.cutting & (store.slot == asked)))]
                    m.next = "IDLE"
            with m.State("DROP"):
                m.d.comb += raw.o.ready.eq(1)
                with m.If(~raw.is_reading):
                    m.next = "IDLE"
        return m

    def _wanted(self, m: Module):
        """The slot that an access waits for, those of both directions in turn."""
        read, write = self.read_ways.wanted, self.write_ways.wanted
        wanted, was_read = Signal.like(read), Signal()
        m.d.comb += wanted.eq(Mux(read.valid & ~(write.valid & was_read), read.as_value(), write.as_value()))
        m.d.sync += was_read.eq(read.valid & ~(write.valid & was_read))
        return wanted

    def _watch(self, m: Module, ways: WayTable) -> Signal:
        """Has the accesses of a way watched: of the one that is to make room, or else of the control's slot."""
        is_evicting, unanswered = Signal(), Signal(range(ANSWER_CYCLES + 1))
        watching = Signal(len(self.drain_way) + 2)
        watched = Signal.like(watching)
        m.d.comb += [
            self.drain_way.eq(Mux(is_evicting, ways.victim, ways.found_way)),
            watching.eq(Cat(self.drain_way, is_evicting, ways.found)),
            self.slot_busy.eq(is_evicting | (unanswered != 0) | (watching != watched) | (ways.found & self.way_busy)),
        ]
        m.d.sync += watched.eq(watching)
        with m.If(watching != watched):
            m.d.sync += unanswered.eq(ANSWER_CYCLES)
        with m.Elif(unanswered != 0):
            m.d.sync += unanswered.eq(unanswered - 1)
        return is_evicting

    def _erase(self, m: Module, raw: RawKeys, eraser: RoundKeyEraser, ways: WayTable) -> Signal:
        """Erases the control's slot while the signal is high; in a sweep, each way with the slot of its number."""
        erase, raw_done, way_done = Signal(), Signal(), Signal()
        has_way = Mux(self.store.sweep, self.store.slot < self.key_ways, ways.found)
        m.d.comb += [
            raw.erase.eq(erase & ~raw_done),
            eraser.enable.eq(erase & ~way_done & has_way),
            eraser.slot.eq(Mux(self.store.sweep, self.store.slot[:len(eraser.slot)], ways.found_way)),
            self.store.erased.eq(erase & (raw.erased | raw_done) & (eraser.done | way_done | ~has_way)),
        ]
        m.d.sync += [raw_done.eq((raw_done | raw.erased) & ~self.store.erased),
                     way_done.eq((way_done | eraser.done) & ~self.store.erased)]
        return erase

    def _write_round_keys(self, m: Module, loader: KeyLoader, eraser: RoundKeyEraser) -> None:
        m.submodules.settling = settling = Settling()
        for name in self.round_key.signature.members:
            m.d.sync += getattr(self.round_key, name).eq(
                Mux(eraser.enable, getattr(eraser.round_key, name), getattr(loader.round_key, name)))
        m.d.sync += settling.written.eq(eraser.enable)
        m.d.comb += self.store.settling.eq(settling.settling)
