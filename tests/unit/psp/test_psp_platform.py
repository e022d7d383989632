# amaranth: UnusedElaboratable=no
"""What a platform refuses."""

import pytest

from cbit.config import EngineConfig
from cbit.psp.platform import DEVELOPMENT_SECRET, Platform

GOOD = {"firmware": b"", "memory_bytes": 1 << 20}


@pytest.mark.parametrize(("config", "change", "reason"), [
    ({}, {"firmware": bytes(65537)}, "firmware must be of at most 65536 bytes, not 65537"),
    ({}, {"memory_bytes": 1 << 48}, "memory_bytes must be at most 2\\*\\*47, not 281474976710656"),
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
    assert len(DEVELOPMENT_SECRET) == 32
