"""Opens sealed requests: the inverse of the API's sealing recipe, written independently of the product's sealing.

Source: the Kairos encrypted outbound API's documentation and the vendor's page on its encryption.
"""

import base64
import binascii
import hashlib
from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E


class KeyWrap(StrEnum):
    """How the secret text is wrapped with the flow's RSA key, by JWA name."""

    RSA1_5 = "RSA1_5"
    RSA_OAEP = "RSA-OAEP"
    RSA_OAEP_256 = "RSA-OAEP-256"


_PADDINGS: dict[KeyWrap, padding.AsymmetricPadding] = {
    KeyWrap.RSA1_5: padding.PKCS1v15(),
    # JWA's RSA-OAEP is SHA-1 by definition (RFC 7518, 4.3).
    KeyWrap.RSA_OAEP: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303
    KeyWrap.RSA_OAEP_256: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


class UnopenableError(Exception):
    """The request was not sealed by the recipe for this flow's key."""


class SealedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outer body: base64 texts and the flow id. The "digital signature" field is the wrapped secret text."""

    sealed_payload: str = msgspec.field(name="requestEncryptedValue")
    wrapped_secret_text: str = msgspec.field(name="requestDigitalSignatureValue")
    flow_id: str = msgspec.field(name="flow-id")


def open_payload(sealed: SealedRequest, private_key: RSAPrivateKey, key_wrap: KeyWrap) -> bytes:
    """Return the bytes of the inner payload. Raise UnopenableError if it cannot be opened. Costs one RSA operation."""
    try:
        secret_text = private_key.decrypt(_base64_decoded(sealed.wrapped_secret_text), _PADDINGS[key_wrap])
    except ValueError as error:
        raise UnopenableError("the secret text cannot be unwrapped") from error
    # With PKCS#1 v1.5 and a wrong key, OpenSSL returns random bytes instead of an error. This check finds them.
    if not all(_FIRST_PRINTABLE <= byte <= _LAST_PRINTABLE for byte in _base64_decoded(secret_text)):
        raise UnopenableError("the secret text is not the base64 of printable ASCII")
    return decrypt_payload(sealed.sealed_payload, secret_text)


def decrypt_payload(sealed_payload: str, secret_text: bytes) -> bytes:
    """Decrypt base64 ciphertext with the key derived from the ASCII secret text. Raise UnopenableError if it fails."""
    decryptor = Cipher(algorithms.AES(aes_key(secret_text)), modes.ECB()).decryptor()  # noqa: S305 - the API's choice
    unpadder = PKCS7(algorithms.AES.block_size).unpadder()
    try:
        padded = decryptor.update(_base64_decoded(sealed_payload)) + decryptor.finalize()
        payload_b64 = unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise UnopenableError("the payload cannot be decrypted") from error
    return _base64_decoded(payload_b64)


def aes_key(secret_text: bytes) -> bytes:
    """Derive the AES-128 key (16 bytes) from a secret text (ASCII bytes, still base64)."""
    return hashlib.sha256(secret_text).digest()[:16]


def _base64_decoded(text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnopenableError("not base64") from error
