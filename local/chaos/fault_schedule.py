"""Draws which faults occur in a chaos run and when, from a seed, before the run. Pure.

Two kinds of answers are left out. First, refusals of calls that the API has accepted before (such as a planned 205 or
201): the real API cannot give them for equal bytes. Second, 209: if its answer is lost, the resend is answered Checksum
Repeated, and nobody can know which calls the first attempt left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from local.simulator.faults import (
    CodeAnswer,
    DroppedConnection,
    Fault,
    ForeignPage,
    NoFault,
    TruncatedAnswer,
)

_SECONDS_BETWEEN_KILLS = 5.0
_SECONDS_BETWEEN_SUSPENSIONS = 25.0
_SECONDS_BETWEEN_GATEWAY_FAULTS = 0.8
_SHORTEST_SUSPENSION_SECONDS, _LONGEST_SUSPENSION_SECONDS = 1.0, 7.0
"""The longest one is longer than the function waits for an AWS answer. So the SDK sends again, and AWS does both."""

_MAX_REQUESTS_A_GATEWAY_FAULT = 3
_MAX_LATENCY_MILLISECONDS = 2_000
_TOO_LATE = "answer too late"
_TOO_LATE_MILLISECONDS = 12_000
"""Longer than an invocation with a timeout of 15 seconds waits for an answer: see `shorter_timeouts`."""

_FAULTS: dict[str, Fault] = {
    "late answer": NoFault(),
    "request lost": DroppedConnection(),
    "answer lost": DroppedConnection(after_accepting=True),
    "answer truncated": TruncatedAnswer(),
    "HTTP 500 page": ForeignPage(http_status=500),
    "HTTP 503 page": ForeignPage(http_status=503),
    "HTTP 503 page, calls taken": ForeignPage(http_status=503, after_accepting=True),
    "HTTP 429": ForeignPage(http_status=429, retry_after_seconds=2),
    "206 FAILURE_FROM_GATEWAY": CodeAnswer(code=206),
    "500 FAILURE": CodeAnswer(code=500, http_status=500),
    _TOO_LATE: NoFault(),
}


@dataclass(frozen=True, slots=True)
class KillProcess:
    """Send SIGKILL to one of the function's processes; `draw`, from 0 to 1, chooses which."""

    at_seconds: float
    draw: float


@dataclass(frozen=True, slots=True)
class SuspendAws:
    """Suspend the local AWS for so many seconds. The timeouts of its queues go on."""

    at_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class GatewayFault:
    """A fault of the simulator for its next few requests."""

    at_seconds: float
    name: str
    fault: Fault
    requests: int
    latency_milliseconds: int


ScheduledFault = KillProcess | SuspendAws | GatewayFault


def draw_fault_schedule(chance: Random, seconds: float) -> list[ScheduledFault]:
    """Draw the faults of so many seconds, in the order of their times."""
    faults: list[ScheduledFault] = [
        *_at_random_times(chance, seconds, _SECONDS_BETWEEN_KILLS, lambda at: KillProcess(at, chance.random())),
        *_at_random_times(
            chance,
            seconds,
            _SECONDS_BETWEEN_SUSPENSIONS,
            lambda at: SuspendAws(at, chance.uniform(_SHORTEST_SUSPENSION_SECONDS, _LONGEST_SUSPENSION_SECONDS)),
        ),
        *_at_random_times(chance, seconds, _SECONDS_BETWEEN_GATEWAY_FAULTS, lambda at: _gateway_fault(chance, at)),
    ]
    return sorted(faults, key=lambda fault: fault.at_seconds)


def _at_random_times(
    chance: Random, seconds: float, between_seconds: float, fault_at: Callable[[float], ScheduledFault]
) -> Iterator[ScheduledFault]:
    at = chance.expovariate(1 / between_seconds)
    while at < seconds:
        yield fault_at(at)
        at += chance.expovariate(1 / between_seconds)


def _gateway_fault(chance: Random, at_seconds: float) -> GatewayFault:
    name = chance.choice(list(_FAULTS))
    if name == _TOO_LATE:
        # It occupies an invocation until its timeout, so one request is enough.
        return GatewayFault(at_seconds, name, _FAULTS[name], 1, _TOO_LATE_MILLISECONDS)
    requests = chance.randint(1, _MAX_REQUESTS_A_GATEWAY_FAULT)
    return GatewayFault(at_seconds, name, _FAULTS[name], requests, chance.randint(0, _MAX_LATENCY_MILLISECONDS))
