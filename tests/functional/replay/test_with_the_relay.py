"""Replay and relay together: what is moved is delivered at most once, whatever happens to either."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay_replay.answer import Answer
from tests.functional.replay.crashing import Killed, Steps, dying
from tests.functional.replay.scene import Scene
from tests.functional.scene import Scene as RelayScene
from tests.support.failure_queue import InMemoryIngressEnd

NO_DATA_AVAILABLE = "910000000213"


class Both:
    """A relay, and a replay between its queues and over its table."""

    def __init__(self) -> None:
        self.relay = RelayScene()
        self.replay = Scene(self.relay.clock)

    def let_the_relay_work(self) -> None:
        """Run the relay, and have its failures in the queue that replays take from."""
        self.relay.run()
        for failure in self.relay.failures.published:
            self.replay.queue.put(failure.body, failure.reason, failure.code, age_seconds=0)
        self.relay.failures.published.clear()
        self.relay.clock.now += 1

    def run(self, steps: Steps | None = None, **event: object) -> Answer:
        """One run of the replay, over the records as they are."""
        items = self.relay.table.items.items()
        self.replay.records.of = {key: str(item["status"]) for key, item in items if not key.startswith("#")}
        dependencies = self.replay.dependencies(ingress_queue=InMemoryIngressEnd(self.relay.ingress.send))
        return self.replay.run(
            dependencies=dying(dependencies, steps) if steps else dependencies, **{"dry_run": False, **event}
        )


@pytest.fixture
def both() -> Both:
    return Both()


def test_a_rejected_call_goes_out_as_a_fresh_request_and_is_delivered_once_the_cause_is_mended(both: Both) -> None:
    both.relay.plan(CodeAnswer(code=213), requests=1)
    both.relay.send("a")
    both.let_the_relay_work()
    first = both.relay.record("a")["request_id"]
    assert both.relay.record("a")["status"] == "REJECTED"

    assert both.run(reasons=["NO_DATA_AVAILABLE"]).total.moved == 1
    both.let_the_relay_work()

    assert both.relay.record("a")["status"] == "ACCEPTED"
    assert both.relay.record("a")["request_id"] != first
    assert both.relay.accepted() == {"FLOWAAAA/a": 1}
    assert len(set(both.relay.gateway.bodies)) == len(both.relay.gateway.bodies) == 2
    assert both.replay.queue.bodies == {}


def test_a_call_that_is_refused_again_is_in_the_failure_queue_again(both: Both) -> None:
    both.relay.send("a", contact_numbers=[NO_DATA_AVAILABLE])
    for _ in range(3):
        both.let_the_relay_work()
        assert both.run().total.moved == 1
    both.let_the_relay_work()
    assert both.run(dry_run=True, codes=[213]).total.chosen == 1
    assert both.relay.accepted() == {}


def test_a_call_past_its_deadline_is_not_sent_for_being_replayed(both: Both) -> None:
    both.relay.send("a", not_after="2026-01-01T00:00:00Z")
    both.let_the_relay_work()

    assert both.run(reasons=["EXPIRED"]).total.moved == 1
    both.let_the_relay_work()

    assert both.relay.record("a")["status"] == "EXPIRED"
    assert both.relay.gateway.bodies == []


def test_an_unresolved_call_goes_out_afresh_only_if_asked_for_by_name(both: Both) -> None:
    both.relay.limits = replace(both.relay.limits, give_up_after=timedelta(minutes=10))
    both.relay.plan(DroppedConnection(after_accepting=False), requests=None)
    both.relay.send("a")
    both.let_the_relay_work()
    both.relay.simulator.faults.clear()
    assert both.relay.record("a")["status"] == "UNRESOLVED"

    assert both.run().total.withheld == 1
    both.let_the_relay_work()
    assert both.relay.accepted() == {}

    assert both.run(reasons=["UNRESOLVED"]).total.moved == 1
    both.let_the_relay_work()
    assert both.relay.record("a")["status"] == "ACCEPTED"
    assert both.relay.accepted() == {"FLOWAAAA/a": 1}


def _failed() -> Both:
    both = Both()
    both.relay.plan(CodeAnswer(code=213), requests=1)
    both.relay.send("a")
    both.let_the_relay_work()
    both.relay.send("b", "c", contact_numbers=[NO_DATA_AVAILABLE])
    both.relay.send("d")
    both.let_the_relay_work()
    both.relay.send("e", flow_id="NOFLOW00")
    both.let_the_relay_work()
    return both


def test_a_replay_that_dies_at_any_step_and_is_begun_again_sends_no_call_twice_and_loses_none() -> None:
    deaths = 0
    for fatal in itertools.count(1):
        both = _failed()
        try:
            both.run(Steps(fatal))
        except Killed:
            deaths += 1
        else:
            break
        both.let_the_relay_work()
        both.relay.clock.now = max(both.relay.clock.now, both.replay.queue.next_visible_at)
        both.run()
        both.let_the_relay_work()

        assert both.relay.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/d": 1}
        assert both.relay.statuses() == Counter({"REJECTED": 3, "ACCEPTED": 2})
        kept = "".join(both.replay.queue.bodies.values())
        assert all(f'"{name}"' in kept for name in "bce")
    assert deaths > 10
