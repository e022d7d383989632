"""Where in the netlist of a serial engine there is a way for a key, whatever else opens it."""

import pytest

from cbit.config import NARROW, SERIAL, EngineConfig
from cbit.engine import Engine
from cbit_sim.flow import Flow

_LEAST = {"addr_width": 32, "c_bit": 31, "id_width": 1, "asid_count": 2}

CONFIGS = {"two rounds": EngineConfig(**SERIAL, **_LEAST), "by columns": EngineConfig(**NARROW, **_LEAST)}

WORD = {"two rounds": "control.keys.staging.word__data", "by columns": "control.keys.staging.taken_word"}
"""The only way in for a key: the word of a write to a key register, on its way to where it is staged. By columns it has
no register for that alone before the one in which it is taken: until then it is where every write's word is."""

DECLASSIFIED = {
    "two rounds": ["control.keys.staging.equal", "bus.cipher.ring.keys_0.faulty", "bus.cipher.ring.keys_1.faulty",
                   "bus.cipher.test.is_right"],
    "by columns": ["control.keys.staging.equal", "bus.cipher.ring.fault", "bus.cipher.test.is_right"]}
"""What a key may have an effect on, whoever sees it: whether K1 = K2, whether a stored key has lost a bit, and whether
an answer of the self-test, whose keys are public, is right."""

RESULT = "bus.cipher.ring.result"
"""What leaves the ring."""


@pytest.fixture(scope="module", params=CONFIGS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def flow(kind):
    return Flow(Engine(CONFIGS[kind]))


def test_keys_of_a_serial_engine_reach_nothing_but_data(flow, kind):
    reached = flow.reached([WORD[kind]], declassified=DECLASSIFIED[kind])
    assert flow.outputs & reached == {"s_axi__r__payload", "m_axi__w__payload"}
    fields = {name for name in reached if name.startswith(("s_axi__r__payload.", "m_axi__w__payload."))}
    assert fields == {"s_axi__r__payload.data", "m_axi__w__payload.data"}


def test_keys_of_a_serial_engine_reach_data_through_aes_only(flow, kind):
    reached = flow.reached([WORD[kind]], declassified=[*DECLASSIFIED[kind], RESULT])
    assert "bus.round_key__data" in reached
    assert not flow.outputs & reached
