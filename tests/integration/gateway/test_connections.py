"""Which connection a request uses: a fresh one is kept, a stale one is not used, and threads share them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sealed_relay.kairos.answer import Ambiguous, Answer, WrongAddress
from sealed_relay.kairos.client import MAX_CONNECTIONS, Gateway
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES, MAX_IDLE_SECONDS
from tests.integration.gateway.conftest import BODY, PATIENT_SECONDS, Authority, FakeClock, Serve, verdict
from tests.integration.gateway.hostile_server import HostileServer, Peer, Script, answers, http_answer, says
from tests.support import gateway as support

Start = Callable[[Script], HostileServer]
Connect = Callable[[HostileServer], Gateway]


def api_answer(code: int) -> bytes:
    return http_answer(200, b'{"api-response-code": %d}' % code)


def post(gateway: Gateway, body: bytes = BODY) -> Answer:
    return support.post(gateway, "outbound", body, PATIENT_SECONDS)


@pytest.fixture(params=["http", "https"])
def start(request: pytest.FixtureRequest, serve: Serve, authority: Authority) -> Start:
    """Start a server. What holds for connections holds over TLS too."""
    tls = authority.server_context("127.0.0.1") if request.param == "https" else None
    return lambda script: serve(script, tls)


@pytest.fixture
def connect(authority: Authority, clock: FakeClock) -> Connect:
    return lambda server: Gateway(server.url, clock, authority.ca_file)


def test_fresh_connection_is_used_again(start: Start, connect: Connect, clock: FakeClock) -> None:
    server = start(answers(api_answer(200)))
    gateway = connect(server)

    for _ in range(3):
        assert post(gateway) == verdict(200)
        clock.seconds += MAX_IDLE_SECONDS - 1

    assert (len(server.requests), server.connections) == (3, 1)


def test_size_limit_applies_to_each_answer_of_a_connection(start: Start, connect: Connect) -> None:
    server = start(answers(http_answer(200, b'{"api-response-code": 200}'.ljust(MAX_ANSWER_BYTES // 2))))
    gateway = connect(server)

    assert [post(gateway) for _ in range(4)] == [verdict(200)] * 4
    assert server.connections == 1


def test_connection_idle_for_a_minute_is_closed_and_not_used_again(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    hung_up = threading.Event()

    def script(peer: Peer) -> None:
        try:
            answers(api_answer(200))(peer)
        finally:
            hung_up.set()

    server = start(script)
    gateway = connect(server)

    assert post(gateway) == verdict(200)
    clock.seconds += MAX_IDLE_SECONDS
    assert post(gateway) == verdict(200)

    assert server.connections == 2
    assert hung_up.wait(PATIENT_SECONDS)


def test_connection_closed_by_the_server_is_not_used_again(start: Start, connect: Connect) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        says(api_answer(200))(peer)
        peer.finish()
        closed.set()

    server = start(script)
    gateway = connect(server)

    for connections in (1, 2):
        assert post(gateway) == verdict(200)
        assert server.connections == connections
        assert closed.wait(PATIENT_SECONDS)
        closed.clear()


@pytest.mark.parametrize("after_reading", [False, True])
def test_kept_connection_that_breaks_is_ambiguous_without_a_second_send(
    start: Start, connect: Connect, *, after_reading: bool
) -> None:
    def script(peer: Peer) -> None:
        says(api_answer(200))(peer)
        peer.wait_for_first_byte()
        if after_reading:
            peer.read_request()
        peer.reset()

    server = start(script)
    gateway = connect(server)

    assert post(gateway) == verdict(200)
    assert isinstance(post(gateway), Ambiguous)
    assert server.connections == 1


@pytest.mark.parametrize("interim_status", [101, 102, 103])
def test_late_answer_is_never_read_as_the_next_requests_answer(
    start: Start, connect: Connect, interim_status: int
) -> None:
    def script(peer: Peer) -> None:
        says(f"HTTP/1.1 {interim_status} Wait\r\n\r\n".encode())(peer)
        peer.wait_for_first_byte()  # of the next request, should it come over this connection
        peer.send(api_answer(211))
        peer.pause()

    server = start(script)
    gateway = connect(server)

    assert isinstance(post(gateway), Ambiguous)
    server.script = answers(api_answer(200))
    assert post(gateway) == verdict(200)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirect_is_never_followed(start: Start, connect: Connect, status: int) -> None:
    target = start(answers(api_answer(200)))
    server = start(answers(http_answer(status, b"", f"Location: {target.url}/enc/outbound/create")))

    assert isinstance(post(connect(server)), WrongAddress)

    assert (len(server.requests), target.connections) == (1, 0)


def test_sixteen_parallel_requests_each_get_their_own_answer(start: Start, connect: Connect) -> None:
    all_there = threading.Barrier(MAX_CONNECTIONS)

    def script(peer: Peer) -> None:
        while True:
            body = peer.read_request().body
            all_there.wait(PATIENT_SECONDS)
            peer.send(api_answer(int(body)))

    server = start(script)
    gateway = connect(server)

    with ThreadPoolExecutor(MAX_CONNECTIONS) as threads:
        for first in (100, 200):
            codes = range(first, first + MAX_CONNECTIONS)
            sent = [threads.submit(post, gateway, b"%d" % code) for code in codes]
            assert [each.result() for each in sent] == [verdict(code) for code in codes]

    assert server.connections == MAX_CONNECTIONS
