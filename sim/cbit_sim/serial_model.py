"""A compiled model at the end of a serial line, as bytes."""

from typing import Any

from cbit_sim.compiled import CompiledComponent

__all__ = ["SerialModel", "serial_model"]

_PIECE_CYCLES = 4000
_PIECE_BYTES = 2048
_SENDING_CYCLES = 1 << 40


class SerialModel:
    """A component with the ports of :class:`~cbit_sim.gateware.serial_host.SerialHost`.

    Parameters
    ----------
    component : :class:`~cbit_sim.compiled.CompiledComponent`
        Compiled. It is closed with this.

    Attributes
    ----------
    component : :class:`~cbit_sim.compiled.CompiledComponent`
    cycles : :class:`int`
        That have passed here.
    """

    def __init__(self, component: CompiledComponent) -> None:
        self.component = component
        self.cycles = 0

    def send(self, data: bytes) -> None:
        """Puts bytes onto the line, after those before, and lets time pass until all but the last 2048 are sent."""
        for start in range(0, len(data), _PIECE_BYTES):
            self.finish_sending()
            self.component.set("put", 1)
            for byte in data[start:start + _PIECE_BYTES]:
                self.component.set("given", byte)
                self.component.step()
            self.component.set("put", 0)
            self.cycles += len(data[start:start + _PIECE_BYTES])

    def run(self, cycles: int = _PIECE_CYCLES) -> bytes:
        """Lets cycles pass; what has been received until then."""
        self.component.step(cycles)
        self.cycles += cycles
        return self._received()

    def finish_sending(self) -> None:
        """Lets time pass until everything is sent."""
        self.cycles += self.component.until("sending", 0, limit=_SENDING_CYCLES)

    def close(self) -> None:
        """Frees the model."""
        self.component.close()

    def _received(self) -> bytes:
        content = bytearray()
        while self.component.get("is_received"):
            content.append(self.component.get("received"))
            self.component.set("take", 1)
            self.component.step()
            self.component.set("take", 0)
        return bytes(content)


def serial_model(component: Any, *, seed: int = 0) -> SerialModel:
    """A component, compiled."""
    return SerialModel(CompiledComponent(component, seed=seed))
