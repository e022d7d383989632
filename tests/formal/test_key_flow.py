"""Where in an engine's netlist there is a way for a key, whatever else opens it."""

import re
from unittest import mock

import pytest

from cbit import engine
from cbit.config import EngineConfig, SBox
from cbit.csr.control import ControlPort
from cbit.engine import Engine
from cbit.xts.unit import XtsUnit
from cbit_sim.flow import Flow

SMALL = {"addr_width": 32, "c_bit": 31, "id_width": 1, "max_outstanding": 4}
SHARED = {"duplex": False, "unroll": 1} | SMALL
CONFIGS = [
    pytest.param(EngineConfig(asid_count=4, key_ways=2, pipelined=True, cycles_per_round=3, sbox=SBox.BLOCK_RAM,
                              guarded=True, **SHARED), id="pipelined-cached-guarded"),
    pytest.param(EngineConfig(asid_count=2, **SHARED), id="shared", marks=pytest.mark.slow),
    pytest.param(EngineConfig(asid_count=2, **SMALL), id="duplex", marks=pytest.mark.slow),
]
WORD = "control.keys.staging.word__data"
"""The only way in for a key: the word of a write to a key register, on its way to where it is staged."""

EQUAL = "control.keys.staging.equal"
"""Whether K1 = K2: INSTALL refuses such keys (FIPS 140-3 IG, C.I), so that whoever gives it learns this one bit."""


PARITY = r"xts\.\w+\.aes\.(\w+\.)?(first_key|keys)\.faulty|control\.keys\.keys\.raw\.o__payload\.present"
"""Whether a stored key has lost a bit, which whoever uses it learns, and the security processor."""

SELF_TEST = r"xts\.self_test\.right(_shadow)?(\$\d+)?"
"""Whether an answer of the self-test is right, in a register or its shadow. Its keys are public, and no other is there
while it runs."""


def matching(flow, pattern):
    return [name for name in flow.signals if re.fullmatch(pattern, name)]


def declassified(flow):
    """The bits that a key may have an effect on, whoever sees them."""
    found = matching(flow, PARITY), matching(flow, SELF_TEST)
    assert all(found)
    return [EQUAL, *found[0], *found[1]]


def aes_outputs(flow):
    """What leaves the AES pipelines."""
    return matching(flow, r"xts\.\w+\.aes\.o__payload")


@pytest.fixture(scope="module", params=CONFIGS)
def flow(request):
    return Flow(Engine(request.param))


def test_keys_reach_nothing_but_data(flow):
    reached = flow.reached([WORD], declassified=declassified(flow))
    assert flow.outputs & reached == {"s_axi__r__payload", "m_axi__w__payload"}
    fields = {name for name in reached if name.startswith(("s_axi__r__payload.", "m_axi__w__payload."))}
    assert fields == {"s_axi__r__payload.data", "m_axi__w__payload.data"}


def test_keys_reach_data_through_aes_only(flow):
    pipelines = aes_outputs(flow)
    assert len(pipelines) >= 2
    reached = flow.reached([WORD], declassified=[*declassified(flow), *pipelines])
    assert "xts.round_key__data" in reached
    assert not flow.outputs & reached


def test_whether_keys_are_equal_is_seen(flow):
    assert "s_axil_psp__r__payload" in flow.reached([WORD])


class ShowsKeyBit(ControlPort):
    """A fault: STATUS of the host reads a bit of a round key while no access is accepted."""

    def _join_switches(self, m, psp, host, switches, keys):
        super()._join_switches(m, psp, host, switches, keys)
        m.d.comb += host.status.value.locked.eq(switches.locked | (self.round_key.data[5] & ~switches.released))


class RoundKeyAsTweak(XtsUnit):
    """A fault: a round key goes where tweaks do."""

    def _join_tweaks(self, m, name, test, number):
        super()._join_tweaks(m, name, test, number)
        m.d.comb += self.write_tweak.payload.tweak[127].eq(self.round_key.data[127])


def test_planted_ways_are_found():
    with mock.patch.multiple(engine, ControlPort=ShowsKeyBit, XtsUnit=RoundKeyAsTweak):
        faulty = Flow(Engine(EngineConfig(asid_count=2, **SHARED)))
    reached = faulty.reached([WORD], declassified=[*declassified(faulty), *aes_outputs(faulty)])
    assert faulty.outputs & reached == {"s_axil_host__r__payload", "m_axi__w__payload", "s_axi__r__payload"}
