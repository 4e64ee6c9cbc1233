"""Failures before the first byte of a request can leave. The place of a failure decides, not its message."""

import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sealed_relay.kairos.answer import Ambiguous, NotSent
from sealed_relay.kairos.client import Gateway
from tests.integration.gateway.conftest import BODY, IMPATIENT_SECONDS, Authority, FakeClock, Serve, send, verdict
from tests.integration.gateway.hostile_server import answers, http_answer, says, stalls

API_ANSWER = http_answer(200, b'{"api-response-code": 200}')


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        yield bound_only.getsockname()[1]


@pytest.fixture
def full_port() -> Iterator[int]:
    """A listener whose queue is full: the kernel lets further connects wait."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_refused_connection_is_not_sent(refusing_port: int) -> None:
    assert send(f"http://127.0.0.1:{refusing_port}") == NotSent(
        "No connection to the gateway could be made (ConnectionRefusedError)."
    )


@pytest.mark.parametrize("host", ["gateway.invalid", "a" * 64 + ".example", "two..dots"])
def test_host_that_does_not_resolve_is_not_sent(host: str) -> None:
    assert isinstance(send(f"https://{host}"), NotSent)


def test_connection_not_accepted_in_time_is_not_sent(full_port: int) -> None:
    assert send(f"http://127.0.0.1:{full_port}", timeout_seconds=IMPATIENT_SECONDS) == NotSent(
        "No connection to the gateway could be made (TimeoutError)."
    )


def test_stalled_handshake_is_not_sent(serve: Serve) -> None:
    url = serve(stalls(after_reading=False)).url.replace("http:", "https:")

    assert isinstance(send(url, timeout_seconds=IMPATIENT_SECONDS), NotSent)


def test_server_without_tls_is_not_sent(serve: Serve) -> None:
    server = serve(lambda peer: peer.send(b"220 mail.example ESMTP\r\n"))

    assert isinstance(send(server.url.replace("http:", "https:")), NotSent)


@pytest.mark.parametrize("timeout_seconds", [0, -1])
def test_no_connection_is_made_without_time_left(serve: Serve, timeout_seconds: float) -> None:
    server = serve(answers(API_ANSWER))

    assert isinstance(send(server.url, timeout_seconds=timeout_seconds), NotSent)
    assert server.connections == 0


def test_next_address_of_a_host_is_tried(serve: Serve, refusing_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answers(API_ANSWER))
    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (refusing_port, server.port)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)

    assert send("http://gateway.example") == verdict(200)


def test_verified_server_receives_the_exact_bytes(serve: Serve, authority: Authority) -> None:
    server = serve(answers(API_ANSWER), authority.server_context("127.0.0.1"))

    assert send(server.url, ca_file=authority.ca_file) == verdict(200)
    assert server.requests[0].body == BODY


def test_certificate_of_unknown_authority_is_refused_before_sending(serve: Serve, authority: Authority) -> None:
    server = serve(answers(API_ANSWER), authority.server_context("127.0.0.1"))

    assert send(server.url) == NotSent("No connection to the gateway could be made (SSLCertVerificationError).")
    assert not server.requests


def test_certificate_for_another_host_is_refused_before_sending(serve: Serve, authority: Authority) -> None:
    server = serve(answers(API_ANSWER), authority.server_context("gateway.example"))

    assert send(server.url, ca_file=authority.ca_file) == NotSent(
        "No connection to the gateway could be made (SSLCertVerificationError)."
    )
    assert not server.requests


def test_tls_below_1_2_is_refused(serve: Serve, authority: Authority) -> None:
    old = authority.server_context("127.0.0.1")
    lax = ssl.create_default_context(cafile=authority.ca_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = lax.minimum_version = ssl.TLSVersion.TLSv1_1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    for context in (old, lax):
        context.set_ciphers("ALL:@SECLEVEL=0")
    server = serve(answers(API_ANSWER), old)

    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        lax.wrap_socket(plain, server_hostname="127.0.0.1") as control,
    ):
        assert control.version() == "TLSv1.1"  # so the server does speak it, to those who will
    assert isinstance(send(server.url, ca_file=authority.ca_file), NotSent)


def test_tls_failure_after_the_handshake_is_ambiguous_unless_seen_before_the_send(
    serve: Serve, authority: Authority
) -> None:
    wants_a_client_certificate = authority.server_context("127.0.0.1")
    wants_a_client_certificate.minimum_version = ssl.TLSVersion.TLSv1_3  # there the client is told after its handshake
    wants_a_client_certificate.verify_mode = ssl.CERT_REQUIRED
    server = serve(answers(API_ANSWER), wants_a_client_certificate)

    # The server's refusal arrives on its own time. Once it is here, the request does not leave.
    assert isinstance(send(server.url, ca_file=authority.ca_file), Ambiguous | NotSent)
    assert server.connections == 1  # urllib3's own retries would take this for a failure before sending


def test_unreadable_trust_store_is_found_at_the_start() -> None:
    with pytest.raises(OSError, match="No such file"):
        Gateway("https://gateway.example", FakeClock(), ca_file="/nowhere/ca.pem")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_proxy_from_the_environment_is_not_used(
    serve: Serve, authority: Authority, refusing_port: int, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{refusing_port}")
    secured = authority.server_context("127.0.0.1")

    assert send(serve(says(API_ANSWER)).url) == verdict(200)
    assert send(serve(says(API_ANSWER), secured).url, ca_file=authority.ca_file) == verdict(200)
