"""The rounds of a bench: each round measures every subject, so that disturbances of the machine affect all alike."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.simulator.client import SimulatorClient
from local.stack.stack_files import Stack
from sealed_relay.kairos.flow import Flow
from tests.bench.flows import introduce_flows
from tests.bench.invocations import ColdStart, started
from tests.bench.measure_instance import LATENCY_MILLISECONDS, InstanceMeasurement, measure_instance
from tests.bench.round_trip import round_trip_seconds
from tests.bench.subjects import CANONICAL, FLOOR, OURS, Subject, subjects_on

_STARTED = (OURS, CANONICAL, FLOOR)
_STARTS_A_ROUND = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of all rounds: measured instances and cold starts by subject, and round trips to the API."""

    instances: dict[str, list[InstanceMeasurement]] = field(default_factory=dict)
    cold_starts: dict[str, list[ColdStart]] = field(default_factory=dict)
    round_trips_seconds: list[float] = field(default_factory=list)


def measure(stack: Stack, folder: Path, rounds: int, say: Callable[[str], None]) -> Measured:
    """Measure all subjects on a running stack with the simulator; `folder` takes their code. Announce each step."""
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
    """Announces the next measurement."""
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
            measured.instances.setdefault(subject.name, []).append(measure_instance(subject, simulator))
