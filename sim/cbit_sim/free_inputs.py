"""The inputs of a component as ports of the specification that holds it."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Const, Module, Value
from amaranth.lib.wiring import Component, In, Member

__all__ = ["connect_inputs", "free_inputs", "inputs", "outputs"]

Path = tuple[str | int, ...]


def inputs(component: Component) -> Iterator[tuple[Path, Any]]:
    """Each input of the component: its path in the signature, and its signal or view. Those that are constant, as
    ``ready`` of a stream that never waits, are none."""
    for path, member, value in component.signature.flatten(component):
        if member.flow == In and not isinstance(value, Const):
            yield path, value


def outputs(component: Component) -> Iterator[tuple[Path, Value]]:
    """Each output of the component: its path in the signature, and its bits."""
    for path, member, value in component.signature.flatten(component):
        if member.flow != In:
            yield path, Value.cast(value)


def free_inputs(component: Component) -> dict[str, Member]:
    """A port for each input, by its path joined with underscores: free in every cycle, unlike a signal that nothing
    drives."""
    return {_name(path): In(value.shape()) for path, value in inputs(component)}


def connect_inputs(m: Module, spec: Component, component: Component, *, but: tuple[Path, ...] = ()) -> None:
    """Connects each input of the component, except those at the paths ``but``, with its port of the specification."""
    for path, value in inputs(component):
        if path not in but:
            m.d.comb += value.eq(getattr(spec, _name(path)))


def _name(path: Path) -> str:
    return "_".join(map(str, path))
