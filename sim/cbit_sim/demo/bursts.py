"""Pieces of a file as bursts on a managers' port, and back."""

import itertools

from cbit.config import EngineConfig
from cbit_model.access import BLOCK_BYTES, BeatLanes, Burst, burst_beats
from cbit_sim.beats import Address, WriteData
from cbit_sim.demo.pieces import Kind, Piece
from cbit_sim.demo.story import View
from cbit_sim.manager import Transaction
from cbit_sim.traffic import user_bits

__all__ = ["Bursts"]


class Bursts:
    """Makes the bursts of a port of 128 bits; one after the other has the next of its IDs.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        Of the engine behind it.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        self._ids = itertools.cycle(range(1 << config.id_width))

    def read(self, view: View, start: int, piece: Piece) -> Transaction:
        """The read of a piece of what begins at ``start``."""
        return Transaction(self._address(view, start, piece))

    def write(self, view: View, start: int, piece: Piece, data: bytes) -> Transaction:
        """The write of a piece of ``data``, which begins at ``start``."""
        address = self._address(view, start, piece)
        lanes = _lanes(start, piece)
        beats = []
        for number, (container, strobe) in enumerate(lanes, 1):
            offset = container - start
            block = data[offset:offset + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0")
            beats.append(WriteData(int.from_bytes(block, "little"), strobe, int(number == len(lanes))))
        return Transaction(address, beats)

    def _address(self, view: View, start: int, piece: Piece) -> Address:
        first = start + piece.offset
        return Address(next(self._ids), first | view.c_bit << self._config.c_bit, _beats(start, piece) - 1,
                       piece.beat_bytes.bit_length() - 1, _burst(piece).value,
                       user=user_bits(self._config.asid_width, asid=view.asid))

    @staticmethod
    def take(content: bytearray, start: int, piece: Piece, transaction: Transaction) -> None:
        """Puts what the read of a piece has given in its place in ``content``, which begins at ``start``."""
        for (container, lanes), value in zip(_lanes(start, piece), transaction.read, strict=True):
            data, offset = value.to_bytes(BLOCK_BYTES, "little"), container - start
            first, end = (lanes & -lanes).bit_length() - 1, lanes.bit_length()
            content[offset + first:offset + end] = data[first:end]


def _burst(piece: Piece) -> Burst:
    return Burst.WRAP if piece.kind is Kind.WRAP else Burst.INCR


def _beats(start: int, piece: Piece) -> int:
    return -(-((start + piece.offset) % piece.beat_bytes + piece.size) // piece.beat_bytes)


def _lanes(start: int, piece: Piece) -> list[BeatLanes]:
    """The bytes of each beat, but for those behind the piece's end."""
    beats = burst_beats(start + piece.offset, _beats(start, piece), piece.beat_bytes.bit_length() - 1, _burst(piece))
    if piece.kind is Kind.WRAP:
        return beats
    end = start + piece.offset + piece.size
    return [BeatLanes(container, lanes & (1 << max(end - container, 0)) - 1) for container, lanes in beats]
