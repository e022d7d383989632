"""The unit for P-384, compiled once for each file of tests."""

import pytest

from cbit.psp.p384.unit import P384
from cbit_sim.p384_port import P384Port

SEED = 384
"""Of what its memories hold before the reset."""


@pytest.fixture(scope="module")
def port():
    """The unit, for what is done at once for all tests of a file."""
    port = P384Port(P384(), seed=SEED)
    yield port
    port.component.close()


@pytest.fixture
def unit(port):
    """The unit after a reset."""
    port.reset()
    return port
