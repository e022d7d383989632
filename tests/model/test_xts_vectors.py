"""The model's AES-XTS against published vectors: NIST CAVP, IEEE 1619 Annex B, Wycheproof."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest

from cbit_model.xts import BLOCK_BYTES, XtsKey

CAVP_FILES = [
    "tweak-128hexstr/XTSGenAES128.rsp",
    "tweak-128hexstr/XTSGenAES256.rsp",
    "tweak-dataunitseqno/XTSGenAES128.rsp",
    "tweak-dataunitseqno/XTSGenAES256.rsp",
]


def cavp_cases(name: str) -> Iterator[dict[str, str]]:
    """The cases of a CAVP response file, each with its fields and its direction under ``direction``."""
    direction, case = "", {}
    with cryptography_vectors.open_vector_file(f"ciphers/AES/XTS/{name}", "r") as lines:
        for line in lines:
            field, equals, value = (part.strip() for part in line.partition("="))
            if field in ("[ENCRYPT]", "[DECRYPT]"):
                direction = field
            elif equals:
                case[field] = value
            elif case:
                yield case | {"direction": direction}
                case = {}


def check(key: str, unit: int, plaintext: str, ciphertext: str) -> None:
    """Both directions of one data unit; ``key`` is K1 and K2 end to end."""
    half = len(key) // 2
    xts = XtsKey(bytes.fromhex(key[:half]), bytes.fromhex(key[half:]))
    assert xts.encrypt_unit(bytes.fromhex(plaintext), unit=unit).hex() == ciphertext
    assert xts.decrypt_unit(bytes.fromhex(ciphertext), unit=unit).hex() == plaintext


@pytest.mark.parametrize("name", CAVP_FILES)
def test_cavp(name):
    counts = {"[ENCRYPT]": 0, "[DECRYPT]": 0}
    for case in cavp_cases(name):
        if int(case["DataUnitLen"]) % (8 * BLOCK_BYTES):
            continue
        unit = int(case["DataUnitSeqNumber"]) if "i" not in case else int.from_bytes(bytes.fromhex(case["i"]), "little")
        check(case["Key"], unit, case["PT"], case["CT"])
        counts[case["direction"]] += 1
    print(f"CAVP {name}: {counts}")
    assert all(counts.values())


PATTERN = bytes(range(256)).hex() * 2
E_PI_128 = "27182818284590452353602874713526" + "31415926535897932384626433832795"
E_PI_256 = ("2718281828459045235360287471352662497757247093699959574966967627"
            "3141592653589793238462643383279502884197169399375105820974944592")

IEEE_1619_ANNEX_B = {
    2: ("11" * 16 + "22" * 16, 0x3333333333, "44" * 32,
        "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0"),
    3: ("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0" + "22" * 16, 0x3333333333, "44" * 32,
        "af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89"),
    4: (E_PI_128, 0, PATTERN, "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c"),
    10: (E_PI_256, 0xFF, PATTERN, "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"),
    11: (E_PI_256, 0xFFFF, PATTERN, "77a31251618a15e6b92d1d66dffe7b50b50bad552305ba0217a610688eff7e11"),
    12: (E_PI_256, 0xFFFFFF, PATTERN, "e387aaa58ba483afa7e8eb469778317ecf4cf573aa9d4eac23f2cdf914e4e200"),
    13: (E_PI_256, 0xFFFFFFFF, PATTERN, "bf53d2dade78e822a4d949a9bc6766b01b06a8ef70d26748c6a7fc36d80ae4c5"),
    14: (E_PI_256, 0xFFFFFFFFFF, PATTERN, "64497e5a831e4a932c09be3e5393376daa599548b816031d224bbf50a818ed23"),
}
"""Number of a vector to key, data unit number, plaintext, and the first 32 bytes of the ciphertext.

Vectors 7 to 9 continue from long texts, 15 to 19 steal ciphertext, and 1, whose keys are equal, must be refused.
"""

IEEE_1619_FROM_VECTOR_4 = [
    "264d3ca8512194fec312c8c9891f279fefdd608d0c027b60483a3fa811d65ee5",
    "fa762a3680b76007928ed4a4f49a9456031b704782e65e16cecb54ed7d017b5e",
]
"""First 32 bytes of vectors 5 and 6, each of which encrypts the vector before it as data unit 1 and 2."""


@pytest.mark.parametrize("number", IEEE_1619_ANNEX_B)
def test_ieee_1619(number):
    key, unit, plaintext, head = IEEE_1619_ANNEX_B[number]
    half = len(key) // 2
    xts = XtsKey(bytes.fromhex(key[:half]), bytes.fromhex(key[half:]))
    ciphertext = xts.encrypt_unit(bytes.fromhex(plaintext), unit=unit)
    assert ciphertext[:32].hex() == head
    assert xts.decrypt_unit(ciphertext, unit=unit).hex() == plaintext


def test_ieee_1619_chain():
    xts = XtsKey(bytes.fromhex(E_PI_128[:32]), bytes.fromhex(E_PI_128[32:]))
    data = xts.encrypt(bytes.fromhex(PATTERN), address=0, data_unit_bytes=512)
    for unit, head in enumerate(IEEE_1619_FROM_VECTOR_4, start=1):
        data = xts.encrypt(data, address=512 * unit, data_unit_bytes=512)
        assert data[:32].hex() == head


def test_ieee_1619_vector_1_is_refused():
    with pytest.raises(ValueError, match=r"^Tweak key must be different from the key, not equal to it$"):
        XtsKey(bytes(16), bytes(16))


def wycheproof_file() -> Path:
    """``aes_xts_test.json`` in the folder that CBIT_WYCHEPROOF names, else in ``../shared/vectors``."""
    beside = Path(__file__).parents[3] / "shared" / "vectors"
    return Path(os.environ.get("CBIT_WYCHEPROOF", beside)) / "aes_xts_test.json"


@pytest.mark.skipif(not wycheproof_file().exists(), reason="absent")
def test_wycheproof():
    count = 0
    for group in json.loads(wycheproof_file().read_text())["testGroups"]:
        for case in group["tests"]:
            whole_blocks = len(case["msg"]) % (2 * BLOCK_BYTES) == 0
            if group["keySize"] in (256, 512) and whole_blocks and case["result"] == "valid":
                check(case["key"], int.from_bytes(bytes.fromhex(case["iv"]), "little"), case["msg"], case["ct"])
                count += 1
    print(f"Wycheproof AES-XTS: {count}")
    assert count
