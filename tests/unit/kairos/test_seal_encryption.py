"""Encryption, against the vectors and against the code that opens it at the other end."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from local.simulator import open_request
from sealed_relay.kairos.flow import KeyWrap
from sealed_relay.kairos.seal import SecretTextTooLongError, body_of, encrypt, make_secret_text, wrap
from tests.support.flows import rsa_key

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "kairos-envelope.json").read_bytes())
DOCUMENTED, PUBLISHED, COMPUTED = VECTORS["documented"], VECTORS["published"], VECTORS["computed"]
# RFC 7518, sections 4.2 and 4.3.
PADDINGS: dict[KeyWrap, padding.AsymmetricPadding] = {
    KeyWrap.RSA1_5: padding.PKCS1v15(),
    KeyWrap.RSA_OAEP: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - JWA's
    KeyWrap.RSA_OAEP_256: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


@pytest.mark.parametrize("vectors", [DOCUMENTED, PUBLISHED, COMPUTED], ids=["documented", "published", "computed"])
def test_secret_text_of_the_vectors_is_base64_of_their_random_string(vectors: dict[str, str]) -> None:
    random_bytes = vectors["random-string"].encode()

    assert base64.b64encode(random_bytes).decode() == vectors["secret-text"]


@pytest.mark.parametrize("block", DOCUMENTED["blocks"][:-1], ids=lambda block: f"block {block['index']}")
def test_block_of_the_documented_sample_is_reproduced(block: dict[str, str]) -> None:
    payload = base64.b64decode(bytes.fromhex(block["plaintext-hex"]), validate=True)

    ciphertext = encrypt(payload, DOCUMENTED["secret-text"])

    # ECB: a block's ciphertext is the same wherever it stands. What follows here is a block of padding.
    assert ciphertext[:16].hex() == block["ciphertext-hex"]


def test_last_block_of_the_documented_sample_is_reproduced_with_its_padding() -> None:
    last = DOCUMENTED["blocks"][-1]
    text, padding_bytes = bytes.fromhex(last["plaintext-hex"])[:12], bytes.fromhex(last["plaintext-hex"])[12:]

    assert padding_bytes == bytes([4]) * 4
    assert encrypt(base64.b64decode(text, validate=True), DOCUMENTED["secret-text"]).hex() == last["ciphertext-hex"]


@pytest.mark.parametrize("block", PUBLISHED["blocks"], ids=lambda block: block["plaintext-ascii"])
def test_block_of_the_published_example_is_reproduced(block: dict[str, str]) -> None:
    payload = base64.b64decode(block["plaintext-ascii"])

    ciphertext = encrypt(payload, PUBLISHED["secret-text"])

    assert ciphertext[:16].hex() == block["ciphertext-hex"]


@pytest.mark.parametrize("case", COMPUTED["cases"], ids=lambda case: case["name"])
def test_payload_that_openssl_sealed_is_reproduced(case: dict[str, str]) -> None:
    ciphertext = encrypt(case["payload-utf8"].encode(), COMPUTED["secret-text"])

    assert base64.b64encode(ciphertext).decode() == case["request-encrypted-value"]


def test_key_is_hashed_from_the_secret_text_itself() -> None:
    key = bytes.fromhex(COMPUTED["aes-key-hex"])
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the API's choice

    assert hashlib.sha256(COMPUTED["secret-text"].encode()).digest()[:16] == key
    assert decryptor.update(encrypt(b"123456789012", COMPUTED["secret-text"])) == (
        base64.b64encode(b"123456789012") + bytes([16]) * 16
    )


def test_sealed_texts_have_the_sizes_of_the_documented_sample() -> None:
    secret_text = make_secret_text(os.urandom)
    encrypted = encrypt(bytes(333), secret_text)
    wrapped = wrap(secret_text, rsa_key(4096).public_key(), KeyWrap.RSA1_5)

    assert len(encrypted) == 16 * (DOCUMENTED["blocks"][-1]["index"] + 1)
    assert len(wrapped) == 512  # one block of RSA-4096


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_secret_text_is_wrapped_as_the_flow_says_and_in_no_other_way(key_wrap: KeyWrap) -> None:
    secret_text = make_secret_text(os.urandom)
    wrapped = wrap(secret_text, rsa_key().public_key(), key_wrap)

    assert rsa_key().decrypt(wrapped, PADDINGS[key_wrap]) == secret_text.encode()
    for other in {KeyWrap.RSA_OAEP, KeyWrap.RSA_OAEP_256} - {key_wrap}:
        with pytest.raises(ValueError, match="Decryption failed"):
            rsa_key().decrypt(wrapped, PADDINGS[other])


@pytest.mark.parametrize("key_wrap", KeyWrap)
@given(payload=st.binary(max_size=200))
def test_sealed_payload_opens_to_the_same_bytes(key_wrap: KeyWrap, payload: bytes) -> None:
    secret_text = make_secret_text(os.urandom)
    body = body_of(encrypt(payload, secret_text), wrap(secret_text, rsa_key().public_key(), key_wrap), "FLOWAAAA")

    sealed = msgspec.json.decode(body, type=open_request.SealedRequest)

    assert sealed.flow_id == "FLOWAAAA"
    assert open_request.open_payload(sealed, rsa_key(), open_request.KeyWrap(key_wrap.value)) == payload


@given(st.binary(min_size=32, max_size=32))
def test_secret_text_is_base64_of_printable_ascii_with_256_random_bits(random: bytes) -> None:
    secret_text = make_secret_text(lambda size_bytes: random[:size_bytes])
    printable = base64.b64decode(secret_text, validate=True)

    assert len(secret_text) == 60
    assert printable.isascii()
    assert printable.decode().isprintable()
    assert base64.urlsafe_b64decode(printable) == random


def test_secret_text_that_is_too_long_is_refused_with_both_lengths() -> None:
    key = rsa_key(1024).public_key()  # 128 bytes; OAEP with SHA-256 leaves 62 of them

    wrap("x" * 62, key, KeyWrap.RSA_OAEP_256)
    with pytest.raises(SecretTextTooLongError, match=r"63 bytes.* 1024 bits .*RSA-OAEP-256 .*at most 62"):
        wrap("x" * 63, key, KeyWrap.RSA_OAEP_256)


@pytest.mark.parametrize(
    ("bits", "key_wrap", "room_bytes"),
    [
        (2048, KeyWrap.RSA1_5, 245),
        (2048, KeyWrap.RSA_OAEP, 214),
        (2048, KeyWrap.RSA_OAEP_256, 190),
        (2050, KeyWrap.RSA1_5, 246),
        (4096, KeyWrap.RSA1_5, 501),
        (4096, KeyWrap.RSA_OAEP_256, 446),
    ],
)
def test_key_takes_a_secret_text_up_to_what_its_padding_leaves(bits: int, key_wrap: KeyWrap, room_bytes: int) -> None:
    longest = "x" * room_bytes
    wrapped = wrap(longest, rsa_key(bits).public_key(), key_wrap)

    assert rsa_key(bits).decrypt(wrapped, PADDINGS[key_wrap]) == longest.encode()
    with pytest.raises(SecretTextTooLongError):
        wrap(longest + "x", rsa_key(bits).public_key(), key_wrap)


def test_error_does_not_quote_the_secret_text() -> None:
    with pytest.raises(SecretTextTooLongError) as caught:
        wrap("canary" * 100, rsa_key().public_key(), KeyWrap.RSA1_5)

    assert "canary" not in str(caught.value)
