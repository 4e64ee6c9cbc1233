"""A flow's secret: who the flow is to the API, and the key that seals for it. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Meta, Struct

from sealed_relay.calls.start_time import CallingHours, InvalidCallingHoursError, parse_calling_hours

_SMALLEST_KEY_BITS = 2048


class KeyWrap(StrEnum):
    """How RSA wraps the secret text, by its JWA name."""

    RSA1_5 = "RSA1_5"
    RSA_OAEP = "RSA-OAEP"
    RSA_OAEP_256 = "RSA-OAEP-256"


class UnknownFlowError(Exception):
    """There is no secret for this flow."""


class UnusableFlowError(Exception):
    """The flow's secret cannot be read or used now. The flow's calls wait."""


class InvalidFlowSecretError(UnusableFlowError):
    """The flow's secret breaks the contract. Its text says which field and what is allowed, never a value."""


def _one_of(*allowed: str) -> Meta:
    # A pattern and no enum: msgspec quotes a value that an enum does not have, and a secret may stand there by mistake.
    return Meta(pattern=rf"^({'|'.join(map(re.escape, allowed))})$(?!\n)")


class _Secret(Struct, rename="kebab", forbid_unknown_fields=True):
    security_id: Annotated[str, Meta(pattern="^[A-Za-z0-9]{64}$", max_length=64)]
    public_key: str
    key_wrap: Annotated[str, _one_of(*KeyWrap)] = KeyWrap.RSA1_5
    api_version: Annotated[str, _one_of("1.0", "TEST")] = "1.0"
    endpoint: Annotated[str, _one_of("outbound", "outbounddialer")] = "outbound"
    calling_hours: str | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that requests can be sealed for. `security_id` is secret, and so kept out of its repr.

    `calling_hours` is None if its calls may start at any time.
    `version` changes with every change of the secret, and says nothing about the secret itself.
    """

    flow_id: str
    security_id: str = field(repr=False)
    public_key: RSAPublicKey = field(repr=False)
    key_wrap: KeyWrap
    api_version: str
    endpoint: str
    version: str = ""
    calling_hours: CallingHours | None = None


def parse_flow(flow_id: str, secret: str, version: str = "") -> Flow:
    """The flow that a secret's text, JSON as in the contract, describes. Raises InvalidFlowSecretError."""
    known = {field.encode_name for field in msgspec.structs.fields(_Secret)}
    try:
        written = msgspec.json.decode(secret)
        if isinstance(written, dict) and not written.keys() <= known:  # msgspec would quote it, and it may be a secret
            allowed = "`, `".join(sorted(known))
            raise InvalidFlowSecretError(f"The secret of flow {flow_id} has an unknown field; `{allowed}` are allowed.")
        parsed = msgspec.convert(written, _Secret)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidFlowSecretError(f"The secret of flow {flow_id} breaks the contract: {error}.") from error
    return Flow(
        flow_id=flow_id,
        security_id=parsed.security_id,
        public_key=_public_key(flow_id, parsed.public_key),
        key_wrap=KeyWrap(parsed.key_wrap),
        api_version=parsed.api_version,
        endpoint=parsed.endpoint,
        version=version,
        calling_hours=_calling_hours(flow_id, parsed.calling_hours),
    )


def _calling_hours(flow_id: str, text: str | msgspec.UnsetType) -> CallingHours | None:
    if isinstance(text, msgspec.UnsetType):
        return None
    try:
        return parse_calling_hours(text)
    except InvalidCallingHoursError as error:
        raise InvalidFlowSecretError(f"`calling-hours` in the secret of flow {flow_id} {error}.") from error


def _public_key(flow_id: str, pem: str) -> RSAPublicKey:
    at_fault = f"`public-key` in the secret of flow {flow_id}"
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidFlowSecretError(f"{at_fault} is not PEM (SubjectPublicKeyInfo).") from error
    if not isinstance(key, RSAPublicKey):
        raise InvalidFlowSecretError(f"{at_fault} is not an RSA key.")
    if key.key_size < _SMALLEST_KEY_BITS:
        raise InvalidFlowSecretError(f"{at_fault} has {key.key_size} bits; at least {_SMALLEST_KEY_BITS} are allowed.")
    return key
