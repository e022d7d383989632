# amaranth: UnusedElaboratable=no
"""What a platform refuses."""

import pytest

from cbit.config import EngineConfig
from cbit.psp.platform import Platform
from cbit.psp.system import DEVELOPMENT_SECRET

GOOD = {"firmware": b"", "memory_bytes": 1 << 20, "device_secret": bytes(32)}
SMALL = EngineConfig(asid_count=2, addr_width=32, c_bit=31, id_width=1, max_outstanding=4, duplex=False, unroll=1)


@pytest.mark.parametrize(("config", "change", "reason"), [
    ({}, {"firmware": bytes(65537)}, "firmware must be of at most 65536 bytes, not 65537"),
    ({}, {"memory_bytes": 1 << 48}, "memory_bytes must be at most 2\\*\\*47, not 281474976710656"),
    ({}, {"memory_bytes": 1 << 44}, "memory_bytes must be below 2\\*\\*44, not 17592186044416"),
    ({}, {"device_secret": None}, "device_secret must be given where entropy is not simulated, not None"),
    ({}, {"device_secret": b"short"}, "device_secret must be of 32 bytes, not 5"),
    ({"data_width": 256}, {}, "data_width must be 128 for a platform, not 256"),
    ({"id_width": 8}, {}, "id_width must be an integer from 1 to 8, not 9"),
])
def test_bad_parameters_are_refused(config, change, reason):
    with pytest.raises(ValueError, match=reason):
        Platform(EngineConfig(**config), **GOOD | change)


def test_a_platform_has_the_ports_of_an_engine_without_the_registers_of_the_security_processor():
    platform = Platform(EngineConfig(), **GOOD)
    assert set(platform.signature.members) == {
        "psp_clk", "s_axi", "m_axi", "s_axil_host", "s_axil_mailbox", "irq", "mailbox_irq", "host_reset", "tsme",
        "wbinvd"}
    assert platform.psp.system.secret == bytes(32)


def test_a_simulated_platform_needs_no_secret_of_its_own():
    platform = Platform(EngineConfig(), **GOOD | {"device_secret": None, "simulated_entropy": True})
    assert platform.psp.system.secret == DEVELOPMENT_SECRET
    assert len(DEVELOPMENT_SECRET) == 32
