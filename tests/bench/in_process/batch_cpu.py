"""CPU per call of the product's own code, by the size of the batch, without the share of the fakes."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import ParamSpec, TypeVar

from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.answer import Answer
from sealed_relay.ports import Change, Item
from tests.bench.in_process.flows import flow_with_large_key, simulated
from tests.bench.in_process.messages import one_call_bodies
from tests.support.gateway import GatewayInOnePiece, SimulatedGateway
from tests.support.scene import Scene
from tests.support.table import InMemoryTable

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class BatchCpu:
    """CPU seconds a call, a median: of the relay from its messages to its answer, without what it calls outside."""

    batch_size: int
    seconds_a_call: float


def batch_cpu(batch_sizes: Sequence[int] = (10, 100, 1_000, 5_000), repeats: int = 9) -> list[BatchCpu]:
    """Measure all sizes in turn, several times, so that disturbances of the machine affect all of them alike."""
    seconds: dict[int, list[float]] = {size: [] for size in batch_sizes}
    for _ in range(repeats):
        for size in batch_sizes:
            seconds[size].append(_product_seconds(size))
    return [BatchCpu(size, median(seconds[size]) / size) for size in batch_sizes]


def _product_seconds(batch_size: int) -> float:
    scene = Scene()
    outside = Stopwatch()
    flow = flow_with_large_key()
    scene.flows.flows[flow.flow_id] = flow
    scene.simulator.flows[flow.flow_id] = simulated(flow)
    scene.table = _TimedTable(outside)
    for body in one_call_bodies(batch_size, 250):
        scene.ingress.send(body)
    messages = scene.ingress.receive(batch_size)
    dependencies = replace(scene.dependencies(), gateway=_TimedGateway(scene.gateway, outside))
    gc.collect()
    began = time.process_time()
    kept = process_batch(dependencies, messages, scene.clock.now + 60, Lane.INGRESS)
    seconds = time.process_time() - began
    assert kept == []
    return seconds - outside.seconds


class Stopwatch:
    """Adds up the CPU seconds of what it runs."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, work: Callable[P, R], *args: P.args, **keywords: P.kwargs) -> R:
        """Run a call, and add its CPU seconds."""
        began = time.process_time()
        try:
            return work(*args, **keywords)
        finally:
            self.seconds += time.process_time() - began


class _TimedTable(InMemoryTable):
    def __init__(self, stopwatch: Stopwatch) -> None:
        super().__init__()
        self._stopwatch = stopwatch

    def insert(self, items: Sequence[Item]) -> list[bool]:
        return self._stopwatch.time(super().insert, items)

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        return self._stopwatch.time(super().read, keys)

    def update(self, changes: Sequence[Change]) -> list[bool]:
        return self._stopwatch.time(super().update, changes)


class _TimedGateway(GatewayInOnePiece):
    def __init__(self, gateway: SimulatedGateway, stopwatch: Stopwatch) -> None:
        self._gateway = gateway
        self._stopwatch = stopwatch

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        return self._stopwatch.time(self._gateway.send, endpoint, body, timeout_seconds)
