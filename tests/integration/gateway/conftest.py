"""Fixtures: a gateway client, and the servers to which it connects."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import trustme

from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.client import Gateway
from tests.integration.gateway.hostile_server import HostileServer, Script
from tests.support.gateway import post

BODY = bytes(range(256))
PATIENT_SECONDS = 30.0  # never waited for: only a client that hangs would meet it
IMPATIENT_SECONDS = 0.2

Serve = Callable[..., HostileServer]


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own."""

    ca: trustme.CA
    ca_file: str

    def server_context(self, *names: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(script: Script, tls: ssl.SSLContext | None = None) -> HostileServer:
            return stack.enter_context(HostileServer(script, tls))

        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    ca_file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    return Authority(ca, str(ca_file))


def send(url: str, body: bytes = BODY, timeout_seconds: float = PATIENT_SECONDS, ca_file: str | None = None) -> Answer:
    """Send once through a new gateway client."""
    return post(Gateway(url, FakeClock(), ca_file), "outbound", body, timeout_seconds)


def verdict(code: int) -> Answered:
    """The API's JSON with this code and no list of calls."""
    return Answered(code, is_list_trusted=False)
