"""Dividers of ECP5's PLL (Lattice FPGA-TN-02200, 15). Plain Python without Amaranth."""

import dataclasses
from collections.abc import Iterator, Sequence

__all__ = ["OUTPUTS", "Output", "PllDividers", "Wanted", "dividers"]

_MOST = 128
"""Each divider is 1 to so much."""

_EIGHTHS = 8
"""Steps of a phase in a period of the oscillator."""

INPUT_HZ = (8_000_000, 400_000_000)
DETECTOR_HZ = (3_125_000, 400_000_000)
OSCILLATOR_HZ = (400_000_000, 800_000_000)
BEST_OSCILLATOR_HZ = 600_000_000
OUTPUTS = ("CLKOP", "CLKOS", "CLKOS2", "CLKOS3")
"""Names of the outputs, in order, as pins of EHXPLLL."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """An output that is asked for: its frequency, and by how much it lags the first, in degrees of its own period."""

    hz: int
    phase_degrees: int = 0


@dataclasses.dataclass(frozen=True)
class Output:
    """An output as the PLL is set.

    Parameters
    ----------
    divider : :class:`int`
        Of the oscillator.
    coarse, fine : :class:`int`
        When it rises: periods of the oscillator, and eighths of one. All outputs count from the same moment.
    """

    divider: int
    coarse: int
    fine: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PllDividers:
    """Settings of a PLL whose feedback is its first output.

    Parameters
    ----------
    input_hz : :class:`int`
        What comes in.
    input_divider, feedback_divider : :class:`int`
        The phase detector compares the input and the first output, each divided by its own.
    outputs : tuple of :class:`Output`
        One to four.
    """

    input_hz: int
    input_divider: int
    feedback_divider: int
    outputs: tuple[Output, ...]

    @property
    def oscillator_hz(self) -> int:
        """Of the oscillator that all outputs come from."""
        return self.input_hz * self.feedback_divider * self.outputs[0].divider // self.input_divider

    @property
    def outputs_hz(self) -> tuple[int, ...]:
        """Of each output."""
        return tuple(self.oscillator_hz // output.divider for output in self.outputs)


def dividers(input_hz: int, wanted: Sequence[Wanted]) -> PllDividers:
    """Settings that give exactly the frequencies and phases that are wanted, with the oscillator near 600 MHz.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not INPUT_HZ[0] <= input_hz <= INPUT_HZ[1]:
        raise ValueError(f"input_hz must be from {INPUT_HZ[0]} to {INPUT_HZ[1]}, not {input_hz}")
    if not 1 <= len(wanted) <= len(OUTPUTS):
        raise ValueError(f"A PLL must have 1 to {len(OUTPUTS)} outputs, not {len(wanted)}")
    found = min(_settings(input_hz, wanted), default=None,
                key=lambda setting: (abs(setting.oscillator_hz - BEST_OSCILLATOR_HZ), setting.input_divider))
    if found is None:
        outputs = ", ".join(f"{output.hz} Hz at {output.phase_degrees} degrees" for output in wanted)
        raise ValueError(f"A PLL must have outputs that {input_hz} Hz can give, not {outputs}")
    return found


def _settings(input_hz: int, wanted: Sequence[Wanted]) -> Iterator[PllDividers]:
    """All settings that are right."""
    for input_divider in range(1, _MOST + 1):
        feedback_divider, remainder = divmod(wanted[0].hz * input_divider, input_hz)
        in_range = DETECTOR_HZ[0] * input_divider <= input_hz <= DETECTOR_HZ[1] * input_divider
        if remainder or not in_range or not 1 <= feedback_divider <= _MOST:
            continue
        for divider in range(1, _MOST + 1):
            oscillator_hz = wanted[0].hz * divider
            outputs = [_output(oscillator_hz, each, start=(divider - 1) // 2) for each in wanted]
            if OSCILLATOR_HZ[0] <= oscillator_hz <= OSCILLATOR_HZ[1] and None not in outputs:
                yield PllDividers(input_hz=input_hz, input_divider=input_divider, feedback_divider=feedback_divider,
                                  outputs=tuple(output for output in outputs if output is not None))


def _output(oscillator_hz: int, wanted: Wanted, *, start: int) -> Output | None:
    """The setting of an output that rises ``start`` periods late, or its phase later, if there is one."""
    divider, remainder = divmod(oscillator_hz, wanted.hz)
    eighths, rest = divmod(wanted.phase_degrees * divider * _EIGHTHS, 360)
    coarse, fine = divmod(eighths, _EIGHTHS)
    if remainder or rest or not 1 <= divider <= _MOST or start + coarse >= _MOST:
        return None
    return Output(divider, start + coarse, fine)
