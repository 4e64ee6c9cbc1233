"""How long urgent calls take while a backlog of ordinary calls drains, with a queue of their own and without.

`python -m tests.bench.in_process.urgent_calls` prints both, after about five minutes of this machine's.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from local.simulator.audit import Audit
from local.simulator.reply import CallDetail
from local.simulator.state import SimulatorState
from sealed_relay.calls.message import Lane
from tests.bench.in_process.messages import one_call_bodies
from tests.bench.in_process.rate_use import FLOW_ID, coroutines_of, dependencies_on, invoke_until
from tests.bench.in_process.virtual_aws import API_LATENCY_SECONDS, Backlog, VirtualTable
from tests.campaign.virtual_time import Schedule
from tests.support.clock import START
from tests.support.messages import message_body

URGENT_RESERVE = 20
"""The default of `UrgentReservedRequestsPerMinute`."""
BACKLOG = 500_000
_URGENT_FLOW_ID = "URGENT01"
_URGENT_CONCURRENCY = 5
_URGENT_BATCH_SIZE = 10
_SIMULATED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class UrgentCalls:
    """`seconds` are from sent to accepted, sorted, one for each urgent call that was sent while the backlog drained.

    `drained_seconds`: after so long the last ordinary call was accepted. `first_minute`: the requests that left in
    the first 60 seconds. `max_requests` left in any 60 seconds.
    """

    seconds: Sequence[float]
    drained_seconds: float
    first_minute: int
    max_requests: int

    def percentile(self, percent: int) -> float:
        """The nearest rank; the largest of all where there are fewer than a hundred."""
        return self.seconds[max(0, -(-len(self.seconds) * percent // 100) - 1)]


def urgent_beside_backlog(
    *,
    has_lane: bool,
    messages: int = BACKLOG,
    every_seconds: float = 4.0,
    batch_size: int = 1_000,
    concurrency: int = 10,
    seed: int = 0,
) -> UrgentCalls:
    """Drain a backlog, with an urgent call every few seconds: into the urgent queue, or without a lane behind it."""
    schedule, chance = Schedule(START), random.Random(seed)
    audit = _Audit(schedule)
    api = SimulatorState(lambda: datetime.fromtimestamp(schedule.now, UTC), chance, audit=audit)
    backlog = Backlog(schedule, one_call_bodies(messages, 250, 25, flow_id=FLOW_ID))
    urgent = Backlog(schedule, iter(()))
    table = VirtualTable(schedule)
    until = START + _SIMULATED_SECONDS

    def start(queue: Backlog, batch: int, window_seconds: float, lane: Lane) -> None:
        dependencies = dependencies_on(
            schedule,
            table,
            backlog,
            api,
            chance,
            urgent_queue=urgent,
            urgent_reserve=URGENT_RESERVE if has_lane else 0,
            flow_ids=(FLOW_ID, _URGENT_FLOW_ID),
        )
        work = partial(invoke_until, until, schedule, dependencies, queue, batch)
        schedule.start(partial(work, window_seconds=window_seconds, lane=lane))

    def produce() -> None:
        number = 0
        while audit.ordinary < messages:
            schedule.sleep(every_seconds * (0.5 + chance.random()))
            name = f"urgent-{number}"
            audit.sent_at[name] = schedule.now
            (urgent if has_lane else backlog).send(message_body(name, flow_id=_URGENT_FLOW_ID))
            number += 1

    with coroutines_of(schedule):
        for _ in range(concurrency):
            start(backlog, batch_size, 1.0, Lane.INGRESS)
        for _ in range(_URGENT_CONCURRENCY if has_lane else 0):
            start(urgent, _URGENT_BATCH_SIZE, 0.0, Lane.URGENT)
        schedule.start(produce)
        schedule.run(until)
    assert audit.ordinary == messages
    assert len(audit.taken) == len(audit.sent_at)
    while_draining = [
        taken - audit.sent_at[name] for name, taken in audit.taken.items() if audit.sent_at[name] < audit.drained_at
    ]
    return UrgentCalls(
        sorted(while_draining),
        audit.drained_at - START,
        sum(at < START + 60 for at in audit.requests_at),
        audit.report().max_requests_in_60_seconds,
    )


class _Audit(Audit):
    """Keeps when urgent calls were accepted, by name, and how many ordinary ones were."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self.sent_at: dict[str, float] = {}
        self.taken: dict[str, float] = {}
        self.ordinary = 0
        self.drained_at = 0.0
        self.requests_at: list[float] = []

    def count_received(self, moment: datetime) -> None:
        super().count_received(moment)
        self.requests_at.append(moment.timestamp())

    def record_accepted(self, flow_id: str, request_id: str, details: Sequence[CallDetail]) -> None:  # noqa: ARG002
        answered_at = self._schedule.now + API_LATENCY_SECONDS / 2
        if flow_id == _URGENT_FLOW_ID:
            self.taken |= {detail.client_identifier: answered_at for detail in details}
        else:
            self.ordinary += len(details)
            self.drained_at = answered_at


if __name__ == "__main__":
    for has_lane in (True, False):
        found = urgent_beside_backlog(has_lane=has_lane)
        print(  # noqa: T201 - what this command is for
            f"{'with' if has_lane else 'without'} the urgent queue: {len(found.seconds)} urgent calls, "
            f"p50 {found.percentile(50):.2f} s, p99 {found.percentile(99):.2f} s; drained in "
            f"{found.drained_seconds:.0f} s, {found.first_minute} requests in the first minute, "
            f"at most {found.max_requests} in any"
        )
