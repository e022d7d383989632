"""The firmware's cryptography against published vectors and OpenSSL, over units computed by Zig's standard library."""

import hashlib
import json
import os
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography_vectors import open_vector_file

from cbit_model.p384 import N, P
from cbit_model.sev.drbg import HmacDrbg
from cbit_model.sev.p384 import private_number
from cbit_model.sev.session import derive
from cbit_sim import native_crypto


def wycheproof(name):
    """Test groups of a file in the folder that CBIT_WYCHEPROOF names, else in ``../shared/vectors``; skips if none."""
    beside = Path(__file__).parents[3] / "shared" / "vectors"
    path = Path(os.environ.get("CBIT_WYCHEPROOF", beside)) / name
    if not path.exists():
        pytest.skip("absent")
    return json.loads(path.read_text())["testGroups"]


def records(name, section=None):
    """The records of a file of NIST's, as dictionaries; those below a section's head only."""
    record, inside = {}, section is None
    with open_vector_file(name, "r") as lines:
        for line in map(str.strip, lines):
            if line.startswith("[") and section is not None:
                inside = line == f"[{section}]"
            elif " = " in line and inside:
                key, _, value = line.partition(" = ")
                record[key] = value
            elif not line and record:
                yield record
                record = {}


@pytest.mark.parametrize("name", ["SHA256ShortMsg", "SHA256LongMsg"])
def test_sha256_cavp(name):
    count = 0
    for record in records(f"hashes/SHA2/{name}.rsp"):
        if "MD" in record:
            message = bytes.fromhex(record["Msg"])[:int(record["Len"]) // 8]
            assert native_crypto.sha256(message, piece=1 + count % 130).hex() == record["MD"]
            count += 1
    assert count > 60


@pytest.mark.parametrize("piece", [16, 48, 64, 80, 1024, 4096])
def test_sha256_through_the_buffer(piece):
    message = random.Random(piece).randbytes(10_000)
    for length in (0, 4, 16, 60, 64, 4096, 4112, 10_000):
        expected = hashlib.sha256(message[:length]).digest()
        assert native_crypto.sha256_in_buffer(message[:length], piece=piece) == expected


def test_hmac_wycheproof():
    count = 0
    for group in wycheproof("hmac_sha256_test.json"):
        for case in group["tests"]:
            mac = native_crypto.hmac_sha256(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))
            same = mac.hex()[:group["tagSize"] // 4] == case["tag"]
            assert same == (case["result"] == "valid"), case["tcId"]
            count += 1
    print(f"Wycheproof HMAC-SHA256: {count}")
    assert count


def test_kdf_is_the_models():
    source = random.Random(1)
    for length in (16, 48):
        secret, context = source.randbytes(length), source.randbytes(16)
        assert native_crypto.kdf(secret, b"sev-master-secret", context) == derive(secret, b"sev-master-secret", context)


# NIST CAVP, HMAC_DRBG.rsp, SHA-256, PredictionResistance False, no reseed, first case; as the self-test has it.
CAVP_DRBG = (
    "ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488" "659ba96c601dc69fc902940805ec0ca8",
    "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460"
    "b6f73ebad0dc2aba6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
    "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8",
)


def test_drbg_cavp():
    seed, expected = CAVP_DRBG
    assert native_crypto.drbg(bytes.fromhex(seed), 128).hex() == expected


def test_drbg_is_the_models_after_a_reseed():
    source = random.Random(2)
    for count in (1, 16, 32, 56, 100):
        seed, more = source.randbytes(64), source.randbytes(64)
        model = HmacDrbg(seed)
        model.reseed(more)
        model.generate(count)
        assert native_crypto.drbg(seed, count, reseed=more) == model.generate(count)


def test_aes_ctr_published():
    count = 0
    for record in records("ciphers/AES/CTR/aes-128-ctr.txt"):
        if "PLAINTEXT" in record:
            key, counter, plain, expected = (
                bytes.fromhex(record[name]) for name in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT"))
            assert native_crypto.aes_ctr(key, counter, plain) == expected
            assert native_crypto.aes_ctr(key, counter, expected) == plain
            count += 1
    assert count


def test_aes_counter_carries_through_the_whole_block():
    key = bytes(16)
    both = native_crypto.aes_ctr(key, b"\xff" * 16, bytes(32))
    assert both[16:] == native_crypto.aes_ctr(key, bytes(16), bytes(16))


def test_private_keys_are_the_seed_modulo_the_order_less_one_plus_one():
    source = random.Random(3)
    order_less_one = N - 1
    near = [0, 1, order_less_one - 1, order_less_one, N, 2 * order_less_one, 2**384 - 1, 2**384, 2**448 - 1]
    for number in [*near, *(source.getrandbits(448) for _ in range(20))]:
        seed = number.to_bytes(56, "big")
        private, public = native_crypto.key_pair(seed)
        assert private == private_number(seed) == number % order_less_one + 1
        point = ec.derive_private_key(private, ec.SECP384R1()).public_key().public_numbers()
        assert public == (point.x, point.y)


def test_signatures_are_those_of_openssl():
    source = random.Random(4)
    for _ in range(20):
        private, message = source.randrange(1, N), source.randbytes(50)
        key = ec.derive_private_key(private, ec.SECP384R1())
        expected = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        assert native_crypto.sign(private, hashlib.sha256(message).digest()) == expected


def test_verify_wycheproof():
    count = 0
    for group in wycheproof("ecdsa_secp384r1_sha256_test.json"):
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        public = int.from_bytes(key[1:49], "big"), int.from_bytes(key[49:], "big")
        for case in group["tests"]:
            signature = decoded(bytes.fromhex(case["sig"]))
            if signature is not None:
                digest = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
                assert native_crypto.verify(public, digest, signature) == (case["result"] == "valid"), case["tcId"]
                count += 1
    print(f"Wycheproof ECDSA: {count}")
    assert count > 200


def decoded(signature):
    """Both numbers of a signature in DER, or ``None`` where it is malformed or they do not fit into 384 bits."""
    try:
        numbers = utils.decode_dss_signature(signature)
    except ValueError:
        return None
    return numbers if all(0 <= number < 1 << 384 for number in numbers) else None


def test_verify_cavp():
    results = []
    for record in records("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", "P-384,SHA-256"):
        if "Result" in record:
            qx, qy, r, s = (int(record[name], 16) for name in ("Qx", "Qy", "R", "S"))
            digest = hashlib.sha256(bytes.fromhex(record["Msg"])).digest()
            results.append(native_crypto.verify((qx, qy), digest, (r, s)))
            assert results[-1] == record["Result"].startswith("P")
    assert {*results} == {True, False}


def test_public_keys_off_the_curve_are_refused():
    point = ec.derive_private_key(5, ec.SECP384R1()).public_key().public_numbers()
    for x, y in [(0, 0), (point.x, point.y + 1), (point.x, point.x), (P, point.y), (2**384 - 1, 2**384 - 1)]:
        assert native_crypto.agree(5, (x, y)) is None
        assert not native_crypto.verify((x, y), bytes(32), (1, 1))


def test_ecdh_wycheproof():
    count = 0
    for group in wycheproof("ecdh_secp384r1_ecpoint_test.json"):
        for case in group["tests"]:
            point = bytes.fromhex(case["public"])
            if len(point) == 97 and point[0] == 4:
                public = int.from_bytes(point[1:49], "big"), int.from_bytes(point[49:], "big")
                secret = native_crypto.agree(int(case["private"], 16), public)
                assert (secret.hex() if secret else "") == case["shared"], case["tcId"]
                count += 1
    print(f"Wycheproof ECDH: {count}")
    assert count
