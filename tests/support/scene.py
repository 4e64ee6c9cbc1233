"""The whole relay over in-memory queues, table and secrets, against the simulated API, under one clock."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from local.simulator.faults import Fault, PlannedFault
from local.simulator.state import SimulatorState
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane, Message
from sealed_relay.calls.outcome import Reason
from sealed_relay.dependencies import Dependencies, Limits
from sealed_relay.kairos.flow import Flow
from sealed_relay.ledger.claim_rules import RETRY_MARGIN_SECONDS
from sealed_relay.observability.events import Observation, Observe, RequestSent
from sealed_relay.ports import Failure, Item
from tests.support.clock import Clock
from tests.support.compose import LIMITS, Adapters, compose
from tests.support.crash_at_step import Steps, crashing
from tests.support.executor import InlineExecutor
from tests.support.flows import InMemoryFlows, make_flow, register
from tests.support.gateway import SimulatedGateway
from tests.support.messages import message_body
from tests.support.queues import InMemoryFailures, InMemoryIngress
from tests.support.scripted_table import ScriptedTable
from tests.support.table import InMemoryTable

new_table: Callable[[], InMemoryTable] = InMemoryTable
"""What makes a scene's table. `conftest` puts DynamoDB Local in its place where SEALED_RELAY_TABLE=dynamodb-local."""

FUNCTION_TIMEOUT_SECONDS = 60.0


class Scene:
    """A relay with two flows, FLOWAAAA and FLOWBBBB. Every invocation composes it anew, as a cold start does."""

    def __init__(
        self, limits: Limits = LIMITS, seed: int = 0, requests_per_minute: int = 500, urgent_reserve: int = 0
    ) -> None:
        self.limits = limits
        self.requests_per_minute = requests_per_minute
        self.urgent_reserve = urgent_reserve
        self.clock = Clock()
        self.table = new_table()
        self.scripted_table: ScriptedTable | None = None
        self.ingress = InMemoryIngress(self.clock)
        self.urgent = InMemoryIngress(self.clock, id_prefix="urgent-")
        self.queues = {Lane.INGRESS: self.ingress, Lane.URGENT: self.urgent}
        self.failures = InMemoryFailures()
        self.flows = InMemoryFlows()
        self.simulator = SimulatorState(lambda: datetime.fromtimestamp(self.clock.now, UTC), random.Random(seed))
        self.gateway = SimulatedGateway(self.simulator)
        self.observed: list[Observation] = []
        self._chance = random.Random(seed)
        for flow_id in ("FLOWAAAA", "FLOWBBBB"):
            flow = make_flow(flow_id)
            self.flows.flows[flow_id] = flow
            register(self.simulator, flow)

    def dependencies(self, steps: Steps | None = None, observe: Observe | None = None) -> Dependencies:
        """A relay composed anew over what lasts; with `steps`, one that ends at the fatal one."""
        table = self.scripted_table or self.table
        adapters = Adapters(table, self.flows, self.gateway, self.failures, self.ingress, self.urgent)
        return compose(
            crashing(adapters, steps) if steps else adapters,
            clock=self.clock,
            sleep=self.clock.pause,
            random_bytes=os.urandom,
            draw=self._chance.random,
            executor=InlineExecutor(),
            observe=observe or self.observed.append,
            limits=self.limits,
            requests_per_minute=self.requests_per_minute,
            urgent_reserve=self.urgent_reserve,
        )

    def script_table(self) -> ScriptedTable:
        """Put a scripted table between every relay that is composed from now on and the table."""
        self.scripted_table = ScriptedTable(self.table)
        return self.scripted_table

    def send(self, *names: str, flow_id: str = "FLOWAAAA", lane: Lane = Lane.INGRESS, **fields: object) -> str:
        """Queue a message with calls of these names; its id. `fields` go into each of its calls."""
        return self.queues[lane].send(message_body(*names, flow_id=flow_id, **fields))

    def plan(self, fault: Fault, requests: int | None = 1) -> None:
        """Plan a fault of the simulated API."""
        self.simulator.faults.plan(PlannedFault(fault=fault, requests=requests))

    def invoke(self, dependencies: Dependencies | None = None, lane: Lane = Lane.INGRESS) -> list[str]:
        """Let the function run once on what is visible; the ids of the messages that it keeps in the queue."""
        return self.deliver(self.queues[lane].receive(1000), dependencies, lane)

    def deliver(
        self, messages: Sequence[Message], dependencies: Dependencies | None = None, lane: Lane = Lane.INGRESS
    ) -> list[str]:
        """Hand received messages to the function, and take off the queue what it does not keep."""
        kept = self.deliver_again(messages, dependencies, lane)
        for message in messages:
            if message.message_id not in kept:
                self.queues[lane].delete(message.message_id)
        return kept

    def deliver_again(
        self, messages: Sequence[Message], dependencies: Dependencies | None = None, lane: Lane = Lane.INGRESS
    ) -> list[str]:
        """Hand messages to the function that may be off the queue already; the ids of those it keeps."""
        deadline = self.clock.now + FUNCTION_TIMEOUT_SECONDS
        return process_batch(dependencies or self.dependencies(), messages, deadline, lane)

    def let_the_retry_margin_pass(self) -> None:
        """From now on a message is a retry of what has failed so far."""
        self.clock.now += RETRY_MARGIN_SECONDS

    def rotated(self, flow_id: str) -> Flow:
        """The flow with another security id."""
        return make_flow(flow_id, security_id="9" * 64)

    def rotate_security_id(self, flow_id: str) -> None:
        """Let the simulated API know the flow as `rotated`, and no more as it was."""
        register(self.simulator, self.rotated(flow_id))

    def run(self, steps: Steps | None = None, max_invocations: int = 50) -> None:
        """Invoke, and move the clock to the next message that can be received, until the queues are empty."""
        for _ in range(max_invocations):
            if (due := self._next_due()) is None:
                return
            self.clock.now = max(self.clock.now, due[0])
            self.invoke(self.dependencies(steps), due[1])
        raise AssertionError(f"the queues still hold {self.ingress.message_ids + self.urgent.message_ids}")

    def run_for(self, seconds: float) -> None:
        """Invoke whenever a message can be received, for so long."""
        end = self.clock.now + seconds
        while (due := self._next_due()) is not None and due[0] <= end:
            self.clock.now = max(self.clock.now, due[0])
            self.invoke(lane=due[1])
        self.clock.now = max(self.clock.now, end)

    def _next_due(self) -> tuple[float, Lane] | None:
        """When the next message can be received, and from which queue; the urgent one where both have one."""
        urgent_first = ((queue.next_visible_at, lane) for lane, queue in reversed(self.queues.items()))
        return min(((at, lane) for at, lane in urgent_first if at is not None), key=lambda due: due[0], default=None)

    def record(self, name: str, flow_id: str = "FLOWAAAA") -> Item:
        """The outcome record of a call."""
        return self.table.items[f"{flow_id}/{name}"]

    def statuses(self) -> Counter[str]:
        """How many outcome records there are of each status."""
        return Counter(str(item["status"]) for key, item in self.table.items.items() if not key.startswith("#"))

    def accepted(self) -> dict[str, int]:
        """How often the API accepted each call, by call id."""
        return {call_id: len(times) for call_id, times in self.simulator.audit.accepted.items()}

    def requests_sent(self) -> list[RequestSent]:
        """What was observed of requests, in order."""
        return [observation for observation in self.observed if isinstance(observation, RequestSent)]

    def failed_names(self) -> list[str]:
        """The client identifiers of calls in the failure queue, once for each time they stand there."""
        return [name for failure in self.failures.published for name in names_in(failure)]


def names_in(failure: Failure) -> list[str]:
    """The client identifiers of the calls in a failure message; of an unreadable one its body."""
    if failure.reason == Reason.INVALID_MESSAGE:
        return [failure.body]
    return [call["client-identifier"] for call in msgspec.json.decode(failure.body)["calls"]]
