"""P-384, HMAC and random numbers of the PSP's model, against published vectors and OpenSSL."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cbit_model.p384 import N, P
from cbit_model.sev.drbg import Drbg, HmacDrbg
from cbit_model.sev.memory import SeededEntropy
from cbit_model.sev.owner.openssl import ecdh, ecdsa_is_good, public_point_of
from cbit_model.sev.p384 import PrivateKey, Signature, is_public_point, private_number, verify
from cbit_model.sev.ports import EntropyFailedError
from cbit_model.sev.session import mac

# RFC 6979, A.2.6: P-384 with SHA-256, message "sample"
RFC_KEY = int("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5", 16)
RFC_NONCE = "180AE9F9AEC5438A44BC159A1FCB277C7BE54FA20E7CF404B490650A8ACC414E375572342863C899F9F2EDF9747A9B60"
RFC_R = int("21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33BDE1E888E63355D92FA2B3C36D8FB2CD", 16)
RFC_S = int("F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEBEFDC63ECCD1AC42EC0CB8668A4FA0AB0", 16)

# CAVP, HMAC_DRBG with SHA-256, no reseed, COUNT 0: entropy input and nonce, and the second answer of 1024 bits
CAVP_SEED = ("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"
             "659ba96c601dc69fc902940805ec0ca8")
CAVP_ANSWER = ("e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89"
               "d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc1"
               "07694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
               "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8")


def wycheproof(name: str) -> list[dict]:
    """Groups of a file in the folder that CBIT_WYCHEPROOF names, else in ``../shared/vectors``."""
    beside = Path(__file__).parents[3] / "shared" / "vectors"
    path = Path(os.environ.get("CBIT_WYCHEPROOF", beside)) / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no {path.name}: CBIT_WYCHEPROOF names the folder with Wycheproof's files")
    return json.loads(path.read_text())["testGroups"]


def test_signature_of_rfc_6979():
    key = PrivateKey(RFC_KEY)
    assert key.sign(b"sample") == Signature(RFC_R, RFC_S)
    assert verify(key.point, b"sample", Signature(RFC_R, RFC_S))
    assert not verify(key.point, b"samples", Signature(RFC_R, RFC_S))
    assert not verify(PrivateKey(2).point, b"sample", Signature(RFC_R, RFC_S))


def test_nonce_of_rfc_6979_is_what_hmac_drbg_gives():
    digest = hashlib.sha256(b"sample").digest()
    seed = RFC_KEY.to_bytes(48, "big") + digest.rjust(48, b"\0")
    assert HmacDrbg(seed).generate(48).hex().upper() == RFC_NONCE


def test_hmac_drbg_of_cavp():
    drbg = HmacDrbg(bytes.fromhex(CAVP_SEED))
    drbg.generate(128)
    assert drbg.generate(128).hex() == CAVP_ANSWER


def test_reseeding_is_an_update_with_what_is_given():
    # SP 800-90A, 10.1.2.2, by hand: with data both rounds, without only the first
    key, value = bytes(32), bytes([1] * 32)
    for separator in (b"\0", b"\1"):
        key = mac(key, value, separator, b"first")
        value = mac(key, value)
    for separator in (b"\0", b"\1"):
        key = mac(key, value, separator, b"second")
        value = mac(key, value)
    drbg = HmacDrbg(b"first")
    drbg.reseed(b"second")
    assert drbg.generate(16) == mac(key, value)[:16]


def test_signatures_are_good_for_openssl_and_the_reverse():
    drbg = Drbg(SeededEntropy(5))
    for number in range(20):
        key = PrivateKey(private_number(drbg.generate(56)))
        message = bytes([number]) * number
        assert public_point_of(key.number) == key.point
        assert ecdsa_is_good(key.point, message, key.sign(message))
        assert not ecdsa_is_good(key.point, message + b"x", key.sign(message))
        other = ec.generate_private_key(ec.SECP384R1())
        signature = Signature(*utils.decode_dss_signature(other.sign(message, ec.ECDSA(hashes.SHA256()))))
        numbers = other.public_key().public_numbers()
        assert verify((numbers.x, numbers.y), message, signature)
        assert key.shared_secret((numbers.x, numbers.y)) == ecdh(key.number, (numbers.x, numbers.y))


def test_signatures_out_of_range_are_bad():
    point = PrivateKey(RFC_KEY).point
    for wrong in (Signature(0, RFC_S), Signature(RFC_R, 0), Signature(N, RFC_S), Signature(RFC_R, N),
                  Signature(RFC_R + N, RFC_S), Signature(RFC_R, 1 << 570)):
        assert not verify(point, b"sample", wrong)
        assert not ecdsa_is_good(point, b"sample", wrong)


def test_points():
    x, y = PrivateKey(RFC_KEY).point
    assert is_public_point(x, y)
    assert is_public_point(x, P - y)
    b = (y * y - x * x * x + 3 * x) % P
    root = pow(b, (P + 1) // 4, P)
    assert is_public_point(0, root)
    assert not is_public_point(P, root)
    for wrong in ((0, 0), (x, y + 1), (y, x), (x + P, y), (x, y + P), (P, y)):
        assert not is_public_point(*wrong)
    with pytest.raises(ValueError, match="curve"):
        PrivateKey(3).shared_secret((x, y + 1))


@pytest.mark.parametrize("number", [0, N, -1])
def test_private_numbers_out_of_range(number):
    with pytest.raises(ValueError, match=r"^Private number must be from 1 to below the order$"):
        PrivateKey(number)


def test_private_numbers_of_random_bytes():
    assert private_number(bytes(56)) == 1
    assert is_public_point(*PrivateKey(1).point)
    assert private_number((N - 2).to_bytes(56, "big")) == N - 1
    assert private_number((N - 1).to_bytes(56, "big")) == 1
    assert private_number(bytes([0xFF] * 56)) == (2**448 - 1) % (N - 1) + 1


def test_wycheproof_ecdsa():
    count = 0
    for group in wycheproof("ecdsa_secp384r1_sha256_test"):
        numbers = load_der_public_key(bytes.fromhex(group["publicKeyDer"])).public_numbers()
        for case in group["tests"]:
            try:
                signature = Signature(*utils.decode_dss_signature(bytes.fromhex(case["sig"])))
            except ValueError:
                assert case["result"] == "invalid"
                continue
            message, good = bytes.fromhex(case["msg"]), case["result"] == "valid"
            if bytes.fromhex(case["sig"]) == utils.encode_dss_signature(signature.r, signature.s) or good:
                assert verify((numbers.x, numbers.y), message, signature) == good, case["tcId"]
                assert ecdsa_is_good((numbers.x, numbers.y), message, signature) == good, case["tcId"]
                count += 1
    print(f"Wycheproof ECDSA: {count}")
    assert count > 200


def test_wycheproof_ecdh():
    count = 0
    for group in wycheproof("ecdh_secp384r1_ecpoint_test"):
        for case in group["tests"]:
            public = bytes.fromhex(case["public"])
            if len(public) != 97 or public[0] != 4:
                continue
            x, y = (int.from_bytes(public[start:start + 48], "big") for start in (1, 49))
            assert is_public_point(x, y) == (case["result"] != "invalid"), case["tcId"]
            if case["result"] != "invalid":
                key = PrivateKey(int(case["private"], 16))
                assert key.shared_secret((x, y)).hex() == case["shared"], case["tcId"]
            count += 1
    print(f"Wycheproof ECDH: {count}")
    assert count > 300


def test_wycheproof_hmac():
    count = 0
    for group in wycheproof("hmac_sha256_test"):
        for case in group["tests"]:
            tag = mac(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"])).hex()
            assert (tag[:group["tagSize"] // 4] == case["tag"]) == (case["result"] == "valid"), case["tcId"]
            count += 1
    print(f"Wycheproof HMAC: {count}")
    assert count > 100


class CountedEntropy(SeededEntropy):
    """Counts the words that are taken."""

    taken = 0

    def take(self):
        self.taken += 1
        return super().take()


def test_a_thousand_requests_of_a_seeding():
    source = CountedEntropy(1)
    drbg = Drbg(source)
    assert source.taken == 64
    for _ in range(1000):
        drbg.generate(1)
    assert source.taken == 64
    drbg.generate(1)
    assert source.taken == 128
    drbg.reseed()
    assert source.taken == 192
    for _ in range(1000):
        drbg.generate(100)
    assert source.taken == 192


def test_seeds_condition_each_half_of_the_words():
    source = SeededEntropy(9)
    words = b"".join(source.take().to_bytes(4, "little") for _ in range(64))
    seed = hashlib.sha256(words[:128]).digest() + hashlib.sha256(words[128:]).digest()
    assert Drbg(SeededEntropy(9)).generate(56) == HmacDrbg(seed).generate(56)


def test_keys_of_a_pair_differ():
    drbg = Drbg(SeededEntropy(1))
    answers = iter([b"a", b"a", b"b", b"b", b"c", b"d"])
    drbg.generate = lambda _count: next(answers)
    assert drbg.key_pair() == (b"c", b"d")


def test_failed_entropy_gives_nothing():
    source = SeededEntropy(1)
    drbg = Drbg(source)
    source.failed = True
    for request in (drbg.reseed, lambda: drbg.generate(1), lambda: Drbg(source), source.take):
        with pytest.raises(EntropyFailedError):
            request()
