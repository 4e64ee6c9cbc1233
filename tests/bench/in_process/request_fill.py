"""How full the product's requests are: calls delivered per API request, out of a backlog of one-call messages."""

from dataclasses import dataclass

from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.seal import max_calls_bytes
from tests.bench.in_process.flows import flow_with_large_key, simulated
from tests.bench.in_process.messages import one_call_bodies
from tests.support.compose import LIMITS
from tests.support.scene import Scene


@dataclass(frozen=True, slots=True)
class Requests:
    """What a backlog took: `calls` accepted, in so many `requests`."""

    calls: int
    requests: int

    @property
    def calls_per_request(self) -> float:
        """How many calls the API took in one request, on average."""
        return self.calls / self.requests


def backlog_delivered(
    messages: int = 10_000, batch_size: int = 1_000, message_bytes: int = 250, spread_bytes: int = 25
) -> Requests:
    """Let the relay deliver a backlog in full batches, and ask the simulated API what arrived."""
    scene = Scene()
    flow = flow_with_large_key()
    scene.flows.flows[flow.flow_id] = flow
    scene.simulator.flows[flow.flow_id] = simulated(flow)
    for body in one_call_bodies(messages, message_bytes, spread_bytes):
        scene.ingress.send(body)
    dependencies = scene.dependencies()
    while batch := scene.ingress.receive(batch_size):
        assert process_batch(dependencies, batch, scene.clock.now + 60, Lane.INGRESS) == []
    report = scene.simulator.audit.report()
    return Requests(report.accepted_calls, report.requests_received)


def largest_call_bytes(calls: int = 500, max_body_bytes: int = LIMITS.max_body_bytes) -> int:
    """How long so many calls may be in the API's payload, on average, for one request to hold them all.

    A fact of the API's limit of 256 KiB: the payload is in base64 twice, once inside the encryption and once outside.
    """
    return max_calls_bytes(flow_with_large_key(), max_body_bytes) // calls - 1  # and a comma


def calls_that_fit(call_bytes: int, max_calls: int = 500, max_body_bytes: int = LIMITS.max_body_bytes) -> int:
    """How many calls of such a length in the API's payload one request holds."""
    return min(max_calls, max_calls_bytes(flow_with_large_key(), max_body_bytes) // (call_bytes + 1))
