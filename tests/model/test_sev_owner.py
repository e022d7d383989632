"""The owner's side: the chain from the ARK down, the development root, policies as words."""

import dataclasses
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cbit_model.p384 import N
from cbit_model.sev.certificate import body_of, find_signature, public_point, signed_certificate
from cbit_model.sev.constants import Algorithm, Command, Usage
from cbit_model.sev.owner.chain import Root, verified_pdh, verified_pek
from cbit_model.sev.owner.development import DevelopmentRoot
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.owner.launch import new_session
from cbit_model.sev.owner.root import RootCertificate, asks_signature_is_good, root_body
from cbit_model.sev.policy import parse_policy, policy_words
from cbit_sim.sev_model import ModelPlatform, development_trust

CERTIFICATE_BYTES = 0x824
PEK, OCA, CEK = 0, CERTIFICATE_BYTES, 2 * CERTIFICATE_BYTES


@pytest.fixture(scope="module")
def root():
    return development_trust()


@pytest.fixture(scope="module")
def exported():
    """PDH and chain."""
    platform = ModelPlatform()
    platform.host.must(Command.INIT)
    return platform.host.export()


def flipped(content: bytes, offset: int) -> bytes:
    changed = bytearray(content)
    changed[offset] ^= 1
    return bytes(changed)


def test_a_true_chain(root, exported):
    pdh, chain = exported
    assert verified_pdh(root, chain, pdh) == public_point(pdh)
    assert verified_pek(root, chain) == public_point(chain)


def test_the_development_root_is_always_the_same(root):
    digest = hashlib.sha256(root.ark + root.ask + root.cek).hexdigest()
    assert digest == "d2c2df29fb68192998b8603a070d91d7eb6a6a1a8eb4a00615a0a46898dd98bc"


@pytest.mark.parametrize(("offset", "text"), [
    (PEK + 0x00, "PEK must be a certificate of version 1, usage 0x1002, algorithm 0x2 and a point of P-384"),
    (PEK + 0x04, "PEK must be signed by the key of OCA: the signature is wrong or missing"),
    (PEK + 0x41C, "PEK must be signed by the key of OCA: the signature is wrong or missing"),
    (PEK + 0x414, "PEK must be signed by the key of OCA: the signature is wrong or missing"),
    (PEK + 0x624, "PEK must be signed by the key of CEK: the signature is wrong or missing"),
    (OCA + 0x14, "OCA must be a certificate of version 1, usage 0x1001, algorithm 0x2 and a point of P-384"),
    (OCA + 0x41C, "OCA must be signed by the key of OCA: the signature is wrong or missing"),
    (CEK + 0x05, "Chain must be of the device whose CEK the ASK has signed, not of another"),
])
def test_chains_with_a_wrong_byte(root, exported, offset, text):
    with pytest.raises(DistrustError) as refused:
        verified_pek(root, flipped(exported[1], offset))
    assert str(refused.value) == text


@pytest.mark.parametrize(("offset", "text"), [
    (0x08, "PDH must be a certificate of version 1, usage 0x1003, algorithm 0x3 and a point of P-384"),
    (0x05, "PDH must be signed by the key of PEK: the signature is wrong or missing"),
    (0x420, "PDH must be signed by the key of PEK: the signature is wrong or missing"),
])
def test_pdhs_with_a_wrong_byte(root, exported, offset, text):
    with pytest.raises(DistrustError) as refused:
        verified_pdh(root, exported[1], flipped(exported[0], offset))
    assert str(refused.value) == text


@pytest.mark.parametrize(("name", "offset", "text"), [
    ("ark", 0x00, "ARK must be a certificate of version 1 with a key of 2048 or 4096 bits"),
    ("ark", 0x38, "ARK must be a certificate of version 1 with a key of 2048 or 4096 bits"),
    ("ark", 0x04, "ARK must be certified by the key of ARK, not by another"),
    ("ark", 0x24, "ARK must be a certificate of usage 0x0, not 0x1"),
    ("ark", 0x30, "ARK must be signed by the key of ARK: the signature is wrong"),
    ("ark", 0x140, "ARK must be signed by the key of ARK: the signature is wrong"),
    ("ark", 0x33F, "ARK must be signed by the key of ARK: the signature is wrong"),
    ("ask", 0x14, "ASK must be certified by the key of ARK, not by another"),
    ("ask", 0x24, "ASK must be a certificate of usage 0x13, not 0x12"),
    ("ask", 0x141, "ASK must be signed by the key of ARK: the signature is wrong"),
    ("cek", 0x14, "CEK must be a certificate of version 1, usage 0x1004, algorithm 0x2 and a point of P-384"),
    ("cek", 0x05, "CEK must be signed by the key of ASK: the signature is wrong or missing"),
    ("cek", 0x414, "CEK must be signed by the key of ASK: the signature is wrong or missing"),
    ("cek", 0x41C, "CEK must be signed by the key of ASK: the signature is wrong or missing"),
])
def test_roots_with_a_wrong_byte(root, exported, name, offset, text):
    wrong = dataclasses.replace(root, **{name: flipped(getattr(root, name), offset)})
    with pytest.raises(DistrustError) as refused:
        verified_pek(wrong, exported[1])
    assert str(refused.value) == text


@pytest.mark.parametrize(("changes", "text"), [
    ({"ark": b""}, "ARK must be a certificate of version 1 with a key of 2048 or 4096 bits"),
    ({"ask": b"\1" + bytes(0x37) + b"\0\x08\0\0" * 2}, "ASK must be 832 bytes, as its key is of 2048 bits, not 64"),
    ({"cek": bytes(5)}, "CEK must be 2084 bytes, not 5"),
])
def test_roots_of_another_size(root, exported, changes, text):
    with pytest.raises(DistrustError) as refused:
        verified_pek(dataclasses.replace(root, **changes), exported[1])
    assert str(refused.value) == text


def test_chains_of_another_size(root, exported):
    pdh, chain = exported
    with pytest.raises(DistrustError, match=r"^Chain must be 6252 bytes, PEK, OCA and CEK, not 6251$"):
        verified_pek(root, chain[:-1])
    with pytest.raises(DistrustError, match=r"^PDH must be 2084 bytes, not 2085$"):
        verified_pdh(root, chain, pdh + b"\0")


def test_a_device_of_another_secret(root):
    platform = ModelPlatform(device_secret=bytes(32))
    platform.host.must(Command.INIT)
    _, chain = platform.host.export()
    with pytest.raises(DistrustError, match=r"of another$"):
        verified_pek(root, chain)
    assert verified_pek(development_trust(bytes(32)), chain) == public_point(chain)
    with pytest.raises(ValueError, match=r"^Device secret must be 32 bytes, not 31$"):
        DevelopmentRoot().signed_cek(bytes(31))


def test_a_self_made_root_is_not_the_trusted_one(root, exported):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    trusted = RootCertificate.parse(root.ark, "ARK")
    body = root_body(key_id=bytes(16), certifying_id=trusted.key_id, usage=Usage.ASK, exponent=65537,
                     modulus=key.public_key().public_numbers().n)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    forged = body + key.sign(body, scheme, hashes.SHA256())[::-1]
    with pytest.raises(DistrustError, match=r"^ASK must be signed by the key of ARK: the signature is wrong$"):
        verified_pek(Root(root.ark, forged, root.cek), exported[1])


def test_keys_of_4096_bits_sign_with_sha_384(exported):
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=padding.PSS.MAX_LENGTH)
    body = root_body(key_id=bytes(16), certifying_id=bytes(16), usage=Usage.ASK, exponent=65537,
                     modulus=key.public_key().public_numbers().n)
    ask = RootCertificate.parse(body + key.sign(body, scheme, hashes.SHA384())[::-1], "ASK")
    ask.require("ASK", Usage.ASK, ask, "ASK")
    cek = exported[1][CEK:CEK + 0x414]
    slot = b"\x13\0\0\0\1\1\0\0" + key.sign(cek, scheme, hashes.SHA384())[::-1]
    assert asks_signature_is_good(signed_certificate(cek, slot), ask)
    assert not asks_signature_is_good(signed_certificate(cek, flipped(slot, 100)), ask)
    assert not asks_signature_is_good(signed_certificate(cek), ask)


def test_certificates_have_two_slots():
    body = body_of(usage=Usage.CEK, algorithm=Algorithm.ECDSA_SHA256, point=(1, 2))
    assert signed_certificate(body)[0x414:] == (b"\x00\x10" + bytes(0x206)) * 2
    assert find_signature(signed_certificate(body), Usage.PEK) is None
    assert body.hex().startswith("01000000" "00000000" "04100000" "02000000" "02000000" "01")


def test_sessions_are_fresh(exported):
    point = public_point(exported[0])
    sessions = [new_session(point, 1) for _ in range(3)]
    assert len({session.tek for session in sessions} | {session.tik for session in sessions}) == 6
    assert len({session.dh_certificate for session in sessions}) == 3
    assert 0 < public_point(sessions[0].dh_certificate)[0] < 2 * N


@pytest.mark.parametrize(("text", "policy"), [
    ("0", 0), ("1", 1), ("0x3b", 0x3B), ("0XFF", 0xFF), ("4294967295", 0xFFFF_FFFF), ("no-debug", 1),
    ("no-debug,no-key-sharing,encrypted-state,no-send,domain,sev-only", 0x3F), ("api=0.24", 0x1800_0000),
    ("no-send,api=1.255", 0xFF01_0008),
])
def test_policies(text, policy):
    assert parse_policy(text) == policy
    assert parse_policy(policy_words(policy)) == policy


@pytest.mark.parametrize("text", [
    "", "nodebug", "no-debug,", "0x", "-1", "1.0", "api=0", "api=256.0", "no-debug no-send"])
def test_texts_that_are_no_policy(text):
    with pytest.raises(ValueError, match=r"^Policy must be a number, or some of no-debug, no-key-sharing, "):
        parse_policy(text)


def test_policies_of_more_than_32_bits():
    with pytest.raises(ValueError, match=r"^Policy must be below 2\^32, not 0x100000000$"):
        parse_policy("0x100000000")


@pytest.mark.parametrize("text", ["api=0.8,api=0.16", "api=0.24,no-debug,api=0.24", "api=0.24,api=256.0"])
def test_policies_of_two_versions(text):
    with pytest.raises(ValueError, match=f"^Policy must have at most one api=MAJOR.MINOR, not '{text}'$"):
        parse_policy(text)


def test_words_of_policies():
    assert policy_words(0x1800_0009) == "no-debug,no-send,api=0.24"
    assert policy_words(0) == "0x0"
    assert policy_words(0x41) == "0x41"
