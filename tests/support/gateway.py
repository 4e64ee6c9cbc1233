"""The simulated API without a network between: its replies as the gateway would tell of them."""

from typing import TYPE_CHECKING

from local.simulator.answer_request import answer_request
from local.simulator.reply import Delivery
from local.simulator.state import SimulatorState
from sealed_relay.kairos.answer import Ambiguous, Answer, NotSent
from sealed_relay.kairos.client import interpret
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from datetime import datetime


class SimulatedGateway:
    """Keeps the promises of `ports.Gateway`. `bodies` are the outer bodies that reached the API; `sent_at` tells when.

    So many of the next sends as `refused_connections` says end before a byte leaves.
    """

    def __init__(self, simulator: SimulatorState) -> None:
        self._simulator = simulator
        self.bodies: list[bytes] = []
        self.sent_at: list[datetime] = []
        self.refused_connections = 0

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        assert timeout_seconds > 0
        if self.refused_connections:
            self.refused_connections -= 1
            return NotSent("Connection refused.")
        self.bodies.append(body)
        self.sent_at.append(self._simulator.now())
        reply = answer_request(self._simulator, endpoint=endpoint, source_ip="127.0.0.1", body=body)
        if reply.delivery is not Delivery.WHOLE:
            return Ambiguous("Connection reset.")
        if reply.latency_seconds >= timeout_seconds:
            return Ambiguous("Read timeout.")
        content = reply.body if len(reply.body) <= MAX_ANSWER_BYTES else b""
        return interpret(reply.http_status, reply.headers, content)
