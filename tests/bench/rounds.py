"""The rounds of a bench: every subject has its turn in each, so that what disturbs the machine disturbs them alike."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.simulator.client import SimulatorClient
from local.stack.records import Stack
from sealed_relay.kairos.flow import Flow
from tests.bench.flows import introduce_flows
from tests.bench.invoking import ColdStart, started
from tests.bench.round_trip import round_trip_seconds
from tests.bench.subjects import CANONICAL, FLOOR, OURS, Subject, subjects_on
from tests.bench.visit import LATENCY_MILLISECONDS, Visit, visit

_STARTED = (OURS, CANONICAL, FLOOR)
_STARTS_A_ROUND = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds together: visits and cold starts by subject, and round trips to the API at the visits' latency."""

    visits: dict[str, list[Visit]] = field(default_factory=dict)
    cold_starts: dict[str, list[ColdStart]] = field(default_factory=dict)
    round_trips_seconds: list[float] = field(default_factory=list)


def measure(stack: Stack, folder: Path, rounds: int, say: Callable[[str], None]) -> Measured:
    """Measure all subjects on a running stack with the simulator; `folder` takes their code. Says where it is."""
    assert stack.simulator_url
    subjects = subjects_on(stack, folder)
    flow = introduce_flows(stack)
    measured = Measured()
    began = time.monotonic()
    with SimulatorClient(stack.simulator_url) as simulator:
        for number in range(1, rounds + 1):
            for what in _round(subjects, simulator, flow, measured):
                say(f"{time.monotonic() - began:4.0f} s  round {number} of {rounds}: {what}")
    return measured


def _round(subjects: Sequence[Subject], simulator: SimulatorClient, flow: Flow, measured: Measured) -> Iterator[str]:
    """Tells what it measures next."""
    yield "a round trip"
    measured.round_trips_seconds.append(round_trip_seconds(simulator, flow, LATENCY_MILLISECONDS))
    yield "cold starts"
    for _ in range(_STARTS_A_ROUND):
        for subject in subjects:
            if subject.name in _STARTED:
                with started(subject.function) as (_, cold_start):
                    measured.cold_starts.setdefault(subject.name, []).append(cold_start)
    for subject in subjects:
        if subject.batches:
            yield subject.name
            measured.visits.setdefault(subject.name, []).append(visit(subject, simulator))
