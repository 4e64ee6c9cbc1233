"""What goes wrong, and when: drawn from a seed before the run. Pure.

Two things are left out. An answer that denies calls which the API took before (a planned 205 and its like, or 201): the
real one cannot say that of equal bytes. And 209: where its answer is lost, a resend is found repeated, and nobody can
know which calls the first attempt left out.
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
_SECONDS_BETWEEN_PAUSES = 25.0
_SECONDS_BETWEEN_SQUALLS = 0.8
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 7.0
"""The longest is longer than the function waits for an AWS answer: it asks again, and both are carried out."""

_MAX_REQUESTS_A_SQUALL = 3
_MAX_LATENCY_MILLISECONDS = 2_000
_TOO_LATE = "answer too late"
_TOO_LATE_MILLISECONDS = 12_000
"""Longer than an invocation of 15 seconds waits for it: see `timeouts`."""

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
class Kill:
    """Kill -9 one of the function's processes; `draw`, from 0 to 1, chooses which."""

    at_seconds: float
    draw: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop the local AWS for so long; the clocks of its queues go on."""

    at_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Squall:
    """A fault of the simulator for its next few requests."""

    at_seconds: float
    name: str
    fault: Fault
    requests: int
    latency_milliseconds: int


Event = Kill | Pause | Squall


def weather(chance: Random, seconds: float) -> list[Event]:
    """All that happens within so many seconds, in order."""
    events: list[Event] = [
        *_now_and_then(chance, seconds, _SECONDS_BETWEEN_KILLS, lambda at: Kill(at, chance.random())),
        *_now_and_then(
            chance,
            seconds,
            _SECONDS_BETWEEN_PAUSES,
            lambda at: Pause(at, chance.uniform(_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)),
        ),
        *_now_and_then(chance, seconds, _SECONDS_BETWEEN_SQUALLS, lambda at: _squall(chance, at)),
    ]
    return sorted(events, key=lambda event: event.at_seconds)


def _now_and_then(
    chance: Random, seconds: float, between_seconds: float, event: Callable[[float], Event]
) -> Iterator[Event]:
    at = chance.expovariate(1 / between_seconds)
    while at < seconds:
        yield event(at)
        at += chance.expovariate(1 / between_seconds)


def _squall(chance: Random, at_seconds: float) -> Squall:
    name = chance.choice(list(_FAULTS))
    if name == _TOO_LATE:
        # It keeps an invocation busy to its end: one at a time will do.
        return Squall(at_seconds, name, _FAULTS[name], 1, _TOO_LATE_MILLISECONDS)
    requests = chance.randint(1, _MAX_REQUESTS_A_SQUALL)
    return Squall(at_seconds, name, _FAULTS[name], requests, chance.randint(0, _MAX_LATENCY_MILLISECONDS))
