import base64
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.open_request import KeyWrap, SealedRequest, UnopenableError, aes_key, decrypt_payload, open_payload
from tests.local.simulator.seal_request import PADDINGS, encrypt, seal

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "kairos-envelope.json").read_text())
PUBLISHED, COMPUTED = VECTORS["published"], VECTORS["computed"]


def sealed_request(body: bytes) -> SealedRequest:
    outer = json.loads(body)
    return SealedRequest(outer["requestEncryptedValue"], outer["requestDigitalSignatureValue"], outer["flow-id"])


@pytest.mark.parametrize("block", PUBLISHED["blocks"])
def test_derived_key_opens_the_vendors_own_example(block: dict[str, str]) -> None:
    key = aes_key(PUBLISHED["secret-text"].encode())
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the API's choice
    assert decryptor.update(bytes.fromhex(block["ciphertext-hex"])) == block["plaintext-ascii"].encode()


def test_derived_key_equals_the_key_of_openssl() -> None:
    assert aes_key(COMPUTED["secret-text"].encode()).hex() == COMPUTED["aes-key-hex"]


@pytest.mark.parametrize("case", COMPUTED["cases"], ids=lambda case: case["name"])
def test_payload_sealed_by_openssl_is_opened(case: dict[str, str]) -> None:
    opened = decrypt_payload(case["request-encrypted-value"], COMPUTED["secret-text"].encode())
    assert opened.decode() == case["payload-utf8"]


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_each_key_wrap_opens_what_it_wrapped(private_key: rsa.RSAPrivateKey, key_wrap: KeyWrap) -> None:
    sealed = sealed_request(seal(b"payload", "ABCD1234", private_key.public_key(), key_wrap))
    assert open_payload(sealed, private_key, key_wrap) == b"payload"


@pytest.mark.parametrize(("wrapped_as", "opened_as"), list(permutations(KeyWrap, 2)))
def test_key_wrap_does_not_open_what_another_wrapped(
    private_key: rsa.RSAPrivateKey, wrapped_as: KeyWrap, opened_as: KeyWrap
) -> None:
    sealed = sealed_request(seal(b"payload", "ABCD1234", private_key.public_key(), wrapped_as))
    with pytest.raises(UnopenableError):
        open_payload(sealed, private_key, opened_as)


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_key_of_another_flow_opens_nothing(
    private_key: rsa.RSAPrivateKey, another_private_key: rsa.RSAPrivateKey, key_wrap: KeyWrap
) -> None:
    sealed = sealed_request(seal(b"payload", "ABCD1234", private_key.public_key(), key_wrap))
    with pytest.raises(UnopenableError):
        open_payload(sealed, another_private_key, key_wrap)


@pytest.mark.parametrize("secret_text", [b"not base64!", base64.b64encode(b"\x00\x01 not printable")])
def test_secret_text_that_breaks_the_recipe_is_refused(private_key: rsa.RSAPrivateKey, secret_text: bytes) -> None:
    wrapped = base64.b64encode(private_key.public_key().encrypt(secret_text, PADDINGS[KeyWrap.RSA1_5])).decode()
    with pytest.raises(UnopenableError):
        open_payload(SealedRequest(encrypt(b"{}", secret_text), wrapped, "ABCD1234"), private_key, KeyWrap.RSA1_5)


@given(payload=st.binary(max_size=400), secret=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_any_payload_is_opened_to_the_same_bytes(payload: bytes, secret: str) -> None:
    secret_text = base64.b64encode(secret.encode())
    assert decrypt_payload(encrypt(payload, secret_text), secret_text) == payload


@given(ciphertext=st.one_of(st.text(max_size=40), st.binary(max_size=64).map(lambda b: base64.b64encode(b).decode())))
def test_unsealed_text_is_unopenable(ciphertext: str) -> None:
    with pytest.raises(UnopenableError):
        decrypt_payload(ciphertext, COMPUTED["secret-text"].encode())
