"""Calls of a flow into a sealed request, by the API's recipe. Pure: what is random comes in as a parameter.

The documentation's "AES-512" does not exist. The recipe was found by reproducing the vendor's own worked examples:
AES-128-ECB over base64 text, under a key hashed from the text that RSA wraps. ECB without authentication is the API's
choice; TLS carries it, always verified.
"""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from sealed_relay.calls.call import Call
from sealed_relay.calls.start_time import soonest_start_time
from sealed_relay.kairos.flow import Flow, KeyWrap

NONCE_BYTES = 8
"""What makes a request's payload differ from any other with the same calls."""

_AES_BLOCK_BYTES = 16
_SECRET_ENTROPY_BYTES = 32


_PADDING: dict[KeyWrap, Callable[[], padding.AsymmetricPadding]] = {
    KeyWrap.RSA1_5: padding.PKCS1v15,
    KeyWrap.RSA_OAEP: lambda: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - JWA's
    KeyWrap.RSA_OAEP_256: lambda: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}
# What the padding takes from one RSA block: RFC 8017, sections 7.2.1 and 7.1.1 (2 x hash + 2).
_PADDING_BYTES = {KeyWrap.RSA1_5: 11, KeyWrap.RSA_OAEP: 42, KeyWrap.RSA_OAEP_256: 66}


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """A request as it is stored before it is sent.

    `body` is the exact outer body, UTF-8 JSON. `client_identifiers` are those of all its calls. `not_after_ms` is the
    earliest deadline among them: after it the request is not sent again. `secret_version` is the version of the flow
    secret that sealed it. `first_start_time` is the earliest start time in it, as in `service_time`.
    """

    request_id: str
    flow_id: str
    endpoint: str
    secret_version: str
    first_start_time: str
    body: bytes
    client_identifiers: tuple[str, ...]
    not_after_ms: int


def seal(
    request_id: str,
    flow: Flow,
    calls: Sequence[Call],
    random_bytes: Callable[[int], bytes],
    *,
    now: datetime,
    give_up_after: timedelta,
) -> SealedRequest:
    """Seal calls for the API. `random_bytes` gives that many bytes, fit for keys."""
    soonest = soonest_start_time(now)
    start_times = [call.start_time_to_send(soonest) for call in calls]
    payload = payload_of(
        [call.payload(start_time) for call, start_time in zip(calls, start_times, strict=True)],
        flow_id=flow.flow_id,
        security_id=flow.security_id,
        api_version=flow.api_version,
        nonce=random_bytes(NONCE_BYTES),
    )
    secret_text = make_secret_text(random_bytes)
    body = body_of(encrypt(payload, secret_text), wrap(secret_text, flow.public_key, flow.key_wrap), flow.flow_id)
    return SealedRequest(
        request_id=request_id,
        flow_id=flow.flow_id,
        endpoint=flow.endpoint,
        secret_version=flow.version,
        first_start_time=min(start_times),
        body=body,
        client_identifiers=tuple(call.client_identifier for call in calls),
        not_after_ms=int(min(call.deadline(give_up_after) for call in calls).timestamp() * 1000),
    )


def max_calls_bytes(flow: Flow, max_body_bytes: int) -> int:
    """How many bytes the JSON of a request's calls may have, with a comma after each, so that the body is in bounds."""
    empty = payload_of(
        [], flow_id=flow.flow_id, security_id=flow.security_id, api_version=flow.api_version, nonce=bytes(NONCE_BYTES)
    )
    rsa_key_bytes = (flow.public_key.key_size + 7) // 8
    return largest_payload_bytes(max_body_bytes, rsa_key_bytes, flow.flow_id) - len(empty) + 1  # the last has no comma


class SecretTextTooLongError(ValueError):
    """The secret text does not fit one block of the flow's RSA key; use a larger key or another `key-wrap`."""


def make_secret_text(random_bytes: Callable[[int], bytes]) -> str:
    """Base64 of a printable ASCII string with 256 random bits: 60 characters, new for every request."""
    return b64encode(urlsafe_b64encode(random_bytes(_SECRET_ENTROPY_BYTES))).decode("ascii")


def encrypt(payload: bytes, secret_text: str) -> bytes:
    """What `requestEncryptedValue` holds: AES-128-ECB, PKCS#7 padded, of the payload's base64 text.

    The key is the first 16 bytes of SHA-256 over the ASCII of `secret_text` itself, not of what it decodes to.
    """
    key = hashlib.sha256(secret_text.encode("ascii")).digest()[:_AES_BLOCK_BYTES]
    pad = PKCS7(_AES_BLOCK_BYTES * 8).padder()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the API's choice
    padded = pad.update(b64encode(payload)) + pad.finalize()
    return encryptor.update(padded) + encryptor.finalize()


def wrap(secret_text: str, public_key: RSAPublicKey, key_wrap: KeyWrap) -> bytes:
    """What `requestDigitalSignatureValue` holds: the RSA-wrapped secret text. In spite of its name it is no signature.

    Raises SecretTextTooLongError.
    """
    room_bytes = (public_key.key_size + 7) // 8 - _PADDING_BYTES[key_wrap]
    if len(secret_text) > room_bytes:
        raise SecretTextTooLongError(
            f"The secret text has {len(secret_text)} bytes; an RSA key of {public_key.key_size} bits "
            f"with {key_wrap} takes at most {room_bytes}."
        )
    return public_key.encrypt(secret_text.encode("ascii"), _PADDING[key_wrap]())


def payload_of(calls: Sequence[object], *, flow_id: str, security_id: str, api_version: str, nonce: bytes) -> bytes:
    """The inner payload, UTF-8 JSON. `calls` are written as JSON objects.

    `nonce` is spelled in white space inside the object. So two requests never hold the same bytes, not even for the
    same calls. The API refuses a repeated checksum, and nobody knows over which bytes it takes the checksum.
    """
    payload = {"api-version": api_version, "security-id": security_id, "flow-id": flow_id, "calls": calls}
    return b"{" + _in_white_space(nonce) + msgspec.json.encode(payload)[1:]


def body_of(encrypted: bytes, wrapped_secret_text: bytes, flow_id: str) -> bytes:
    """The outer body: UTF-8 JSON, the bytes that are stored, sent and, after a lost answer, sent again."""
    # msgspec writes bytes as base64, with no copy in between.
    return msgspec.json.encode(
        {
            "requestEncryptedValue": encrypted,
            "requestDigitalSignatureValue": wrapped_secret_text,
            "flow-id": flow_id,
        }
    )


def largest_payload_bytes(max_body_bytes: int, rsa_key_bytes: int, flow_id: str) -> int:
    """The longest inner payload whose sealed outer body has at most `max_body_bytes`."""
    room = max_body_bytes - len(body_of(b"", b"", flow_id)) - (rsa_key_bytes + 2) // 3 * 4
    ciphertext_bytes = room // 4 * 3 // _AES_BLOCK_BYTES * _AES_BLOCK_BYTES
    text_bytes = ciphertext_bytes - 1  # PKCS#7 pads with at least one byte
    return text_bytes // 4 * 3


def _in_white_space(nonce: bytes) -> bytes:
    bits = f"{int.from_bytes(nonce):0{8 * len(nonce)}b}"
    return bits.replace("0", " ").replace("1", "\t").encode()
