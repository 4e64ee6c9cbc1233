"""A connection is made before the permit is taken, and a request leaves over it at once or not at all."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from sealed_relay.admission.rate_limiter import window_of
from sealed_relay.kairos.answer import NotSent
from sealed_relay.kairos.client import Gateway
from tests.integration.gateway.conftest import BODY, PATIENT_SECONDS, Authority, FakeClock, Serve, verdict
from tests.integration.gateway.hostile_server import HostileServer, Peer, answers, http_answer
from tests.support.gateway import post
from tests.support.scene import Scene

ACCEPTED = answers(http_answer(200, b'{"api-response-code": 200}'))

Connect = Callable[[HostileServer], Gateway]


@pytest.fixture
def connect(authority: Authority, clock: FakeClock) -> Connect:
    return lambda server: Gateway(server.url, clock, authority.ca_file)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, serve: Serve, authority: Authority) -> HostileServer:
    return serve(ACCEPTED, authority.server_context("127.0.0.1") if request.param == "https" else None)


def test_request_leaves_within_its_permit_after_a_slow_handshake(serve: Serve, authority: Authority) -> None:
    """Each connection takes 5 s. A permit that was taken before it would count in another minute than its request."""
    scene = Scene()
    left_at: list[float] = []

    def pass_time() -> None:
        scene.clock.now += 5.0

    def script(peer: Peer) -> None:
        peer.read_request()
        left_at.append(scene.clock.now)
        peer.send(http_answer(200, b'{"api-response-code": 200}', "Connection: close"))

    server = serve(script, authority.server_context("127.0.0.1"))
    server.before_handshake = pass_time
    gateway = Gateway(server.url, scene.clock, authority.ca_file)
    scene.send("a")

    scene.deliver(scene.ingress.receive(1), replace(scene.dependencies(), gateway=gateway))

    assert scene.statuses() == {"ACCEPTED": 1}
    window = window_of(scene.table.items["#permits"])
    assert len(window.counts) == 1
    assert left_at[0] - window.first_tick / 4 < 1.0


def test_connecting_sends_nothing_of_a_request(server: HostileServer, connect: Connect) -> None:
    with connect(server).connect(PATIENT_SECONDS) as connection:
        assert not isinstance(connection, NotSent)
        assert server.requests == []
        assert connection.send("outbound", BODY) == verdict(200)

    assert (len(server.requests), server.connections) == (1, 1)


def test_connection_that_sent_nothing_is_kept(server: HostileServer, connect: Connect) -> None:
    gateway = connect(server)
    with gateway.connect(PATIENT_SECONDS):
        pass

    assert post(gateway, "outbound", BODY, PATIENT_SECONDS) == verdict(200)
    assert server.connections == 1


def test_connection_that_is_closed_before_the_send_sends_nothing(server: HostileServer, connect: Connect) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.finish()
        closed.set()

    server.script = script
    with connect(server).connect(PATIENT_SECONDS) as connection:
        assert closed.wait(PATIENT_SECONDS)
        assert not isinstance(connection, NotSent)
        answer = connection.send("outbound", BODY)

    assert isinstance(answer, NotSent)
    assert (server.requests, server.connections) == ([], 1)


def test_connection_is_closed_if_the_block_fails(server: HostileServer, connect: Connect) -> None:
    gateway = connect(server)
    with pytest.raises(ZeroDivisionError), gateway.connect(PATIENT_SECONDS):
        raise ZeroDivisionError

    assert post(gateway, "outbound", BODY, PATIENT_SECONDS) == verdict(200)
    assert server.connections == 2
