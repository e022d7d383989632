"""The protocol checker passes what AXI4 allows, and names each planted violation."""

import dataclasses
from typing import Any

import pytest

from cbit_sim.beats import Address, ReadData, WriteData, WriteResponse
from cbit_sim.checker import Checker, ProtocolError

_FULL = 0xFFFF


@dataclasses.dataclass
class _Sample:
    valid: bool = False
    ready: bool = False
    payload: Any = None


def _cycle(checker: Checker, *, ready: bool = True, **beats: Any) -> None:
    """One edge; the channels named carry a beat, the others are idle."""
    idle = {name: _Sample() for name in ("aw", "w", "b", "ar", "r")}
    checker.observe(**(idle | {name: _Sample(valid=True, ready=ready, payload=beat) for name, beat in beats.items()}))


def _address(**fields: int) -> Address:
    return Address(**({"id": 1, "addr": 0x1000, "len": 0} | fields))


def _w(*, strb: int = _FULL, last: int = 1) -> WriteData:
    return WriteData(0x55, strb, last)


def _b(identifier: int = 1, resp: int = 0) -> WriteResponse:
    return WriteResponse(identifier, resp)


def _r(identifier: int = 1, resp: int = 0, last: int = 1) -> ReadData:
    return ReadData(identifier, 0xAA, resp, last)


@pytest.fixture
def checker() -> Checker:
    return Checker("port")


def test_legal_traffic_passes(checker):
    _cycle(checker, w=_w(last=0))
    _cycle(checker, w=_w(), ar=_address(id=2, len=1))
    _cycle(checker, aw=_address(len=1), ar=_address(id=3))
    _cycle(checker, r=_r(2, last=0), b=_b())
    _cycle(checker, r=_r(3), aw=_address())
    _cycle(checker, r=_r(2), w=_w())
    _cycle(checker, ready=False, b=_b())
    assert not checker.idle
    _cycle(checker, b=_b())
    assert checker.idle


def test_same_id_reads_are_answered_in_order(checker):
    _cycle(checker, ar=_address(len=1))
    _cycle(checker, ar=_address(len=0))
    _cycle(checker, r=_r(last=0))
    with pytest.raises(ProtocolError, match="port cycle 4: R RLAST at beat 2 of 2, ID 1"):
        _cycle(checker, r=_r(last=0))


@pytest.mark.parametrize("channel", ["aw", "w", "ar"])
def test_valid_stays(checker, channel):
    beat = _w() if channel == "w" else _address()
    _cycle(checker, ready=False, **{channel: beat})
    with pytest.raises(ProtocolError, match=f"{channel.upper()} VALID fell before READY"):
        _cycle(checker)


@pytest.mark.parametrize(("channel", "first", "second"), [
    ("aw", _address(), _address(addr=0x2000)),
    ("ar", _address(), _address(prot=1)),
    ("w", _w(), _w(strb=1)),
])
def test_payload_stays(checker, channel, first, second):
    _cycle(checker, ready=False, **{channel: first})
    with pytest.raises(ProtocolError, match="payload changed before READY"):
        _cycle(checker, **{channel: second})


def test_answers_stay(checker):
    _cycle(checker, ar=_address(len=1), aw=_address(), w=_w())
    _cycle(checker, ready=False, r=_r(last=0), b=_b())
    with pytest.raises(ProtocolError, match="B payload changed before READY"):
        _cycle(checker, r=_r(last=0), b=_b(resp=2))


def test_stability_is_of_each_channel(checker):
    _cycle(checker, ready=False, aw=_address())
    _cycle(checker, ready=False, aw=_address(), w=_w())
    with pytest.raises(ProtocolError, match="W VALID fell"):
        _cycle(checker, aw=_address())


@pytest.mark.parametrize("fields", [
    {"burst": 3},
    {"size": 5},
    {"addr": 0x1FF0, "len": 1},
    {"addr": 0x1FF8, "len": 1, "size": 3},
    {"burst": 2, "len": 2},
    {"burst": 2, "len": 0},
    {"burst": 2, "len": 3, "addr": 0x1008},
    {"burst": 0, "len": 16},
])
def test_malformed_addresses(checker, fields):
    with pytest.raises(ProtocolError, match="AR burst is malformed"):
        _cycle(checker, ar=_address(**fields))
    _cycle(Checker("lenient", legal_addresses=False), ar=_address(**fields))


@pytest.mark.parametrize("fields", [
    {"addr": 0x1FF0}, {"addr": 0x1FF8, "size": 3}, {"burst": 2, "len": 15}, {"burst": 0, "len": 15},
    {"lock": 1, "len": 7}, {"lock": 1, "size": 0, "addr": 0x1003},
])
def test_edges_of_legal_addresses(checker, fields):
    _cycle(checker, aw=_address(**fields))


@pytest.mark.parametrize("fields", [{"len": 2}, {"len": 15}, {"len": 1, "addr": 0x1010}, {"len": 3, "size": 2,
                                                                                         "addr": 0x1008}])
def test_exclusive_size_and_alignment(checker, fields):
    with pytest.raises(ProtocolError, match="exclusive access has a wrong size or alignment"):
        _cycle(checker, ar=_address(lock=1, **fields))


def test_early_wlast(checker):
    _cycle(checker, aw=_address(len=1))
    with pytest.raises(ProtocolError, match="W WLAST at beat 1 of 2"):
        _cycle(checker, w=_w())


def test_missing_wlast(checker):
    _cycle(checker, aw=_address())
    with pytest.raises(ProtocolError, match="W WLAST is missing"):
        _cycle(checker, w=_w(last=0))


def test_wlast_of_data_before_its_address(checker):
    _cycle(checker, w=_w())
    with pytest.raises(ProtocolError, match="WLAST at beat 1 of 3"):
        _cycle(checker, aw=_address(len=2))


def test_strobe_outside_of_lanes(checker):
    _cycle(checker, aw=_address(size=2, addr=0x1004))
    with pytest.raises(ProtocolError, match="strobe outside of the beat's lanes: 0x0100 of 0x00f0"):
        _cycle(checker, w=_w(strb=0x0100))


def test_response_without_write(checker):
    with pytest.raises(ProtocolError, match="B of ID 1 before the end of AW and W"):
        _cycle(checker, b=_b())


def test_response_before_the_last_beat(checker):
    _cycle(checker, aw=_address(len=1))
    _cycle(checker, w=_w(last=0))
    with pytest.raises(ProtocolError, match="B of ID 1 before"):
        _cycle(checker, w=_w(), b=_b())


def test_response_before_the_address(checker):
    _cycle(checker, w=_w())
    with pytest.raises(ProtocolError, match="B of ID 1 before"):
        _cycle(checker, aw=_address(), b=_b())


def test_response_of_another_id(checker):
    _cycle(checker, aw=_address(id=1), w=_w())
    with pytest.raises(ProtocolError, match="B of ID 2 before"):
        _cycle(checker, b=_b(2))


def test_two_responses_to_one_write(checker):
    _cycle(checker, aw=_address(), w=_w())
    _cycle(checker, b=_b())
    with pytest.raises(ProtocolError, match="B of ID 1 before"):
        _cycle(checker, b=_b())


def test_read_data_without_address(checker):
    with pytest.raises(ProtocolError, match="R of ID 1 without AR"):
        _cycle(checker, ar=_address(), r=_r())


def test_early_rlast(checker):
    _cycle(checker, ar=_address(len=3))
    with pytest.raises(ProtocolError, match="R RLAST at beat 1 of 4, ID 1"):
        _cycle(checker, r=_r())


@pytest.mark.parametrize("channel", ["b", "r"])
def test_forged_exokay(checker, channel):
    _cycle(checker, aw=_address(), w=_w(), ar=_address())
    beat = {"b": _b(resp=1), "r": _r(resp=1)}[channel]
    with pytest.raises(ProtocolError, match=f"{channel.upper()} EXOKAY to an access that is not exclusive"):
        _cycle(checker, **{channel: beat})


def test_exokay_to_an_exclusive(checker):
    _cycle(checker, ar=_address(lock=1), aw=_address(lock=1), w=_w())
    _cycle(checker, r=_r(resp=1), b=_b(resp=1))
