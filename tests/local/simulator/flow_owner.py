"""Flows and requests for the simulator's tests; every new request differs from every other."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.simulator.flows import Endpoint, FlowRegistration
from local.simulator.open_request import KeyWrap
from tests.local.simulator.seal_request import seal

NUMBER = "919800000001"
SECURITY_ID = "s" * 64
_SERIAL = itertools.count()


@dataclass
class Clock:
    """19:30 in +05:30, until a test moves it."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 14, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.moment

    def pass_seconds(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def call(client_identifier: str = "c-1", number: str = NUMBER, **changes: object) -> dict[str, object]:
    return {
        "client-identifier": client_identifier,
        "start-time": "2026-11-23T09:00:00+05:30",
        "contact-numbers": [number],
        "keys": [{"name": "$flow.key.Name", "value": "Zoë"}],
    } | {name.replace("_", "-"): value for name, value in changes.items()}


@dataclass(frozen=True)
class FlowOwner:
    """A client's side of a flow: registers it and seals requests for it."""

    private_key: rsa.RSAPrivateKey
    flow_id: str = "ABCD1234"
    key_wrap: KeyWrap = KeyWrap.RSA1_5
    endpoint: Endpoint = "outbound"

    def registration(self) -> FlowRegistration:
        pem = self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return FlowRegistration(
            flow_id=self.flow_id,
            security_id=SECURITY_ID,
            private_key=pem.decode(),
            key_wrap=self.key_wrap,
            endpoint=self.endpoint,
        )

    def request(self, *calls: object, **changes: object) -> bytes:
        payload: dict[str, object] = {"api-version": "1.0", "security-id": SECURITY_ID, "flow-id": self.flow_id}
        payload |= {"calls": calls} | {name.replace("_", "-"): value for name, value in changes.items()}
        return self.sealed(json.dumps(payload).encode() + b" " * next(_SERIAL))

    def sealed(self, payload: bytes) -> bytes:
        return seal(payload, self.flow_id, self.private_key.public_key(), self.key_wrap)
