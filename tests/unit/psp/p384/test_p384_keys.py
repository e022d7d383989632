"""ECDSA and ECDH by the operations of the unit for P-384: with OpenSSL, and Wycheproof's cases."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from cbit_model.p384 import N, Point
from cbit_sim.p384_keys import public_key, shared_secret, sign, verify

ECDH_FILE, ECDSA_FILE = "ecdh_secp384r1_ecpoint_test.json", "ecdsa_secp384r1_sha256_test.json"
EVERY = 60
"""Of which cases one is taken in the short run."""


def of_openssl(key):
    numbers = key.public_numbers()
    return Point(numbers.x, numbers.y)


def test_a_secret_is_shared_with_openssl(unit):
    private = 0x1f2e3d4c5b6a79880123456789abcdef << 200
    other = ec.derive_private_key(987654321 << 300, ec.SECP384R1())
    public = public_key(unit, private)
    mine = ec.EllipticCurvePublicNumbers(public.x, public.y, ec.SECP384R1()).public_key()
    secret = shared_secret(unit, private, of_openssl(other.public_key()))
    assert secret == int.from_bytes(other.exchange(ec.ECDH(), mine), "big")


def test_signatures_are_good_for_openssl_and_the_other_way(unit):
    message = b"launched"
    digest = hashlib.sha256(message).digest()
    key = ec.derive_private_key(N - 12345, ec.SECP384R1())
    r, s = sign(unit, N - 12345, digest, 0xabcdef << 350)
    key.public_key().verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    public = of_openssl(key.public_key())
    theirs = utils.decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    assert verify(unit, public, digest, *theirs)
    assert not verify(unit, public, bytes([digest[0] ^ 1]) + digest[1:], *theirs)
    assert not verify(unit, Point(public.x, public.y ^ 1), digest, *theirs)
    assert not verify(unit, public, digest, theirs[0], theirs[1] ^ 1)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (N, 1), (1, N), (1 << 384, 1), (1, 1 << 400), (-1, 1)])
def test_signatures_out_of_range_are_refused(unit, r, s):
    public = of_openssl(ec.derive_private_key(5, ec.SECP384R1()).public_key())
    assert not verify(unit, public, bytes(32), r, s)


def wycheproof(name):
    """The groups of a file in the folder that CBIT_WYCHEPROOF names, else in ``../shared/vectors``."""
    beside = Path(__file__).parents[5] / "shared" / "vectors"
    path = Path(os.environ.get("CBIT_WYCHEPROOF", beside)) / name
    if not path.exists():
        pytest.skip(f"no Wycheproof: {path} is not there")
    return json.loads(path.read_text())["testGroups"]


def ecdh_cases():
    return [case for group in wycheproof(ECDH_FILE) for case in group["tests"]]


def ecdsa_cases():
    return [case | {"key": group["publicKey"]} for group in wycheproof(ECDSA_FILE) for case in group["tests"]]


def check_ecdh(unit, cases):
    results = {"valid": 0, "invalid": 0}
    for case in cases:
        encoded = bytes.fromhex(case["public"])
        if len(encoded) != 97 or encoded[0] != 4:
            assert case["result"] != "valid"  # a compressed point, or none
            continue
        public = Point(int.from_bytes(encoded[1:49], "big"), int.from_bytes(encoded[49:], "big"))
        secret = shared_secret(unit, int(case["private"], 16) % 2**384, public)
        assert secret == (int(case["shared"], 16) if case["result"] == "valid" else None), case
        results[case["result"]] += 1
    return results


def check_ecdsa(unit, cases):
    results = {"valid": 0, "invalid": 0}
    for case in cases:
        try:
            r, s = utils.decode_dss_signature(bytes.fromhex(case["sig"]))
        except ValueError:
            assert case["result"] == "invalid"
            continue
        public = Point(int(case["key"]["wx"], 16), int(case["key"]["wy"], 16))
        digest = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
        assert verify(unit, public, digest, r, s) == (case["result"] == "valid"), case
        results[case["result"]] += 1
    return results


def test_some_of_wycheproof_ecdh(unit):
    cases = ecdh_cases()
    invalid = [case for case in cases if case["result"] == "invalid"]
    assert all(check_ecdh(unit, [*cases[::EVERY], *invalid]).values())


def test_some_of_wycheproof_ecdsa(unit):
    cases = ecdsa_cases()
    assert all(check_ecdsa(unit, cases[::EVERY]).values())


@pytest.mark.slow
def test_all_of_wycheproof_ecdh(unit):
    assert check_ecdh(unit, ecdh_cases()) == {"valid": 771, "invalid": 16}


@pytest.mark.slow
def test_all_of_wycheproof_ecdsa(unit):
    results = check_ecdsa(unit, ecdsa_cases())
    assert results["valid"] == 162
    assert results["invalid"] > 80  # of the others, the encoding is wrong
