"""Attacks on the firmware on its gateware: entropy, races, resets, clocks, straps, and images that go wrong."""

import pytest

from cbit_sim.firmware_build import firmware
from cbit_sim.platform_run import simulate_platform
from cbit_sim.simulated_platform import PlatformStoppedError, SimulatedPlatform

WRITE_TRAP_VECTOR = (0x30529073).to_bytes(4, "little")
"""``csrw mtvec, t0``."""

TO_NOWHERE = bytes.fromhex("b7020020 03a30200")
"""``lui t0, 0x20000; lw t1, 0(t0)``."""


@pytest.mark.slow
@pytest.mark.parametrize("attack", [
    "entropy_stuck_before_boot", "entropy_stuck_after_boot", "entropy_stuck_after_init", "a_command_during_a_command",
    "two_hosts_race", "a_reset_within_a_command", "resets_at_random_cycles", "engine_clock_stops",
    "everything_is_encrypted_with_tsme"])
def test_attack(attack):
    report = simulate_platform("cbit_sim.benches.psp_attacks", firmware().image, parameters={"seed": 21},
                               tests=[attack])
    print(f"{attack}: {report['cpu_seconds']:.0f} s of processor time")


@pytest.mark.slow
def test_an_exception_is_shown():
    """An instruction that is none, right after the trap vector and the stack are set."""
    image = bytearray(firmware().image)
    start = image.index(WRITE_TRAP_VECTOR) + 12
    image[start:start + 4] = bytes(4)
    with pytest.raises(PlatformStoppedError, match="stopped with boot code 0xff"):
        SimulatedPlatform(1, image=bytes(image))


@pytest.mark.slow
def test_a_stray_access_is_shown():
    """The processor reads where nothing is, before anything else."""
    image = bytearray(firmware().image)
    image[:len(TO_NOWHERE)] = TO_NOWHERE
    with pytest.raises(PlatformStoppedError, match="stopped with boot code 0xfe"):
        SimulatedPlatform(1, image=bytes(image))
