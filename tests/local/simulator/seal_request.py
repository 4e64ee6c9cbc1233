"""Seals requests by the recipe, for the simulator's tests only."""

import base64
import hashlib
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from local.simulator.open_request import KeyWrap

PADDINGS: dict[KeyWrap, padding.AsymmetricPadding] = {
    KeyWrap.RSA1_5: padding.PKCS1v15(),
    KeyWrap.RSA_OAEP: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - by RFC 7518
    KeyWrap.RSA_OAEP_256: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


def seal(payload: bytes, flow_id: str, public_key: RSAPublicKey, key_wrap: KeyWrap = KeyWrap.RSA1_5) -> bytes:
    secret_text = base64.b64encode(os.urandom(16).hex().encode())
    outer = {
        "requestEncryptedValue": encrypt(payload, secret_text),
        "requestDigitalSignatureValue": base64.b64encode(public_key.encrypt(secret_text, PADDINGS[key_wrap])).decode(),
        "flow-id": flow_id,
    }
    return json.dumps(outer).encode()


def encrypt(payload: bytes, secret_text: bytes) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(base64.b64encode(payload)) + padder.finalize()
    key = hashlib.sha256(secret_text).digest()[:16]
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the API's choice
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
