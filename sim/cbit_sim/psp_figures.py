"""How many cycles the security processor's firmware takes on its gateware: `python -m cbit_sim.psp_figures`."""

import time
from collections.abc import Callable

from cbit_model.sev.certificate import public_point
from cbit_model.sev.constants import Command
from cbit_model.sev.owner.launch import new_session, package_secret
from cbit_sim.firmware_build import firmware
from cbit_sim.platform_run import PLATFORM_CONFIG
from cbit_sim.runner import build
from cbit_sim.simulated_platform import SimulatedPlatform

__all__ = ["main", "measured"]

_IMAGE, _SECRET = 0x10_0000, 0x20_0000
_PAGE_BYTES = 0x1000
_KILO = 1000
_NOTHING = "DF_FLUSH: a command with nothing to do"
_PEK_GEN = "PEK_GEN: two key pairs, three signatures"
_PDH_GEN = "PDH_GEN: a key pair and a signature"


def measured(seed: int = 1) -> tuple[dict[str, int], float, float]:
    """Cycles of the security processor by what it does; seconds until the platform has its keys, and of a launch after.

    Cycles are those from the host's first access to its last: the write of the command's buffer to the read of what has
    come of it. Those of a signature alone are what PEK_GEN has beyond two PDH_GEN: one signature more, a command less.
    Seconds are those of a clock on the wall, without the building.
    """
    cycles: dict[str, int] = {}
    image = firmware().image
    build("platform", PLATFORM_CONFIG)
    begun = time.perf_counter()
    with SimulatedPlatform(seed, image=image) as platform:
        host = platform.host
        cycles["boot"] = platform.cycles

        def count(name: str, what: Callable[[], object]) -> None:
            before = platform.cycles
            what()
            cycles[name] = platform.cycles - before

        count("INIT: three key pairs, four signatures", lambda: host.must(Command.INIT))
        count("PLATFORM_STATUS", lambda: host.must(Command.PLATFORM_STATUS))
        count(_NOTHING, lambda: host.must(Command.DF_FLUSH))
        count(_PEK_GEN, lambda: host.must(Command.PEK_GEN))
        count(_PDH_GEN, lambda: host.must(Command.PDH_GEN))
        cycles["a signature"] = cycles[_PEK_GEN] - 2 * cycles[_PDH_GEN] + cycles[_NOTHING]
        launched = time.perf_counter()
        pdh, _ = host.export()
        session = new_session(public_point(pdh), 1)
        fields = host.start_fields(1, session)
        count("LAUNCH_START with an owner's session", lambda: host.must(Command.LAUNCH_START, **fields))
        handle = 1
        count("ACTIVATE", lambda: host.must(Command.ACTIVATE, handle=handle, asid=1))
        platform.memory.write(_IMAGE, bytes(_PAGE_BYTES), 0)
        count("LAUNCH_UPDATE_DATA of 4 KB",
              lambda: host.must(Command.LAUNCH_UPDATE_DATA, handle=handle, address=_IMAGE, length=_PAGE_BYTES))
        count("LAUNCH_MEASURE", lambda: host.measure(handle))
        measurement = platform.memory.read(host.area(0), 0x30, 0)
        secret = package_secret(bytes(64), tek=session.tek, tik=session.tik, measurement=measurement)
        packet = host.secret_fields(handle, secret, _SECRET)
        count("LAUNCH_SECRET of 64 bytes", lambda: host.must(Command.LAUNCH_SECRET, **packet))
        count("LAUNCH_FINISH", lambda: host.must(Command.LAUNCH_FINISH, handle=handle))
        count("ATTESTATION: a signature", lambda: host.attest(handle, bytes(16)))
        ended = time.perf_counter()
    return cycles, launched - begun, ended - launched


def main() -> None:
    """Prints a table of Markdown."""
    cycles, start_seconds, launch_seconds = measured()
    print("| what | thousand cycles |\n|---|---|")
    for name, count in cycles.items():
        print(f"| {name} | {count / _KILO:,.0f} |")
    print(f"\nBoot and keys took {start_seconds:.0f} s of simulation, the launch and its attestation "
          f"{launch_seconds:.0f} s.")


if __name__ == "__main__":
    main()
