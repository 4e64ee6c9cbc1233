"""Everything that the relay needs, handed in by the composition root (`handler`) or by a test."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from sealed_relay.admission.control import Admission
from sealed_relay.calls.message import Lane
from sealed_relay.ledger.call_records import CallRecords
from sealed_relay.ledger.request_log import RequestLog
from sealed_relay.observability.events import Observe
from sealed_relay.ports import FailureQueue, Flows, Gateway, SourceQueue


@dataclass(frozen=True, slots=True)
class Limits:
    """The API's limits on a request, and how long the relay tries.

    `max_refusals`: after so many transient failures a call is rejected, and after so many ambiguous answers a request
    is given up. With the backoff between them, that takes about an hour.
    """

    max_calls: int
    max_body_bytes: int
    give_up_after: timedelta
    max_refusals: int = 16


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The relay's dependencies.

    `clock` tells seconds since 1970. `random_bytes` gives that many bytes, fit for keys. `draw` gives a random number
    from 0 to 1. `make_id` makes a random id that no other has. `executor` runs work side by side.
    """

    call_records: CallRecords
    request_log: RequestLog
    admission: Admission
    flows: Flows
    gateway: Gateway
    failure_queue: FailureQueue
    source_queues: Mapping[Lane, SourceQueue]
    limits: Limits
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    draw: Callable[[], float]
    make_id: Callable[[], str]
    executor: Executor
    observe: Observe
