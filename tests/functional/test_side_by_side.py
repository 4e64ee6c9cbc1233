"""What one batch does side by side, and what one after the other, under virtual time."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from local.simulator.state import SimulatorState
from sealed_relay.admission import control
from sealed_relay.batch import process_batch as process_batch_module
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane, Message
from sealed_relay.kairos.answer import Answer
from sealed_relay.ports import Change, Item
from tests.campaign.coroutine_executor import CoroutineExecutor, CoroutineLock, wait
from tests.campaign.virtual_time import Schedule
from tests.support.clock import START
from tests.support.compose import Adapters, compose
from tests.support.flows import InMemoryFlows, make_flow, register
from tests.support.gateway import GatewayInOnePiece, SimulatedGateway
from tests.support.messages import message_body
from tests.support.queues import InMemoryFailures
from tests.support.table import InMemoryTable

ROUND_TRIP_SECONDS = 0.001
API_SECONDS = 0.2


class SlowTable(InMemoryTable):
    """Each call takes one round trip. `calls` counts them by the time at which they began."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.calls: Counter[float] = Counter()
        self._schedule = schedule

    def insert(self, items: Sequence[Item]) -> list[bool]:
        self._pass_time()
        return super().insert(items)

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        self._pass_time()
        return super().read(keys)

    def update(self, changes: Sequence[Change]) -> list[bool]:
        self._pass_time()
        return super().update(changes)

    def _pass_time(self) -> None:
        self.calls[round(self._schedule.now - START, 4)] += 1
        self._schedule.sleep(ROUND_TRIP_SECONDS)


class SlowGateway(GatewayInOnePiece):
    def __init__(self, schedule: Schedule, simulated: SimulatedGateway) -> None:
        self._schedule = schedule
        self._simulated = simulated

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self._schedule.sleep(API_SECONDS)
        return self._simulated.send(endpoint, body, timeout_seconds)


class NoQueue:
    def defer(self, delays_seconds: Mapping[str, float]) -> None:
        assert not delays_seconds


def test_ten_flows_take_six_round_trips_in_turn_and_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = Schedule(START)
    api = SimulatorState(lambda: datetime.fromtimestamp(schedule.now, UTC), random.Random(7))
    flows = {flow_id: make_flow(flow_id) for flow_id in (f"FLOWX{number:03}" for number in range(10))}
    for flow in flows.values():
        register(api, flow)
    monkeypatch.setattr(process_batch_module, "wait", wait)
    monkeypatch.setattr(control, "threading", SimpleNamespace(RLock=lambda: CoroutineLock(schedule)))
    table, chance = SlowTable(schedule), random.Random(7)
    dependencies = compose(
        Adapters(
            table, InMemoryFlows({**flows}), SlowGateway(schedule, SimulatedGateway(api)), InMemoryFailures(), NoQueue()
        ),
        clock=schedule,
        sleep=schedule.sleep,
        random_bytes=chance.randbytes,
        draw=chance.random,
        executor=CoroutineExecutor(schedule),
        observe=lambda _: None,
    )
    sent_at = datetime.fromtimestamp(START, UTC)
    messages = [Message(flow_id, flow_id, message_body("a", flow_id=flow_id), sent_at, 1) for flow_id in flows]
    ended_at: list[float] = []

    def invoke() -> None:
        assert process_batch(dependencies, messages, START + 60, Lane.INGRESS) == []
        ended_at.append(schedule.now)

    schedule.start(invoke)
    schedule.run(START + 60)

    # Look, claim, store, permit; then store the answers, and write the outcomes.
    assert list(table.calls.values()) == [1, 1, 10, 1, 10, 10]
    assert ended_at[0] - START == pytest.approx(API_SECONDS + 6 * ROUND_TRIP_SECONDS, abs=1e-6)
