"""Key slots and their life: empty, active, retiring, empty again."""

import dataclasses
import enum

from cbit_model.xts import XtsKey

__all__ = ["KeySlots", "SlotState", "Tenancy"]


class SlotState(enum.IntEnum):
    """Where in its life a key slot is.

    An engine is in ``LOADING`` and ``ZEROIZING`` while it carries out a command. The model takes a command as one
    step, so that no slot is ever seen in them.
    """

    EMPTY = 0
    LOADING = 1
    ACTIVE = 2
    RETIRING = 3
    ZEROIZING = 4


@dataclasses.dataclass(slots=True, eq=False)
class Tenancy:
    """A key's stay in a slot. An access keeps the tenancy that it was accepted under.

    Parameters
    ----------
    key : :class:`~cbit_model.xts.XtsKey` or :data:`None`
        The key; :data:`None` once erased.
    in_flight : :class:`int`
        Accesses accepted and not finished.
    retiring : :class:`bool`
        Whether the key is erased when nothing is in flight any more.
    """

    key: XtsKey | None
    in_flight: int = 0
    retiring: bool = False


class KeySlots:
    """The key slots of an engine.

    Parameters
    ----------
    count : :class:`int`
        Number of slots.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    active : :class:`set` of :class:`int`
        The slots that new accesses may use. To be read only.
    """

    def __init__(self, *, count: int, key_bits: int) -> None:
        if key_bits not in (128, 256):
            raise ValueError(f"key_bits must be 128 or 256, not {key_bits}")
        self.count = count
        self.key_bits = key_bits
        self.active: set[int] = set()
        self._tenancies: dict[int, Tenancy] = {}

    def state(self, slot: int) -> SlotState:
        """The state of a slot."""
        self._require_slot(slot)
        if slot in self.active:
            return SlotState.ACTIVE
        return SlotState.RETIRING if slot in self._tenancies else SlotState.EMPTY

    def key(self, slot: int) -> XtsKey:
        """The key of a slot that is active or retiring.

        Raises
        ------
        ValueError
            If the slot is empty.
        """
        state = self.state(slot)
        key = self._tenancies[slot].key if slot in self._tenancies else None
        if key is None:
            raise ValueError(f"Slot {slot} must be active or retiring, not {state.name.lower()}")
        return key

    def install(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """Make an empty slot active.

        Parameters
        ----------
        slot : :class:`int`
            The slot.
        key, tweak_key : :class:`bytes`
            K1 and K2, of ``key_bits`` each and different.

        Raises
        ------
        ValueError
            If the slot is not empty or the keys are not such; the slot stays as it was.
        """
        self._require_state(slot, SlotState.EMPTY)
        if 8 * len(key) != self.key_bits:
            raise ValueError(f"Key must be {self.key_bits // 8} bytes, not {len(key)}")
        self._tenancies[slot] = Tenancy(XtsKey(key, tweak_key))
        self.active.add(slot)

    def retire(self, slot: int) -> None:
        """Let an active slot take no new accesses, and erase it when those in flight have finished.

        Raises
        ------
        ValueError
            If the slot is not active.
        """
        self._require_state(slot, SlotState.ACTIVE)
        self.active.remove(slot)
        tenancy = self._tenancies[slot]
        tenancy.retiring = True
        if not tenancy.in_flight:
            self.zeroize(slot)

    def zeroize(self, slot: int) -> None:
        """Erase a slot at once. An empty slot stays empty.

        Raises
        ------
        ValueError
            If there is no such slot.
        """
        self._require_slot(slot)
        self.active.discard(slot)
        tenancy = self._tenancies.pop(slot, None)
        if tenancy is not None:
            tenancy.key = None

    def zeroize_all(self) -> None:
        """Erase every slot at once."""
        for slot in range(self.count):
            self.zeroize(slot)

    def begin(self, slot: int) -> Tenancy:
        """Count an access under an active slot as in flight."""
        tenancy = self._tenancies[slot]
        tenancy.in_flight += 1
        return tenancy

    def finish(self, slot: int, tenancy: Tenancy) -> None:
        """Count an access that :meth:`begin` began, and whose key is not erased, as finished."""
        tenancy.in_flight -= 1
        if tenancy.retiring and not tenancy.in_flight:
            self.zeroize(slot)

    def _require_slot(self, slot: int) -> None:
        if not 0 <= slot < self.count:
            raise ValueError(f"Slot must be from 0 to {self.count - 1}, not {slot}")

    def _require_state(self, slot: int, wanted: SlotState) -> None:
        state = self.state(slot)
        if state is not wanted:
            raise ValueError(f"Slot {slot} must be {wanted.name.lower()}, not {state.name.lower()}")
