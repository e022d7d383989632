"""Memory as software of the host, or of a guest, reads and writes it: by bursts at the platform's managers' port."""

from collections.abc import Iterator

from cbit_model.access import Response
from cbit_sim.beats import Address, WriteData
from cbit_sim.manager import Manager, Transaction
from cbit_sim.traffic import PAGE_BYTES, user_bits

__all__ = ["HostMemory"]

_LIMIT_CYCLES = 20_000
_LIMIT_CYCLES_A_BEAT = 200
_IDS = 2


class HostMemory:
    """Any bytes at any address, cut into bursts that keep to pages; and bursts as they are.

    Parameters
    ----------
    manager : :class:`~cbit_sim.manager.Manager`
        Of the port.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    asid_width : :class:`int`
        Bits of an ASID.
    """

    def __init__(self, manager: Manager, *, bus_bytes: int, asid_width: int) -> None:
        self._manager = manager
        self._bus_bytes = bus_bytes
        self._asid_width = asid_width

    async def perform(self, bursts: list[Transaction]) -> None:
        """Any bursts, several at a time."""
        beats = sum(burst.address.len + 1 for burst in bursts)
        await self._manager.perform(*bursts, limit_cycles=_LIMIT_CYCLES + beats * _LIMIT_CYCLES_A_BEAT)

    async def read(self, address: int, length: int, asid: int) -> bytes | None:
        """Bytes at an address, its C-bit included, under an ASID; :data:`None` if an answer was not OKAY."""
        bursts = [Transaction(self._address(number, begin, end, asid))
                  for number, (begin, end) in enumerate(_pages(address, length))]
        await self.perform(bursts)
        if not _are_good(bursts):
            return None
        content = b"".join(beat.to_bytes(self._bus_bytes, "little") for burst in bursts for beat in burst.read)
        return content[address % self._bus_bytes:][:length]

    async def write(self, address: int, data: bytes, asid: int) -> bool:
        """The inverse; whether all answers were OKAY."""
        bursts = [Transaction(self._address(number, begin, end, asid),
                              list(self._beats(begin, data[begin - address:end - address])))
                  for number, (begin, end) in enumerate(_pages(address, len(data)))]
        await self.perform(bursts)
        return _are_good(bursts)

    def _address(self, number: int, begin: int, end: int, asid: int) -> Address:
        first = begin & -self._bus_bytes
        return Address(number % _IDS, first, (end - 1 - first) // self._bus_bytes,
                       user=user_bits(self._asid_width, asid=asid))

    def _beats(self, begin: int, data: bytes) -> Iterator[WriteData]:
        skipped = begin % self._bus_bytes
        end = skipped + len(data)
        whole = (bytes(skipped) + data).ljust(-(-end // self._bus_bytes) * self._bus_bytes, b"\0")
        for start in range(0, len(whole), self._bus_bytes):
            lanes = range(max(skipped - start, 0), min(end - start, self._bus_bytes))
            yield WriteData(int.from_bytes(whole[start:start + self._bus_bytes], "little"),
                            sum(1 << lane for lane in lanes), int(start + self._bus_bytes == len(whole)))


def _are_good(bursts: list[Transaction]) -> bool:
    return all(response == Response.OKAY for burst in bursts for response in burst.responses)


def _pages(address: int, length: int) -> Iterator[tuple[int, int]]:
    """Begin and end of what lies in each page."""
    begin = address
    while begin < address + length:
        end = min((begin // PAGE_BYTES + 1) * PAGE_BYTES, address + length)
        yield begin, end
        begin = end
