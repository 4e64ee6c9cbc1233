"""A stand-in for a flow's RSA key pair: it is fast, and uses no randomness of its own.

The real operation costs a millisecond a request, which is most of a campaign's time, and its padding is drawn from the
operating system, which no seed reaches. That the product and the simulator agree on real RSA is tested elsewhere.
"""

import hashlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_KEY_BITS = 2048


class _KeyPair:
    key_size = _KEY_BITS

    def __init__(self, name: str) -> None:
        self._mark = hashlib.sha256(name.encode()).digest()

    def encrypt(self, plaintext: bytes, _padding: object) -> bytes:
        return (self._mark + plaintext).ljust(_KEY_BITS // 8, b"\0")

    def decrypt(self, ciphertext: bytes, _padding: object) -> bytes:
        if not ciphertext.startswith(self._mark):
            raise ValueError("sealed for another key")
        return ciphertext.removeprefix(self._mark).rstrip(b"\0")


def key_pair(name: str) -> "tuple[RSAPublicKey, RSAPrivateKey]":
    """Return the public and the private key of a name."""
    pair = _KeyPair(name)
    return cast("RSAPublicKey", pair), cast("RSAPrivateKey", pair)
