"""How much of the API's rate the product uses: a backlog, many invocations at a time, and simulated minutes."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

from local.simulator.audit import Audit
from local.simulator.flows import Flow as SimulatedFlow
from local.simulator.open_request import KeyWrap
from local.simulator.reply import CallDetail
from local.simulator.state import SimulatorState
from sealed_relay.admission import control
from sealed_relay.batch import process_batch as process_batch_module
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.dependencies import Dependencies
from tests.bench.in_process.messages import one_call_bodies
from tests.bench.in_process.virtual_aws import Backlog, VirtualGateway, VirtualTable
from tests.campaign.coroutine_executor import CoroutineExecutor, CoroutineLock, wait
from tests.campaign.keys import key_pair
from tests.campaign.virtual_time import Schedule
from tests.support.clock import START
from tests.support.compose import Adapters, compose
from tests.support.flows import InMemoryFlows, make_flow
from tests.support.gateway import SimulatedGateway
from tests.support.queues import InMemoryFailures

FLOW_ID = "FLOWAAAA"
BATCHING_WINDOW_SECONDS = 1.0
_FUNCTION_TIMEOUT_SECONDS = 60.0
_CPU_SECONDS_A_MESSAGE = 0.0002
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Minutes:
    """What the API took in each minute; `max_requests` is what it was asked in any 60 seconds, refused ones too."""

    calls: tuple[int, ...]
    requests: tuple[int, ...]
    refused_requests: int
    max_requests: int

    @property
    def calls_a_minute(self) -> float:
        """On average over all minutes."""
        return sum(self.calls) / len(self.calls)


def backlog_for(
    minutes: int, messages: int = 1_000_000, batch_size: int = 1_000, concurrency: int = 10, message_bytes: int = 250
) -> Minutes:
    """Let the relay work on a backlog for so many minutes. If the backlog ends sooner, the last minutes are empty."""
    schedule = Schedule(START)
    audit = _Audit()
    chance = random.Random(0)
    api = SimulatorState(lambda: datetime.fromtimestamp(schedule.now, UTC), chance, audit=audit)
    backlog = Backlog(schedule, one_call_bodies(messages, message_bytes, message_bytes // 10, flow_id=FLOW_ID))
    table = VirtualTable(schedule)
    until = START + 60 * minutes
    with coroutines_of(schedule):
        for _ in range(concurrency):
            dependencies = dependencies_on(schedule, table, backlog, api, chance)
            schedule.start(partial(invoke_until, until, schedule, dependencies, backlog, batch_size))
        schedule.run(until)
    report = audit.report()
    return Minutes(
        tuple(sum(calls for at, calls in audit.taken if (at - START) // 60 == minute) for minute in range(minutes)),
        tuple(sum((at - START) // 60 == minute for at, _ in audit.taken) for minute in range(minutes)),
        report.requests_received - len(audit.taken),
        report.max_requests_in_60_seconds,
    )


@contextmanager
def coroutines_of(schedule: Schedule) -> Iterator[None]:
    """Let the relay wait in virtual time as long as this is open."""
    locks = SimpleNamespace(RLock=lambda: CoroutineLock(schedule))
    with (
        patch.object(process_batch_module, "wait", wait),
        patch.object(control, "threading", locks),
    ):
        yield


class _Audit(Audit):
    """Keeps when a request was accepted, and with how many calls, instead of each of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[float, int]] = []
        self._now = 0.0

    def count_received(self, moment: datetime) -> None:
        super().count_received(moment)
        self._now = moment.timestamp()

    def record_accepted(self, flow_id: str, request_id: str, details: Sequence[CallDetail]) -> None:  # noqa: ARG002
        self.taken.append((self._now, len(details)))


def invoke_until(
    until: float,
    schedule: Schedule,
    dependencies: Dependencies,
    backlog: Backlog,
    batch_size: int,
    *,
    window_seconds: float = BATCHING_WINDOW_SECONDS,
    lane: Lane = Lane.INGRESS,
) -> None:
    """One environment of the function: it gets a batch as soon as the former one is done."""
    while schedule.now < until:
        if not (messages := backlog.receive(batch_size)):
            schedule.sleep(_POLL_SECONDS)
            continue
        gathered_until = schedule.now + window_seconds
        while len(messages) < batch_size and schedule.now < gathered_until:
            schedule.sleep(_POLL_SECONDS)
            messages += backlog.receive(batch_size - len(messages))
        schedule.sleep(len(messages) * _CPU_SECONDS_A_MESSAGE)
        kept = set(process_batch(dependencies, messages, schedule.now + _FUNCTION_TIMEOUT_SECONDS, lane))
        for message in messages:
            if message.message_id not in kept:
                backlog.delete(message)


def dependencies_on(
    schedule: Schedule,
    table: VirtualTable,
    backlog: Backlog,
    api: SimulatorState,
    chance: random.Random,
    *,
    urgent_queue: Backlog | None = None,
    urgent_reserve: int = 0,
    flow_ids: Sequence[str] = (FLOW_ID,),
) -> Dependencies:
    """The relay over services in virtual time. The API knows its flows."""
    public_key, private_key = key_pair(FLOW_ID)
    flows = {flow_id: replace(make_flow(flow_id), public_key=public_key) for flow_id in flow_ids}
    for flow_id, flow in flows.items():
        api.flows[flow_id] = SimulatedFlow(
            flow_id, flow.security_id, private_key, KeyWrap.RSA1_5, (flow.api_version,), "outbound"
        )
    return compose(
        Adapters(
            table=table,
            flows=InMemoryFlows({**flows}),
            gateway=VirtualGateway(schedule, SimulatedGateway(api)),
            failure_queue=InMemoryFailures(),
            source_queue=backlog,
            urgent_queue=urgent_queue,
        ),
        clock=schedule,
        sleep=lambda max_seconds: schedule.sleep(chance.random() * max_seconds),
        random_bytes=chance.randbytes,
        draw=chance.random,
        executor=CoroutineExecutor(schedule),
        observe=lambda _: None,
        requests_per_minute=api.settings.requests_per_minute,
        urgent_reserve=urgent_reserve,
    )
