"""AXI channels of a simulated design, each stepped once a clock cycle."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from cbit_sim.beats import CHANNELS, Payload
from cbit_sim.clocked import Clocked
from cbit_sim.harness import PACKED, handshake_bit
from cbit_sim.signals import bits_reader, bits_writer

__all__ = ["Channel", "Sink", "Source"]


class Channel:
    """One channel of one port, as it was at the last edge.

    Parameters
    ----------
    dut
        cocotb's handle of the design in its harness.
    clocked : :class:`~cbit_sim.clocked.Clocked`
        What steps the channel's model.
    name : :class:`str`
        Port and channel, such as ``s_axi_aw``.
    pause : iterator of :class:`bool`
        Asked once a cycle in which the channel could start or accept a beat; a true value keeps it from that.

    Attributes
    ----------
    valid, ready : :class:`bool`
        The handshake. ``ready`` is only known where ``valid`` is true or the bench drives it.
    payload
        What the channel carries, where ``valid`` is true.
    """

    def __init__(self, dut: Any, clocked: Clocked, name: str, pause: Iterator[bool] | None = None):
        port, channel = name.rsplit("_", maxsplit=1)
        self.name = name
        self.pause = pause
        self.valid = False
        self.ready = False
        self.payload: Any = None
        self._clocked = clocked
        self._bit = handshake_bit(port, channel)
        self._type = CHANNELS[channel]
        self._beat = getattr(dut, f"{name}_beat")
        self._widths = [len(getattr(dut, name + field)) if hasattr(dut, name + field) else 0
                        for field in self._type._fields]
        clocked.drive |= PACKED[port]

    def reset(self) -> None:
        """Takes back what is offered, and accepts nothing, until stepped again: what a reset demands."""
        self.valid = self.ready = False
        self._clocked.drive &= ~self._bit
        self._clocked.flush()

    @property
    def taken(self) -> bool:
        """Whether a beat has passed at the last edge."""
        return self.valid and self.ready


class Source(Channel):
    """A channel that the bench drives.

    ``supply`` is asked for the next beat when one can start; :data:`None` means none in this cycle.
    """

    def __init__(self, dut: Any, clocked: Clocked, name: str, supply: Callable[[], Payload | None],
                 pause: Iterator[bool] | None = None):
        super().__init__(dut, clocked, name, pause)
        self._supply = supply
        self._put = bits_writer(self._beat)
        self._total = len(self._beat)
        self._join = "".join(
            f"{{{index}:0{width}b}}" for index, width in enumerate(self._widths) if width).format
        self._driving: Payload | None = None
        self.reset()

    def reset(self) -> None:
        """Takes back what is offered."""
        super().reset()
        self._driving = None

    def step(self) -> None:
        """One cycle: notes whether the offered beat was taken, and offers the next one."""
        offered = self._driving
        if offered is not None:
            self.valid, self.payload = True, offered
            self.ready = bool(self._clocked.seen & self._bit)
            if not self.ready:
                return
        else:
            self.valid = False
        following = self._driving = None if self.pause is not None and next(self.pause) else self._supply()
        if following is not None:
            bits = self._join(*following)
            assert len(bits) == self._total, f"{self.name} has no room for {following}"
            self._put(bits)
            self._clocked.drive |= self._bit
        elif offered is not None:
            self._clocked.drive &= ~self._bit


class Sink(Channel):
    """A channel that the design drives.

    ``accept`` is given each beat that passes. ``has_room`` says whether another may be accepted afterwards.
    """

    def __init__(self, dut: Any, clocked: Clocked, name: str, accept: Callable[[Any], None],
                 has_room: Callable[[], bool] | None = None, pause: Iterator[bool] | None = None):
        super().__init__(dut, clocked, name, pause)
        self._accept = accept
        self._has_room = has_room
        self._look = bits_reader(self._beat)
        self._bits = ""
        ends = itertools.accumulate(self._widths)
        self._fields = [(len(self._beat) - end, (1 << width) - 1)
                        for width, end in zip(self._widths, ends, strict=True) if width]
        self.reset()

    def step(self) -> None:
        """One cycle: takes the beat that has passed, and says whether the next one may."""
        clocked, bit = self._clocked, self._bit
        ready = self.ready = bool(clocked.drive & bit)
        valid = self.valid = bool(clocked.seen & bit)
        if valid:
            bits = self._look()
            if bits != self._bits:
                self._bits = bits
                beat = int(bits, 2)
                self.payload = self._type(*[beat >> shift & mask for shift, mask in self._fields])
            if ready:
                self._accept(self.payload)
        if (self._has_room is None or self._has_room()) and not (self.pause is not None and next(self.pause)):
            clocked.drive |= bit
        elif ready:
            clocked.drive &= ~bit
