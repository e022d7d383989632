"""Keys for a board without a security processor, where who has the serial line holds them."""

from collections.abc import Callable, Mapping

from cbit.csr.map import register
from cbit_boards.host.board import Board, BoardError

__all__ = ["open_engine"]

_KEY_WORD_BYTES = 4
_LOOKS = 1000


def open_engine(board: Board, keys: Mapping[int, tuple[bytes, bytes]], *, tsme: bool = False) -> None:
    """Installs data key and tweak key of each slot, sets SME and SEV, and releases the engine.

    Raises
    ------
    cbit_boards.host.board.BoardError
        If the board has a security processor, which holds the keys itself, if it is released, or if it refuses a key.
    """
    if board.identity.has_psp:
        raise BoardError("the board has a security processor, which alone holds its keys")
    if board.identity.released:
        raise BoardError("the board is released; its keys are set once after reset")
    _wait(lambda: board.key_register("STATUS")["BUSY"], "the engine to erase its keys")
    operations, results = (_values(name, field) for name, field in (("COMMAND", "OP"), ("COMMAND_STATUS", "RESULT")))
    for slot, halves in keys.items():
        for name, key in zip(("KEY_DATA", "KEY_TWEAK"), halves, strict=True):
            for start in range(0, len(key), _KEY_WORD_BYTES):
                word = int.from_bytes(key[start:start + _KEY_WORD_BYTES], "little")
                board.write_key_register(f"{name}{start // _KEY_WORD_BYTES}", WORD=word)
        board.write_key_register("COMMAND", OP=operations["INSTALL"], SLOT=slot)
        _wait(lambda: board.key_register("COMMAND_STATUS")["BUSY"], "a key to be installed")
        if (result := board.key_register("COMMAND_STATUS")["RESULT"]) != results["OK"]:
            name = next((name for name, value in results.items() if value == result), str(result))
            raise BoardError(f"the engine refuses the key of slot {slot}: {name}")
    board.write_key_register("MODE", SME=1, SEV=1, TSME=int(tsme))
    board.write_key_register("IRQ_ENABLE", VIOLATION=1, FAULT=1)
    board.write_key_register("CONTROL", LOCK=1)
    board.write_key_register("CONTROL", RELEASE=1)
    board.identify()


def _values(name: str, field_name: str) -> Mapping[str, int]:
    (field,) = (field for field in register("psp", name).fields if field.name == field_name)
    return field.values


def _wait(is_busy: Callable[[], int], what: str) -> None:
    for _ in range(_LOOKS):
        if not is_busy():
            return
    raise BoardError(f"waited too long for {what}")
