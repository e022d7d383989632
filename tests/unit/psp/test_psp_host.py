"""One host on three platforms: the golden model, the firmware in this process, and the firmware on the gateware."""

import pytest

from cbit_model.sev.constants import Command, Status
from cbit_sim.entropy_words import RecordedEntropy
from cbit_sim.firmware_build import firmware
from cbit_sim.host_story import tell_story
from cbit_sim.native_platform import NativePlatform
from cbit_sim.platforms import HostedPlatform, PlatformKind, open_platform
from cbit_sim.sev_host import UnexpectedStatusError
from cbit_sim.sev_model import ModelPlatform
from cbit_sim.simulated_platform import PlatformStoppedError, SimulatedPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

QUICK = [PlatformKind.MODEL, PlatformKind.FIRMWARE]


def test_the_firmware_tells_the_models_story():
    model, native = (tell_story(open_platform(kind, seed=5)) for kind in QUICK)
    assert native == model
    assert sum(status.endswith(" SUCCESS") for status, _ in model) >= 20
    assert [name for name, _ in model].count("DBG_DECRYPT SUCCESS") == 1


@pytest.mark.parametrize("kind", QUICK)
def test_bit_31_of_the_command_word_does_not_matter(kind):
    with open_platform(kind, seed=1) as platform:
        assert platform.host._mailbox(1 << 31 | Command.GET_ID << 16, 8) == 1 << 31 | Status.INVALID_ADDRESS


@pytest.mark.parametrize("kind", QUICK)
def test_what_must_succeed_and_does_not(kind):
    with open_platform(kind, seed=1) as platform:
        with pytest.raises(UnexpectedStatusError, match="PDH_GEN ended with INVALID_PLATFORM_STATE") as error:
            platform.host.must(Command.PDH_GEN)
        assert error.value.command is Command.PDH_GEN


@pytest.mark.slow
def test_gateware_boots_its_firmware():
    """It says of itself what the model does; while nothing is asked, no time passes."""
    told = []
    with SimulatedPlatform(3, progress=lambda text, cycles: told.append((text, cycles))) as platform:
        booted = platform.cycles
        reply = platform.host.must(Command.PLATFORM_STATUS)
        with open_platform(PlatformKind.MODEL, seed=3) as model:
            assert reply == model.host.must(Command.PLATFORM_STATUS)
        platform.memory.write(0x123, b"plain", 0)
        assert platform.memory.read(0x120, 11, 0) == bytes(3) + b"plain" + bytes(3)
        assert platform.dram(0x123, 5) == b"plain"
        platform.memory.write(1 << 47 | 0x1FFF, b"across pages", 0)
        assert platform.memory.read(1 << 47 | 0x1FFF, 12, 0) == b"across pages"
        assert platform.dram(0x1FFF, 12) != b"across pages"
    assert 0 < booted < platform.cycles
    assert {"booting", "PLATFORM_STATUS"} <= {text for text, _ in told}
    assert max(cycles for text, cycles in told if text == "booting") > 1_000_000


@pytest.mark.slow
def test_gateware_tells_the_models_story():
    """Given the raw words that the gateware has taken, model and firmware give every byte of it."""
    with SimulatedPlatform(4) as platform:
        story = tell_story(platform)
        words = platform.entropy_words()
    print(f"cycles of the security processor: {platform.cycles}, raw words: {len(words)}")
    for made in (ModelPlatform, NativePlatform):
        other: HostedPlatform = made(size_bytes=PLATFORM_MEMORY_BYTES, entropy=RecordedEntropy(words))
        assert tell_story(other) == story


@pytest.mark.slow
def test_gateware_that_does_not_boot():
    """A changed image is refused by its checksum, and the host hears why."""
    image = bytearray(firmware().image)
    image[-8] ^= 1
    with pytest.raises(PlatformStoppedError, match="stopped with boot code 0xe9"):
        SimulatedPlatform(1, image=bytes(image))
