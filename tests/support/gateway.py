"""The simulated API without a network between: its replies as the gateway would tell of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.simulator.answer_request import answer_request
from local.simulator.reply import Delivery
from local.simulator.state import SimulatorState
from sealed_relay.kairos.answer import Ambiguous, Answer, NotSent
from sealed_relay.kairos.client import interpret
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES
from sealed_relay.ports import Connection, Gateway

if TYPE_CHECKING:
    from datetime import datetime


def post(gateway: Gateway, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
    """Connect and send."""
    with gateway.connect(timeout_seconds) as connection:
        return connection if isinstance(connection, NotSent) else connection.send(endpoint, body)


class StandingConnection:
    """A connection that stands, and sends by this function of endpoint and body."""

    def __init__(self, send: Callable[[str, bytes], Answer]) -> None:
        self.send = send


class GatewayInOnePiece(ABC):
    """Keeps the promises of `ports.Gateway` by one function. Its connections stand at once."""

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        yield StandingConnection(lambda endpoint, body: self.send(endpoint, body, timeout_seconds))

    @abstractmethod
    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        """Send over a connection that stands; `timeout_seconds` is that of the whole attempt."""


class SimulatedGateway(GatewayInOnePiece):
    """Keeps the promises of `ports.Gateway`. `bodies` are the outer bodies that reached the API; `sent_at` tells when.

    The next connections are refused, as many as `refused_connections` says.
    """

    def __init__(self, simulator: SimulatorState) -> None:
        self._simulator = simulator
        self.bodies: list[bytes] = []
        self.sent_at: list[datetime] = []
        self.refused_connections = 0

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        assert timeout_seconds > 0
        if self.refused_connections:
            self.refused_connections -= 1
            yield NotSent("Connection refused.")
            return
        with super().connect(timeout_seconds) as connection:
            yield connection

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self.bodies.append(body)
        self.sent_at.append(self._simulator.now())
        reply = answer_request(self._simulator, endpoint=endpoint, source_ip="127.0.0.1", body=body)
        if reply.delivery is not Delivery.WHOLE:
            return Ambiguous("Connection reset.")
        if reply.latency_seconds >= timeout_seconds:
            return Ambiguous("Read timeout.")
        content = reply.body if len(reply.body) <= MAX_ANSWER_BYTES else b""
        return interpret(reply.http_status, reply.headers, content)
