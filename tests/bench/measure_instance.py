"""Measures one new instance of a subject, from its start to its largest batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from local.emulator.emulator import Emulator
from local.simulator.client import SimulatorClient
from local.simulator.faults import NoFault
from tests.bench.events import event_of
from tests.bench.flows import FLOW_IDS
from tests.bench.invocations import ColdStart, cpu_seconds, invoke, peak_memory_bytes, started
from tests.bench.subjects import Subject

LATENCY_MILLISECONDS = 200
MEMORY_BATCH = 1000

_ONE_FLOW = FLOW_IDS[:1]
_WARM_UP_BATCHES = 3
_BATCHES_OF_TEN_FLOWS = 3
_MORE_THAN_ANY_NEEDS = 1_000_000


class NotDeliveredOnceError(Exception):
    """The API did not take each call once, so the figures compare different work."""


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches of one size: CPU seconds for each call, and wall seconds for a batch (median)."""

    cpu_seconds_per_call: float
    seconds: float


@dataclass(frozen=True, slots=True)
class InstanceMeasurement:
    """What was measured. `batches` by size, without API latency; `ten_flows_seconds` for ten messages, with it."""

    cold_start: ColdStart
    batches: Mapping[int, Batches]
    ten_flows_seconds: float
    peak_memory_bytes: int


def measure_instance(subject: Subject, simulator: SimulatorClient) -> InstanceMeasurement:
    """Measure a subject. Raises NotDeliveredOnceError or UnfinishedBatchError when its figures would mean nothing."""
    simulator.reset()
    simulator.change_settings(requests_per_minute=_MORE_THAN_ANY_NEEDS)  # no peer keeps the API's rate
    with started(subject.function) as (emulator, cold_start):
        for _ in range(_WARM_UP_BATCHES):  # fetches secrets, opens connections
            invoke(emulator, event_of(len(FLOW_IDS), FLOW_IDS))
        batches, peak = {}, 0
        for size, count in subject.batches.items():
            batches[size] = _batches(emulator, size, count)
            if size == MEMORY_BATCH:
                peak = peak_memory_bytes(emulator)
        seconds = _ten_flows_seconds(emulator, simulator)
    calls = (_WARM_UP_BATCHES + _BATCHES_OF_TEN_FLOWS) * len(FLOW_IDS)
    _check(simulator, calls + sum(size * count for size, count in subject.batches.items()))
    return InstanceMeasurement(cold_start, batches, seconds, peak)


def _batches(emulator: Emulator, size: int, count: int) -> Batches:
    events = [event_of(size, _ONE_FLOW) for _ in range(count)]
    used_before = cpu_seconds(emulator)
    seconds = [invoke(emulator, event) for event in events]
    return Batches((cpu_seconds(emulator) - used_before) / (size * count), median(seconds))


def _ten_flows_seconds(emulator: Emulator, simulator: SimulatorClient) -> float:
    simulator.plan(NoFault(), requests=None, latency_milliseconds=LATENCY_MILLISECONDS)
    seconds = [invoke(emulator, event_of(len(FLOW_IDS), FLOW_IDS)) for _ in range(_BATCHES_OF_TEN_FLOWS)]
    simulator.clear_faults()
    return median(seconds)


def _check(simulator: SimulatorClient, calls: int) -> None:
    audit = simulator.audit()
    if (audit.accepted_calls, audit.calls_accepted_more_than_once) != (calls, 0):
        raise NotDeliveredOnceError(f"the API took {audit.accepted_calls} of {calls} calls")
