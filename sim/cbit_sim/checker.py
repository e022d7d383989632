"""Whether an AXI4 port keeps the protocol's rules (IHI 0022).

The rules see only samples of the five channels, one set a cycle, so that they are tested without a simulator.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from cbit_model.access import Access, Burst, Response, malformed
from cbit_sim.beats import Address, WriteData, lanes_of

__all__ = ["Checker", "ProtocolError", "Sampled"]

_EXCLUSIVE_BYTES = 128
_EXCLUSIVE_BEATS = 16


class ProtocolError(AssertionError):
    """A rule of AXI4 is broken; the text names port, cycle, channel and rule."""


class Sampled(Protocol):
    """A channel at a clock edge: what :class:`~cbit_sim.channel.Channel` shows. ``payload`` counts while ``valid``."""

    valid: bool
    ready: bool
    payload: Any


@dataclass(slots=True)
class _Expected:
    """An accepted burst whose answer has not ended."""

    address: Address
    beats: int = 0
    responses_allowed: bool = False


@dataclass(slots=True)
class _Bursts:
    """Accepted bursts of one direction, in order within each ID."""

    of_id: dict[int, deque[_Expected]] = field(default_factory=dict)

    def push(self, expected: _Expected) -> None:
        self.of_id.setdefault(expected.address.id, deque()).append(expected)

    def oldest(self, identifier: int) -> _Expected | None:
        queue = self.of_id.get(identifier)
        return queue[0] if queue else None


class Checker:
    """The rules, applied to one port.

    Checked: VALID and payload stay until READY; WLAST and RLAST at the right beat; no R without AR and no B before the
    end of AW and W, of the same ID, in order; EXOKAY only to an exclusive access; strobes only on lanes of the
    beat; addresses: reserved bursts, beats wider than the bus, 4 KiB boundary, WRAP's length and alignment, FIXED
    over 16 beats, size and alignment of exclusives.

    Parameters
    ----------
    name : :class:`str`
        Port, for the text of an error.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    legal_addresses : :class:`bool`
        Whether to apply the rules of addresses and strobes. ``False`` where a bench sends bad ones on purpose.

    Raises
    ------
    ProtocolError
        From :meth:`observe`, at the first broken rule.
    """

    def __init__(self, name: str, *, bus_bytes: int = 16, legal_addresses: bool = True):
        self.name = name
        self.bus_bytes = bus_bytes
        self.cycle = 0
        self.legal_addresses = legal_addresses
        self._waiting: dict[str, Any] = {}
        self._reads = _Bursts()
        self._writes = _Bursts()
        self._unpaired_addresses: deque[_Expected] = deque()
        self._unpaired_data: deque[list[WriteData]] = deque()
        self._burst: list[WriteData] = []

    def observe(self, *, aw: Sampled, w: Sampled, b: Sampled, ar: Sampled, r: Sampled) -> None:
        """Looks at one clock edge."""
        self.cycle += 1
        waiting = self._waiting
        for channel, sample in (("AW", aw), ("W", w), ("B", b), ("AR", ar), ("R", r)):
            if waiting or (sample.valid and not sample.ready):
                self._check_stable(channel, sample)
        if b.valid:
            self._check_response(b)
        if r.valid:
            self._check_read_data(r)
        if ar.valid:
            self._check_address("AR", ar.payload)
            if ar.ready:
                self._reads.push(_Expected(ar.payload, responses_allowed=True))
        if aw.valid:
            self._check_address("AW", aw.payload)
            if aw.ready:
                expected = _Expected(aw.payload)
                self._writes.push(expected)
                self._unpaired_addresses.append(expected)
        if w.valid and w.ready:
            self._burst.append(w.payload)
            if w.payload.last:
                self._unpaired_data.append(self._burst)
                self._burst = []
        if aw.valid or w.valid:
            self._pair()

    @property
    def idle(self) -> bool:
        """Whether every accepted burst has been answered."""
        return not (self._burst or self._unpaired_data or self._unpaired_addresses
                    or any(self._reads.of_id.values()) or any(self._writes.of_id.values()))

    def _fail(self, channel: str, rule: str) -> NoReturn:
        raise ProtocolError(f"{self.name} cycle {self.cycle}: {channel} {rule}")

    def _check_stable(self, channel: str, sample: Sampled) -> None:
        held = self._waiting.pop(channel, None)
        if held is not None:
            if not sample.valid:
                self._fail(channel, "VALID fell before READY")
            if held != sample.payload:
                self._fail(channel, f"payload changed before READY: {held} to {sample.payload}")
        if sample.valid and not sample.ready:
            self._waiting[channel] = sample.payload

    def _check_address(self, channel: str, address: Address) -> None:
        if not self.legal_addresses:
            return
        length, size = address.len + 1, address.size
        burst = Burst(address.burst)
        if malformed(Access(address=address.addr, length=length, size=size, burst=burst), self.bus_bytes):
            self._fail(channel, f"burst is malformed: {address}")
        if address.lock:
            total = length << size
            if total & (total - 1) or total > _EXCLUSIVE_BYTES or length > _EXCLUSIVE_BEATS or address.addr % total:
                self._fail(channel, f"exclusive access has a wrong size or alignment: {address}")

    def _pair(self) -> None:
        if self._unpaired_addresses and not self._unpaired_data and \
                len(self._burst) > self._unpaired_addresses[0].address.len:
            self._fail("W", "WLAST is missing")
        while self._unpaired_addresses and self._unpaired_data:
            expected, data = self._unpaired_addresses.popleft(), self._unpaired_data.popleft()
            address = expected.address
            if len(data) != address.len + 1:
                self._fail("W", f"WLAST at beat {len(data)} of {address.len + 1}")
            expected.responses_allowed = True
            if self.legal_addresses:
                for beat, (_, allowed) in zip(data, lanes_of(address, self.bus_bytes), strict=True):
                    if beat.strb & ~allowed:
                        self._fail("W", f"strobe outside of the beat's lanes: {beat.strb:#06x} of {allowed:#06x}")

    def _check_response(self, sample: Sampled) -> None:
        beat = sample.payload
        expected = self._writes.oldest(beat.id)
        if expected is None or not expected.responses_allowed:
            self._fail("B", f"of ID {beat.id} before the end of AW and W")
        if beat.resp == Response.EXOKAY:
            self._check_exokay("B", expected)
        if sample.ready:
            self._writes.of_id[beat.id].popleft()

    def _check_read_data(self, sample: Sampled) -> None:
        beat = sample.payload
        expected = self._reads.oldest(beat.id)
        if expected is None:
            self._fail("R", f"of ID {beat.id} without AR")
        if beat.last != (expected.beats == expected.address.len):
            self._fail("R", f"RLAST at beat {expected.beats + 1} of {expected.address.len + 1}, ID {beat.id}")
        if beat.resp == Response.EXOKAY:
            self._check_exokay("R", expected)
        if sample.ready:
            expected.beats += 1
            if beat.last:
                self._reads.of_id[beat.id].popleft()

    def _check_exokay(self, channel: str, expected: _Expected) -> None:
        if not expected.address.lock:
            self._fail(channel, "EXOKAY to an access that is not exclusive")
