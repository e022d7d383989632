"""What the parts of key control tell each other."""

from amaranth.hdl import unsigned
from amaranth.lib import enum, stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

from cbit.aes.cipher import rounds_of

__all__ = ["DRAIN_SETTLE_CYCLES", "ROUND_KEY_SETTLE_CYCLES", "SLOT_NUMBER_WIDTH", "CommandSignature",
           "KeyStoreSignature", "KeyWaysSignature", "KeyWordSignature", "Operation", "Result", "RoundKeyPairSignature",
           "RoundKeyWordSignature", "SlotState"]


class Operation(enum.Enum, shape=3):
    """What a command does to a slot, or to all. Other values are refused."""

    INSTALL = 1
    RETIRE = 2
    ZEROIZE = 3
    ZEROIZE_ALL = 4


class Result(enum.Enum, shape=3):
    """How a command fared."""

    OK = 0
    KEY_INCOMPLETE = 1
    KEYS_EQUAL = 2
    SLOT_RANGE = 3
    SLOT_STATE = 4
    BUSY = 5
    OPERATION = 6
    CLOSED = 7


class SlotState(enum.Enum, shape=3):
    """The life of a key slot."""

    EMPTY = 0
    LOADING = 1
    ACTIVE = 2
    RETIRING = 3
    ZEROIZING = 4


ROUND_KEY_SETTLE_CYCLES = 20
"""Cycles in which a written round key comes into use in every AES pipeline: one here, one in the XTS unit, up to 18
there."""

DRAIN_SETTLE_CYCLES = 8
"""Cycles in a row for which nothing may be seen in flight under a slot or a way that is drained. An access decided
before a change may take so long to show, and on its way from one part of the engine to the next it may be hidden for
less than that."""

SLOT_NUMBER_WIDTH = 10
"""Bits of a slot's number in a command, enough for the largest engine."""


class CommandSignature(wiring.Signature):
    """A command on a key slot, seen from who gives it.

    Members
    -------
    valid : ``Out(1)``
        High for one cycle for each command.
    op : ``Out(3)``
        An :class:`Operation`, or a value to be refused.
    slot : ``Out(10)``
        Number of the slot.
    """

    def __init__(self):
        super().__init__({"valid": Out(1), "op": Out(unsigned(Operation.as_shape().width)),
                          "slot": Out(SLOT_NUMBER_WIDTH)})


class KeyWordSignature(wiring.Signature):
    """Four bytes of a key on their way in, seen from who writes them.

    Members
    -------
    valid : ``Out(1)``
        High for one cycle for each word. May follow ``ready`` in the same cycle.
    ready : ``In(1)``
        Low while words are refused: one written then has no effect.
    tweak_key : ``Out(1)``
        Zero for the data key K1, one for the tweak key K2.
    index : ``Out(3)``
        Which word: 0 holds the key's bytes 0 to 3. One past the end of the key has no effect.
    data : ``Out(32)``
        Its bytes, the first in bits 7..0.
    """

    def __init__(self):
        super().__init__({"valid": Out(1), "ready": In(1), "tweak_key": Out(1), "index": Out(3), "data": Out(32)})


class RoundKeyPairSignature(wiring.Signature):
    """Writes one round key of one of the two keys of a slot; nothing waits.

    Of K1 at most one in two cycles, and of K2: see ``key_every_cycles`` of :class:`~cbit.aes.pipeline.AesPipeline`.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots.
    key_bits : :class:`int`
        Bits of a key.

    Members
    -------
    valid : ``Out(1)``
        Whether a round key is written in this cycle.
    tweak_key : ``Out(1)``
        Zero for the data key K1, one for the tweak key K2.
    slot : ``Out(range(asid_count))``
        The slot.
    round : ``Out(range(rounds + 1))``
        Number of the round key (FIPS 197, 5.2).
    data : ``Out(128)``
        The round key; byte ``i`` is bits ``8i+7..8i``.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        if not 2 <= asid_count <= 1 << SLOT_NUMBER_WIDTH:
            raise ValueError(f"ASID count must be from 2 to {1 << SLOT_NUMBER_WIDTH}, not {asid_count!r}")
        self.asid_count = asid_count
        self.key_bits = key_bits
        super().__init__({"valid": Out(1), "tweak_key": Out(1), "slot": Out(range(asid_count)),
                          "round": Out(range(rounds_of(key_bits) + 1)), "data": Out(128)})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RoundKeyPairSignature) and self.members == other.members


class RoundKeyWordSignature(wiring.Signature):
    """Writes a word of a round key, or the same word to all four of its columns; nothing waits.

    Round keys come as the steps of a cipher add them: step 0 is the first AddRoundKey, step *r* that of round *r*, and
    those of the equivalent inverse cipher (FIPS 197, 5.3.5) have passed InvMixColumns.

    Parameters
    ----------
    slots : :class:`int`
        Number of slots.
    key_bits : :class:`int`
        Bits of a key.

    Members
    -------
    columns : ``Out(4)``
        A bit for each column of the round key that is written in this cycle.
    tweak_key : ``Out(1)``
        Zero for the data key K1, one for the tweak key K2.
    inverse : ``Out(1)``
        Whether decryption adds it.
    slot : ``Out(range(slots))``
        The slot.
    step : ``Out(range(rounds + 1))``
        The step that adds it.
    data : ``Out(32)``
        The word; its first byte is bits 7..0.
    """

    def __init__(self, *, slots: int, key_bits: int):
        super().__init__({"columns": Out(4), "tweak_key": Out(1), "inverse": Out(1), "slot": Out(range(slots)),
                          "step": Out(range(rounds_of(key_bits) + 1)), "data": Out(32)})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RoundKeyWordSignature) and self.members == other.members


class KeyStoreSignature(wiring.Signature):
    """What key control wants of those who keep the keys, seen from key control.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots.

    Members
    -------
    slot : ``Out(range(asid_count))``
        The slot that all else concerns.
    words : ``Out(stream.Signature(32))``
        The words of its K1, then those of K2; byte 0 of each is bits 7..0.
    testing : ``Out(1)``
        The words are the self-test's: whatever else, they are expanded, in way 0, and no slot has them.
    loaded : ``In(1)``
        High once, when accesses may use the keys whose words have come.
    start : ``Out(1)``
        High once: from the next cycle on, accesses under the slot may come.
    cut : ``Out(1)``
        High once: from the next cycle on, accesses in flight under the slot fail.
    release : ``Out(1)``
        High once: the slot is erased, and nothing is in flight under it.
    cutting : ``Out(1)``
        High from ``cut`` to ``release`` if the slot is zeroized.
    erase : ``Out(1)``
        Erases the slot's keys. High until ``erased``, then low, or high at once for another slot.
    sweep : ``Out(1)``
        No slot serves any more, and ``erase`` goes over all, from 0 on; or all is reset with the end of the next cycle.
    erased : ``In(1)``
        High in the cycle of the last zero.
    settling : ``In(1)``
        High until zeros have come to wherever there were keys.
    """

    def __init__(self, *, asid_count: int):
        self.asid_count = asid_count
        super().__init__({
            "slot": Out(range(asid_count)),
            "words": Out(stream.Signature(32)),
            "testing": Out(1),
            "loaded": In(1),
            "start": Out(1),
            "cut": Out(1),
            "release": Out(1),
            "cutting": Out(1),
            "erase": Out(1),
            "sweep": Out(1),
            "erased": In(1),
            "settling": In(1),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyStoreSignature) and self.members == other.members


class KeyWaysSignature(wiring.Signature):
    """Which slots have their round keys in a way, and which an access waits for; seen from who keeps the keys.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots.
    key_ways : :class:`int`
        Number of ways.

    Members
    -------
    ways : ``Out(ArrayLayout(StructLayout({"valid": 1, "slot": range(asid_count)}), key_ways))``
        The slot of each way. No two valid ways have the same.
    absent : ``Out(StructLayout({"valid": 1, "slot": range(asid_count)}))``
        In a cycle in which it is valid: that slot has no key, so whoever wants it must be denied.
    wanted : ``In(StructLayout({"valid": 1, "slot": range(asid_count)}))``
        An access waits for a way of this slot. Holds until there is one, or ``absent`` has named it.
    used : ``In(key_ways)``
        A bit for the way that an access has found.
    """

    def __init__(self, *, asid_count: int, key_ways: int):
        self.asid_count = asid_count
        self.key_ways = key_ways
        some_slot = StructLayout({"valid": 1, "slot": range(asid_count)})
        super().__init__({
            "ways": Out(ArrayLayout(some_slot, key_ways)),
            "absent": Out(some_slot),
            "wanted": In(some_slot),
            "used": In(key_ways),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyWaysSignature) and self.members == other.members
