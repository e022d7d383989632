"""The decision table, exhaustively, against rows written independently of it; and the rules of AXI4 before it."""

import itertools

import pytest

from cbit_model.access import Access, Burst, Decision, Mode, Response, Violation, decide, malformed

C_BIT = 47
C = 1 << C_BIT
ASID_COUNT = 12
PLAIN = Decision()
HOST_KEY = Decision(slot=0)
OWN_KEY = Decision(slot=5)
WHO = {"host": 0, "guest": 5, "idle guest": 6, "nobody": 12}

ROWS = [
    # who          C    npt_c dma  walk fetch sme  tsme sev  slot 0 active
    ("host",       "1", "-", "-", "-", "-", "0", "-", "-", "-", Decision(Violation.SME_OFF)),
    ("host",       "1", "-", "-", "-", "-", "1", "-", "-", "1", HOST_KEY),
    ("host",       "1", "-", "-", "-", "-", "1", "-", "-", "0", Decision(Violation.SLOT_INACTIVE)),
    ("host",       "0", "-", "-", "-", "-", "-", "0", "-", "-", PLAIN),
    ("host",       "0", "-", "-", "-", "-", "-", "1", "-", "1", HOST_KEY),
    ("host",       "0", "-", "-", "-", "-", "-", "1", "-", "0", Decision(Violation.SLOT_INACTIVE)),
    ("nobody",     "-", "-", "-", "-", "-", "-", "-", "-", "-", Decision(Violation.ASID_RANGE)),
    ("guest",      "-", "-", "-", "-", "-", "-", "-", "0", "-", Decision(Violation.SEV_OFF)),
    ("idle guest", "-", "-", "-", "-", "-", "-", "-", "0", "-", Decision(Violation.SEV_OFF)),
    ("idle guest", "-", "-", "-", "-", "-", "-", "-", "1", "-", Decision(Violation.SLOT_INACTIVE)),
    ("guest",      "1", "-", "0", "-", "-", "-", "-", "1", "-", OWN_KEY),
    ("guest",      "1", "-", "1", "-", "-", "-", "-", "1", "-", Decision(Violation.DMA_PRIVATE)),
    ("guest",      "0", "-", "0", "1", "-", "-", "-", "1", "-", OWN_KEY),
    ("guest",      "0", "-", "1", "1", "-", "-", "-", "1", "-", Decision(Violation.DMA_PRIVATE)),
    ("guest",      "0", "-", "0", "0", "1", "-", "-", "1", "-", OWN_KEY),
    ("guest",      "0", "-", "1", "0", "1", "-", "-", "1", "-", Decision(Violation.DMA_PRIVATE)),
    ("guest",      "0", "1", "-", "0", "0", "0", "-", "1", "-", Decision(Violation.SME_OFF)),
    ("guest",      "0", "1", "-", "0", "0", "1", "-", "1", "1", HOST_KEY),
    ("guest",      "0", "1", "-", "0", "0", "1", "-", "1", "0", Decision(Violation.SLOT_INACTIVE)),
    ("guest",      "0", "0", "-", "0", "0", "-", "1", "1", "1", HOST_KEY),
    ("guest",      "0", "0", "-", "0", "0", "-", "1", "1", "0", Decision(Violation.SLOT_INACTIVE)),
    ("guest",      "0", "0", "-", "0", "0", "-", "0", "1", "-", PLAIN),
]


def expected(who: str, bits: str) -> Decision:
    """The outcome of the one row that matches."""
    matching = [row for row in ROWS
                if row[0] == who and all(want in ("-", bit) for want, bit in zip(row[1:-1], bits))]
    assert len(matching) == 1, (who, bits, matching)
    return matching[0][-1]


@pytest.mark.parametrize("who", WHO)
def test_every_combination(who):
    for bits in map("".join, itertools.product("01", repeat=9)):
        c, npt_c, dma, walk, fetch, sme, tsme, sev, host_active = (bit == "1" for bit in bits)
        for other_prot in range(4):
            access = Access(address=0x1000 | (C if c else 0), asid=WHO[who], npt_c=npt_c, dma=dma, walk=walk,
                            prot=other_prot | fetch << 2)
            decision = decide(access, mode=Mode(sme=sme, tsme=tsme, sev=sev), active={0, 5} if host_active else {5},
                              asid_count=ASID_COUNT, c_bit=C_BIT)
            assert decision == expected(who, bits), (who, bits)


def all_on(access: Access) -> Decision:
    """The decision with every mode on and every slot active."""
    return decide(access, mode=Mode(sme=True, tsme=True, sev=True), active=range(ASID_COUNT), asid_count=ASID_COUNT,
                  c_bit=C_BIT)


@pytest.mark.parametrize("asid", range(16))
@pytest.mark.parametrize("c", [0, C])
def test_address_above_the_c_bit_comes_before_the_asid(asid, c):
    for position in range(C_BIT + 1, 64):
        assert all_on(Access(address=c | 1 << position, asid=asid)) == Decision(Violation.ADDRESS)
    assert all_on(Access(address=c | (C - 16), asid=asid)).violation is (Violation.ASID_RANGE if asid >= 12 else None)


def test_malformed_comes_before_the_address():
    assert all_on(Access(address=1 << 63, size=5)) == Decision(Violation.MALFORMED)


@pytest.mark.parametrize("asid", range(16))
def test_range_of_asids(asid):
    wanted = Decision(slot=asid) if asid < ASID_COUNT else Decision(Violation.ASID_RANGE)
    assert all_on(Access(address=C, asid=asid)) == wanted


def test_kinds_and_their_responses():
    assert {kind.name: kind.value for kind in Violation} == {
        "MALFORMED": 1, "ADDRESS": 2, "ASID_RANGE": 3, "SEV_OFF": 4, "SLOT_INACTIVE": 5, "DMA_PRIVATE": 6, "SME_OFF": 7}
    for kind in Violation:
        assert kind.response is (Response.DECERR if kind is Violation.ADDRESS else Response.SLVERR)


def breaks_axi4(**fields: int) -> bool:
    """Whether the burst of these fields, at address 0 if they have none, is malformed."""
    return malformed(Access(**({"address": 0} | fields)))


@pytest.mark.parametrize("size", range(8))
def test_reserved_burst_and_oversize(size):
    assert breaks_axi4(burst=Burst.RESERVED, size=size)
    for burst in (Burst.FIXED, Burst.INCR, Burst.WRAP):
        assert breaks_axi4(burst=burst, size=size, length=2) is (size > 4)
        for bus_bytes, widest in ((32, 5), (64, 6)):
            assert malformed(Access(address=0, burst=burst, size=size, length=2), bus_bytes) is (size > widest)


@pytest.mark.parametrize("size", range(5))
def test_wrap(size):
    for length in range(1, 257):
        assert breaks_axi4(burst=Burst.WRAP, length=length, size=size) is (length not in (2, 4, 8, 16))
    for offset in range(33):
        wrong = offset % (1 << size) != 0
        assert breaks_axi4(burst=Burst.WRAP, length=4, size=size, address=0xFC0 + offset) is wrong


@pytest.mark.parametrize("size", range(5))
def test_fixed(size):
    for length in range(1, 257):
        assert breaks_axi4(burst=Burst.FIXED, length=length, size=size, address=0xFFF) is (length > 16)


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"address": 0x0, "length": 256}, False),
    ({"address": 0xF, "length": 256}, False),
    ({"address": 0x10, "length": 256}, True),
    ({"address": 0xFF0}, False),
    ({"address": 0xFFF}, False),
    ({"address": 0xFF0, "length": 2}, True),
    ({"address": 0xFFF, "length": 2}, True),
    ({"address": 0xFFE, "length": 2, "size": 0}, False),
    ({"address": 0xFFF, "length": 2, "size": 0}, True),
    ({"address": 0xFFD, "length": 2, "size": 1}, False),
    ({"address": 0xFFD, "length": 3, "size": 1}, True),
    ({"address": C | 0x12FC0, "length": 4}, False),
    ({"address": C | 0x12FC0, "length": 5}, True),
    ({"address": 0xFF0, "length": 16, "burst": Burst.WRAP}, False),
])
def test_boundary_of_4_kib(fields, wrong):
    assert breaks_axi4(**fields) is wrong
