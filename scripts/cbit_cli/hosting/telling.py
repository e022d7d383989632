"""How far a simulated platform is, as the stage of a command that shows stages."""

from cbit_cli.progress import Stages
from cbit_model.sev.constants import Command
from cbit_sim.simulated_platform import Progress

__all__ = ["platform_progress"]

_USUAL_CYCLES = {
    "booting": 3_800_000, Command.INIT.name: 11_700_000, Command.PEK_GEN.name: 7_300_000,
    Command.PDH_GEN.name: 2_900_000, Command.LAUNCH_START.name: 1_500_000, Command.ATTESTATION.name: 1_500_000,
}
_OTHERS_CYCLES = 1_000_000
_MOST = 0.99


def platform_progress(stages: Stages) -> Progress:
    """What tells stages of a platform: each thing that it does is one."""
    def tell(text: str, cycles: int) -> None:
        if not cycles:
            stages.begin(f"PSP: {text}")
            return
        part = min(cycles / _USUAL_CYCLES.get(text, _OTHERS_CYCLES), _MOST)
        stages.advance(part, f"{cycles / 1_000_000:.1f} million cycles")

    return tell
