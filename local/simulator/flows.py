"""The flows registered at the simulator, each with the private key that opens its requests."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local.simulator.open_request import KeyWrap

Endpoint = Literal["outbound", "outbounddialer"]


class FlowRegistration(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What `POST /control/flows` takes. `private_key` is PEM text, RSA, not encrypted."""

    flow_id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z]{8}\Z")]
    security_id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z]{64}\Z")]
    private_key: str
    key_wrap: KeyWrap = KeyWrap.RSA1_5
    api_versions: tuple[str, ...] = ("1.0",)
    endpoint: Endpoint = "outbound"

    def __repr__(self) -> str:
        """Leave the secrets out: a failing test prints the values that it compared."""
        return f"FlowRegistration({self.flow_id})"


@dataclass(frozen=True, slots=True)
class Flow:
    """A registered flow. Its secrets are only in memory, and not in its repr."""

    flow_id: str
    security_id: str = field(repr=False)
    private_key: RSAPrivateKey = field(repr=False)
    key_wrap: KeyWrap
    api_versions: tuple[str, ...]
    endpoint: Endpoint


def flow_from(registration: FlowRegistration) -> Flow:
    """Load the private key and make the flow. Raise ValueError if it is not an RSA key in PEM."""
    try:
        private_key = load_pem_private_key(registration.private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("private-key is not an unencrypted private key in PEM") from error
    if not isinstance(private_key, RSAPrivateKey):
        raise ValueError("private-key is not an RSA key")  # noqa: TRY004 - the document's value is wrong, not a type
    return Flow(
        flow_id=registration.flow_id,
        security_id=registration.security_id,
        private_key=private_key,
        key_wrap=registration.key_wrap,
        api_versions=registration.api_versions,
        endpoint=registration.endpoint,
    )
