"""The relay composed over any adapters, as the handler composes it over AWS."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from sealed_relay.admission.control import Admission
from sealed_relay.calls.message import Lane
from sealed_relay.dependencies import Dependencies, Limits
from sealed_relay.ledger.call_records import CallRecords
from sealed_relay.ledger.request_log import RequestLog
from sealed_relay.observability.events import Observe
from sealed_relay.ports import FailureQueue, Flows, Gateway, SourceQueue, Table

LIMITS = Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=24))
_KEEP_OUTCOMES = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Adapters:
    """Everything outside the relay, by its port. Without an `urgent_queue` there is one queue for both lanes."""

    table: Table
    flows: Flows
    gateway: Gateway
    failure_queue: FailureQueue
    source_queue: SourceQueue
    urgent_queue: SourceQueue | None = None


def compose(  # noqa: PLR0913 - one for each dependency
    adapters: Adapters,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    random_bytes: Callable[[int], bytes],
    draw: Callable[[], float],
    executor: Executor,
    observe: Observe,
    limits: Limits = LIMITS,
    requests_per_minute: int = 500,
    urgent_reserve: int = 0,
) -> Dependencies:
    """The relay's dependencies over these adapters. `sleep` waits for a random time, up to so many seconds."""
    table = adapters.table
    return Dependencies(
        call_records=CallRecords(table, clock, b"a content hash key", _KEEP_OUTCOMES),
        request_log=RequestLog(
            table, clock, keep_outcomes=_KEEP_OUTCOMES, keep_envelopes=limits.give_up_after + timedelta(days=1)
        ),
        admission=Admission(table, clock, sleep, observe, requests_per_minute, urgent_reserve),
        flows=adapters.flows,
        gateway=adapters.gateway,
        failure_queue=adapters.failure_queue,
        source_queues={
            Lane.INGRESS: adapters.source_queue,
            Lane.URGENT: adapters.urgent_queue or adapters.source_queue,
        },
        limits=limits,
        clock=clock,
        random_bytes=random_bytes,
        draw=draw,
        make_id=lambda: random_bytes(16).hex(),
        executor=executor,
        observe=observe,
    )
