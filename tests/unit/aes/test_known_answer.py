"""The answers of the self-test, against the golden model and a second implementation."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cbit.aes.known_answer import known_answer
from cbit_model.xts import XtsKey

EACH = pytest.mark.parametrize("key_bits", [128, 256])


@EACH
def test_answer_is_that_of_the_model_and_of_openssl(key_bits):
    answer = known_answer(key_bits)
    assert len(answer.key) == len(answer.tweak_key) == key_bits // 8
    assert len(answer.plain) == 64
    encrypted = XtsKey(answer.key, answer.tweak_key).encrypt(answer.plain, address=0, data_unit_bytes=64)
    assert encrypted == answer.cipher

    encryptor = Cipher(algorithms.AES(answer.key + answer.tweak_key), modes.XTS(bytes(16))).encryptor()
    assert encryptor.update(answer.plain) + encryptor.finalize() == answer.cipher


@EACH
def test_tweak_is_that_of_data_unit_zero(key_bits):
    answer = known_answer(key_bits)
    encryptor = Cipher(algorithms.AES(answer.tweak_key), modes.ECB()).encryptor()
    assert encryptor.update(bytes(16)) + encryptor.finalize() == answer.tweak


@EACH
def test_words_are_those_that_a_security_processor_writes(key_bits):
    answer = known_answer(key_bits)
    assert b"".join(word.to_bytes(4, "little") for word in answer.words) == answer.key + answer.tweak_key
