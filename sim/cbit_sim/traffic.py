"""Random accesses: all that the contract allows, and all that it refuses."""

import dataclasses
import random
from collections.abc import Container, Mapping, Sequence
from functools import cached_property, lru_cache

from cbit_model.access import BLOCK_BYTES, Burst, Decision, Response, burst_beats, decide
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES, Memory
from cbit_sim.beats import Address, WriteData
from cbit_sim.manager import Transaction
from cbit_sim.scoreboard import access_of

__all__ = ["PAGE_BYTES", "Ground", "Traffic", "error_lines", "owner_mask", "user_bits"]

PAGE_BYTES = 4096
_ATTEMPTS = 200
_HOT_LINES = 4
_MAX_FIXED_BEATS = 16


def user_bits(asid_width: int, *, asid: int = 0, npt_c: bool = False, dma: bool = False, walk: bool = False) -> int:
    """AxUSER."""
    return asid | (npt_c | dma << 1 | walk << 2) << asid_width


@lru_cache(maxsize=1 << 16)
def owner_mask(place: int, identifier: int, ids: int, bus_bytes: int = BLOCK_BYTES) -> int:
    """The byte lanes of a place as wide as the bus that an ID, one of 0 to ``ids - 1``, may write.

    By line: one ID has the whole line, or each block another ID, or each four bytes, or each byte.
    """
    return sum(_block_owner_mask(place + offset, identifier, ids) << offset
               for offset in range(0, bus_bytes, BLOCK_BYTES))


def _block_owner_mask(block: int, identifier: int, ids: int) -> int:
    line = block // LINE_BYTES
    match (line ^ line >> 2) % 4:
        case 0:
            return ALL_LANES if line % ids == identifier else 0
        case 1:
            return ALL_LANES if block // BLOCK_BYTES % ids == identifier else 0
        case 2:
            return sum(0xF << 4 * word for word in range(4) if (block // 4 + word) % ids == identifier)
        case _:
            return sum(1 << lane for lane in range(BLOCK_BYTES) if (line + lane) % ids == identifier)


@dataclasses.dataclass(frozen=True)
class Ground:
    """What each page of DRAM is used as.

    Parameters
    ----------
    slots : sequence of :class:`int` or :data:`None`
        For each page of 4096 bytes of DRAM, from its first on, the slot it is encrypted with; :data:`None` is plain.
    exclusive_pages : sequence of :class:`int`
        Plain pages that only exclusive accesses go to.
    """

    slots: Sequence[int | None]
    exclusive_pages: Sequence[int] = ()

    @classmethod
    def random(cls, pages: int, active: Sequence[int], rng: random.Random, *, plain: bool = True) -> "Ground":
        """Every active slot, and plain if ``plain``, has a page, the rest by chance; one plain page for exclusives.

        Where there is neither, all is plain, and nobody may reach it.
        """
        kinds: list[int | None] = [*active, *([None, None] if plain else [])] or [None]
        slots = (kinds + rng.choices(kinds, k=pages))[:pages]
        rng.shuffle(slots)
        exclusive = [slots.index(None)] if plain else []
        return cls(slots, exclusive)

    @cached_property
    def shared_pages(self) -> Sequence[int]:
        """The pages that are not for exclusive accesses."""
        return [page for page in range(len(self.slots)) if page not in self.exclusive_pages]


class Traffic:
    """A source of random transactions, the same for the same seed.

    Parameters
    ----------
    model : :class:`~cbit_model.memory.Memory`
        Its mode and slots decide what is allowed. They are looked at for each transaction.
    ground : :class:`Ground`
        What each page is used as. Allowed accesses keep to it.
    asid_width : :class:`int`
        Bits of the ASID in AxUSER.
    ids : :class:`int`
        Accesses use IDs 0 to ``ids - 1``.
    seed : :class:`int`
        Of all choices.
    denied : :class:`float`
        Part of the accesses that the model denies.
    hot : :class:`float`
        Part of the accesses that go to a few lines of each page, where they meet.

    Attributes
    ----------
    unsettled : :class:`int` or :data:`None`
        A slot that begins or ends at a moment nobody knows: accesses whose decision depends on it are left out.
    """

    def __init__(self, model: Memory, ground: Ground, *, asid_width: int, ids: int, seed: int, denied: float = 0.1,
                 hot: float = 0.6):
        self.ground = ground
        self.ids = ids
        self.unsettled: int | None = None
        self._model = model
        self._asid_width = asid_width
        self._bus_bytes = model.bus_bytes
        self._bus_size = model.bus_bytes.bit_length() - 1
        self._rng = random.Random(seed)
        self._denied = denied
        self._hot = hot

    def owner_mask(self, place: int, identifier: int) -> int:
        """The byte lanes of a place as wide as the bus that an ID may write."""
        return owner_mask(place, identifier, self.ids, self._bus_bytes)

    def next(self) -> Transaction:
        """One transaction."""
        rng = self._rng
        if rng.random() < self._denied:
            address = self._denied_address()
        elif self.ground.exclusive_pages and rng.random() < 0.03:
            address = self._exclusive_address()
        else:
            page = rng.choice(self.ground.shared_pages)
            address = self._allowed(self._burst_in(self._start_of(page)), self.ground.slots[page])
        if rng.random() < 0.5:
            return Transaction(address)
        lead = rng.choice((0, 0, 0, 1, 5, 30))
        delays = (lead, 0) if rng.random() < 0.5 else (0, lead)
        return Transaction(address, self._data(address), *delays)

    def _start_of(self, page: int) -> int:
        return self._model.dram.base + PAGE_BYTES * page

    def _burst_in(self, page_start: int) -> Address:
        rng = self._rng
        size = rng.choice((*[self._bus_size] * 4, *reversed(range(self._bus_size))))
        step = 1 << size
        hot = rng.random() < self._hot
        start = page_start + (rng.randrange(_HOT_LINES * LINE_BYTES) if hot else rng.randrange(PAGE_BYTES))
        burst = rng.choices((Burst.INCR, Burst.WRAP, Burst.FIXED), (14, 4, 2))[0]
        if burst == Burst.WRAP:
            length, start = rng.choice((2, 4, 8, 16)), start & -step
        elif burst == Burst.FIXED:
            length = rng.randint(1, _MAX_FIXED_BEATS)
        else:
            room = min(256, (page_start + PAGE_BYTES - (start & -step)) // step)
            length = min(room, rng.choices((rng.randint(1, 8), rng.randint(1, 40), 256), (30, 6, 1))[0])
        if burst == Burst.INCR and rng.random() < 0.3:
            start, size, length = start & -LINE_BYTES, self._bus_size, LINE_BYTES // self._bus_bytes
        identifier = self._likely_owner(start) if rng.random() < 0.7 else rng.randrange(self.ids)
        return Address(identifier, start, length - 1, size, burst, cache=rng.randrange(16), qos=rng.randrange(16),
                       region=rng.randrange(16))

    def _likely_owner(self, start: int) -> int:
        place, lane = start & -self._bus_bytes, start % self._bus_bytes
        return next(identifier for identifier in range(self.ids) if self.owner_mask(place, identifier) >> lane & 1)

    def _with_random_view(self, address: Address, slot: int | None) -> Address:
        """The same bytes as some agent of the host or of a guest may name them."""
        rng = self._rng
        guests = (0, slot or 0, slot or rng.randrange(1 << self._asid_width), rng.randrange(1 << self._asid_width))
        user = user_bits(self._asid_width, asid=rng.choice(guests), npt_c=rng.random() < 0.5, dma=rng.random() < 0.3,
                         walk=rng.random() < 0.2)
        c_bit = rng.randrange(2) << self._model.c_bit
        prot = rng.choice((0, 1, 2, 3, 0, 1, 2, 4, 7))
        return address._replace(addr=address.addr & ~(1 << self._model.c_bit) | c_bit, user=user, prot=prot)

    def _decision(self, address: Address, active: Container[int] | None = None) -> Decision:
        model = self._model
        return decide(access_of(address, self._asid_width), mode=model.mode,
                      active=model.slots.active if active is None else active, asid_count=model.asid_count,
                      c_bit=model.c_bit, bus_bytes=model.bus_bytes)

    def _is_settled(self, address: Address) -> bool:
        if self.unsettled is None:
            return True
        active, slot = self._model.slots.active, {self.unsettled}
        return self._decision(address, active | slot) == self._decision(address, active - slot)

    def _allowed(self, address: Address, slot: int | None) -> Address:
        """The burst as one who is allowed to reach it under ``slot``; where nobody is, as one who is denied."""
        for _ in range(_ATTEMPTS):
            seen = self._with_random_view(address, slot)
            decision = self._decision(seen)
            if decision.violation is None and decision.slot == slot and self._is_settled(seen):
                if slot is not None and self._rng.random() < 0.03:
                    return seen._replace(**_exclusive(seen))
                return seen
        return self._denied_view(address)

    def _denied_address(self) -> Address:
        rng = self._rng
        address = self._burst_in(self._start_of(rng.choice(self.ground.shared_pages)))
        broken = rng.randrange(8)
        if broken == 0:
            address = address._replace(burst=Burst.RESERVED)
        elif broken == 1:
            address = address._replace(size=rng.randint(self._bus_size + 1, 7))
        elif broken == 2:
            address = address._replace(burst=Burst.WRAP, len=rng.choice((0, 2, 4, 5, 6, 8, 14, 16, 255)))
        elif broken == 3:
            address = address._replace(burst=Burst.FIXED, len=rng.randint(_MAX_FIXED_BEATS, 255))
        elif broken == 4:
            boundary = (address.addr & -PAGE_BYTES) + PAGE_BYTES
            address = address._replace(burst=Burst.INCR, size=self._bus_size, addr=boundary - self._bus_bytes,
                                       len=rng.randint(1, 255))
        elif broken == 5 and self._model.addr_width > self._model.c_bit + 1:
            address = address._replace(addr=address.addr | 1 << rng.randrange(
                self._model.c_bit + 1, self._model.addr_width))
        return self._denied_view(address)

    def _denied_view(self, address: Address) -> Address:
        slot = self._rng.randrange(self._model.asid_count)
        for _ in range(_ATTEMPTS):
            seen = self._with_random_view(address, slot)
            if self._decision(seen).violation is not None and self._is_settled(seen):
                return seen
        return address._replace(burst=Burst.RESERVED)

    def _exclusive_address(self) -> Address:
        """An exclusive access to a plain line that belongs to one ID."""
        rng = self._rng
        identifier = rng.randrange(self.ids)
        page = self._start_of(rng.choice(self.ground.exclusive_pages))
        size = rng.choice(range(self._bus_size + 1))
        span = LINE_BYTES * self.ids
        start = page + rng.randrange(PAGE_BYTES // span) * span + identifier * LINE_BYTES
        return self._allowed(Address(identifier, start, 0, size, Burst.INCR, lock=1), None)

    def _data(self, address: Address) -> list[WriteData]:
        rng = self._rng
        length = address.len + 1
        plain = access_of(address, self._asid_width)
        kind = rng.choices(("full", "random", "none"), (12, 7, 1))[0]
        if address.burst == Burst.RESERVED or address.size > self._bus_size:
            lanes = [(0, rng.randrange(1 << self._bus_bytes)) for _ in range(length)]
        else:
            lanes = [(block & ~(1 << self._model.c_bit), allowed) for block, allowed in
                     burst_beats(plain.address, length, address.size, Burst(address.burst), self._bus_bytes)]
        beats = []
        for number, (block, allowed) in enumerate(lanes, 1):
            strobe = allowed if address.lock else allowed & self.owner_mask(block, address.id)
            if kind != "full":
                strobe &= self._random_strobe() if kind == "random" else 0
            beats.append(WriteData(rng.getrandbits(8 * self._bus_bytes), strobe, int(number == length)))
        return beats

    def _random_strobe(self) -> int:
        """Any bytes, or where a beat has several blocks, as often some of these."""
        rng, blocks = self._rng, self._bus_bytes // BLOCK_BYTES
        if blocks > 1 and rng.random() < 0.5:
            return sum(ALL_LANES << BLOCK_BYTES * block for block in range(blocks) if rng.random() < 0.5)
        return rng.randrange(1 << self._bus_bytes)


def _exclusive(address: Address) -> Mapping[str, int]:
    """What makes an access a legal exclusive one: one aligned beat."""
    return {"addr": address.addr & -(1 << address.size), "len": 0, "burst": Burst.INCR, "lock": 1}


def error_lines(pages: int, rng: random.Random, per_page: int = 3, base: int = 0) -> dict[int, Response]:
    """Addresses of lines that err, up to so many in each page from an address on, none of them hot."""
    return {base + PAGE_BYTES * page + LINE_BYTES * rng.randrange(_HOT_LINES, PAGE_BYTES // LINE_BYTES):
            rng.choice((Response.SLVERR, Response.DECERR)) for page in range(pages) for _ in range(per_page)}
