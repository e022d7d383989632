"""The life of a key slot, and what a command in the wrong state is told."""

import pytest

from cbit_model.slots import KeySlots, SlotState

KEY, TWEAK_KEY = bytes(range(16)), bytes(range(16, 32))


@pytest.fixture
def slots() -> KeySlots:
    return KeySlots(count=4, key_bits=128)


def test_states_are_numbered():
    assert [state.name for state in SlotState] == ["EMPTY", "LOADING", "ACTIVE", "RETIRING", "ZEROIZING"]
    assert [state.value for state in SlotState] == [0, 1, 2, 3, 4]


def test_install_retire_install(slots):
    slots.install(2, KEY, TWEAK_KEY)
    assert [slots.state(slot) for slot in range(4)] == [
        SlotState.EMPTY, SlotState.EMPTY, SlotState.ACTIVE, SlotState.EMPTY]
    assert slots.active == {2}
    slots.retire(2)
    assert slots.state(2) is SlotState.EMPTY
    slots.install(2, TWEAK_KEY, KEY)
    assert slots.state(2) is SlotState.ACTIVE


def test_retire_drains(slots):
    slots.install(1, KEY, TWEAK_KEY)
    first, second = slots.begin(1), slots.begin(1)
    assert first is second
    slots.retire(1)
    assert slots.state(1) is SlotState.RETIRING
    assert slots.active == set()
    slots.finish(1, first)
    assert slots.state(1) is SlotState.RETIRING
    assert slots.key(1) is first.key
    slots.finish(1, second)
    assert slots.state(1) is SlotState.EMPTY
    assert first.key is None


@pytest.mark.parametrize("retiring", [False, True])
def test_zeroize_erases_at_once(slots, retiring):
    slots.install(1, KEY, TWEAK_KEY)
    tenancy = slots.begin(1)
    if retiring:
        slots.retire(1)
    slots.zeroize(1)
    assert tenancy.key is None
    assert slots.state(1) is SlotState.EMPTY
    slots.install(1, TWEAK_KEY, KEY)
    assert tenancy.key is None


def test_zeroize_of_an_empty_slot_does_nothing(slots):
    slots.zeroize(3)
    assert slots.state(3) is SlotState.EMPTY


def test_zeroize_all(slots):
    for slot in range(4):
        slots.install(slot, KEY, TWEAK_KEY)
    slots.zeroize_all()
    assert {slots.state(slot) for slot in range(4)} == {SlotState.EMPTY}


@pytest.mark.parametrize(("keys", "text"), [
    ((KEY, KEY), "Tweak key must be different from the key, not equal to it"),
    ((KEY[:15], TWEAK_KEY), "Key must be 16 bytes, not 15"),
    ((KEY + TWEAK_KEY, TWEAK_KEY + KEY), "Key must be 16 bytes, not 32"),
    ((KEY, TWEAK_KEY[:8]), r"Tweak key must be as long as the key \(16 bytes\), not 8"),
])
def test_install_of_bad_keys_leaves_the_slot_empty(slots, keys, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        slots.install(0, *keys)
    assert slots.state(0) is SlotState.EMPTY
    assert slots.active == set()


def test_commands_in_the_wrong_state(slots):
    with pytest.raises(ValueError, match=r"^Slot 0 must be active, not empty$"):
        slots.retire(0)
    with pytest.raises(ValueError, match=r"^Slot 0 must be active or retiring, not empty$"):
        slots.key(0)
    slots.install(0, KEY, TWEAK_KEY)
    with pytest.raises(ValueError, match=r"^Slot 0 must be empty, not active$"):
        slots.install(0, TWEAK_KEY, KEY)
    slots.begin(0)
    slots.retire(0)
    with pytest.raises(ValueError, match=r"^Slot 0 must be empty, not retiring$"):
        slots.install(0, TWEAK_KEY, KEY)
    with pytest.raises(ValueError, match=r"^Slot 0 must be active, not retiring$"):
        slots.retire(0)


@pytest.mark.parametrize("slot", [-1, 4])
def test_no_such_slot(slots, slot):
    for command in (slots.state, slots.key, slots.retire, slots.zeroize):
        with pytest.raises(ValueError, match=f"^Slot must be from 0 to 3, not {slot}$"):
            command(slot)


def test_key_bits():
    with pytest.raises(ValueError, match=r"^key_bits must be 128 or 256, not 192$"):
        KeySlots(count=4, key_bits=192)
