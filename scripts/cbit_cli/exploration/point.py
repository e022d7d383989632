"""One configuration that an exploration has measured."""

import dataclasses
import enum
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence

from cbit_fpga.devices import Device
from cbit_fpga.figures import EngineFigures
from cbit_fpga.measurement import Measurement
from cbit_fpga.subject import Subject

__all__ = ["Point", "best", "setting_words", "shown"]


def shown(value: typing.Any) -> str:
    """A parameter's value as the command line takes it."""
    return str(value.value if isinstance(value, enum.Enum) else value).lower()


def setting_words(axes: Mapping[str, typing.Any], values: Sequence[typing.Any]) -> list[str]:
    """``name=value`` of each axis."""
    return [f"{name}={shown(value)}" for name, value in zip(axes, values)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """A configuration and its figures.

    Parameters
    ----------
    setting : mapping
        Its values of the axes.
    subject, device, measurement
        What was measured, on what, with what result.
    latency_cycles : :class:`int`
        Cycles that an encrypted read takes longer.
    command : :class:`str`
        What repeats the measurement.
    """

    setting: Mapping[str, typing.Any]
    subject: Subject
    device: Device
    measurement: Measurement
    latency_cycles: int
    command: str

    @property
    def label(self) -> str:
        """The values of the axes."""
        return ", ".join(f"{name} {shown(value)}" for name, value in self.setting.items())

    @property
    def figures(self) -> EngineFigures | None:
        """Throughput and so on, if it could be placed."""
        if self.measurement.mhz is None:
            return None
        return EngineFigures(config=self.subject.config, device=self.device, cells=self.measurement.cells,
                             mhz=self.measurement.mhz)

    @property
    def latency_ns(self) -> float:
        """What an encrypted read takes longer. It must have been placed."""
        assert self.figures is not None
        return self.figures.nanoseconds(self.latency_cycles)

    def as_dict(self) -> dict[str, typing.Any]:
        """For JSON."""
        measurement, figures = self.measurement, self.figures
        return {
            "setting": {name: value.value if isinstance(value, enum.Enum) else value
                        for name, value in self.setting.items()},
            "command": self.command, "config": self.subject.config.as_dict(), "device": self.device.name,
            "luts": measurement.cells.luts, "cells": dataclasses.asdict(measurement.cells),
            "mhz_median": measurement.mhz, "mhz": {str(one.seed): one.mhz for one in measurement.placements},
            "failure": measurement.failure, "latency_cycles": self.latency_cycles,
            **(figures.as_dict() | {"latency_ns": round(self.latency_ns, 1)} if figures else {})}


def best(points: Iterable[Point], cost: Callable[[Point], float], gain: Callable[[Point], float]) -> list[Point]:
    """Those points that no other beats in one without losing in the other, by rising cost."""
    front: list[Point] = []
    for point in sorted(points, key=lambda one: (cost(one), -gain(one))):
        if not front or gain(point) > gain(front[-1]):
            front.append(point)
    return front
