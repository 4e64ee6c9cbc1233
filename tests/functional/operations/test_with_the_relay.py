"""Replay and relay together: a call that is replayed is delivered at most once."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay_operations.replay.answer import Answer, Counts
from sealed_relay_operations.request import DEFAULT_MIN_AGE_SECONDS
from tests.functional.operations.crash_at_step import crashing
from tests.functional.operations.scene import Scene
from tests.support.crash_at_step import Killed, Steps
from tests.support.failure_queue import InMemorySourceQueue
from tests.support.messages import message_body
from tests.support.scene import Scene as RelayScene

NO_DATA_AVAILABLE = "910000000213"


class Both:
    """A relay, and a replay that works on its queues and its table."""

    def __init__(self) -> None:
        self.relay = RelayScene()
        self.replay = Scene(self.relay.clock)

    def let_the_relay_work(self) -> None:
        """Run the relay, put its failures on the failure queue, and let them become old enough to be replayed."""
        self.relay.run()
        for failure in self.relay.failures.published:
            self.replay.queue.put(failure.body, failure.reason, failure.code, age_seconds=0)
        self.relay.failures.published.clear()
        self.relay.clock.now += DEFAULT_MIN_AGE_SECONDS

    def run(self, steps: Steps | None = None, **event: object) -> Answer:
        """Do one run of the replay, with the records as they are now."""
        items = self.relay.table.items.items()
        self.replay.records.by_call_id = {key: str(item["status"]) for key, item in items if not key.startswith("#")}
        dependencies = self.replay.dependencies(ingress_queue=InMemorySourceQueue(self.relay.ingress.send))
        return self.replay.run(
            dependencies=crashing(dependencies, steps) if steps else dependencies, **{"dry_run": False, **event}
        )


@pytest.fixture
def both() -> Both:
    return Both()


def test_rejected_call_is_sent_in_a_fresh_request_and_delivered_once(both: Both) -> None:
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


def test_call_that_is_refused_again_returns_to_the_failure_queue(both: Both) -> None:
    both.relay.send("a", contact_numbers=[NO_DATA_AVAILABLE])
    for _ in range(3):
        both.let_the_relay_work()
        assert both.run().total.moved == 1
    both.let_the_relay_work()
    assert both.run(dry_run=True, codes=[213]).total.chosen == 1
    assert both.relay.accepted() == {}


def test_replayed_call_is_not_sent_after_its_not_after(both: Both) -> None:
    both.relay.send("a", not_after="2026-01-01T00:00:00Z")
    both.let_the_relay_work()

    assert both.run(reasons=["EXPIRED"]).total.moved == 1
    both.let_the_relay_work()

    assert both.relay.record("a")["status"] == "EXPIRED"
    assert both.relay.gateway.bodies == []


def test_unresolved_call_is_sent_again_only_if_asked_for_by_name(both: Both) -> None:
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


def test_call_that_failed_a_moment_ago_is_not_replayed(both: Both) -> None:
    both.relay.send("a", contact_numbers=[NO_DATA_AVAILABLE])
    both.let_the_relay_work()
    both.relay.clock.now -= 1
    assert both.run().total == Counts(seen=1, too_young=1, left=1)


def test_call_with_a_reused_identifier_is_not_told_as_delivered(both: Both) -> None:
    both.relay.send("a")
    both.let_the_relay_work()
    both.relay.send("a", contact_numbers=["919900000002"])
    both.let_the_relay_work()
    assert both.relay.accepted() == {"FLOWAAAA/a": 1}

    assert both.run().total == Counts(seen=1, identifier_reused=1, left=1)
    assert both.run(reasons=["CLIENT_IDENTIFIER_REUSED"]).total.moved == 1
    both.let_the_relay_work()

    assert both.relay.accepted() == {"FLOWAAAA/a": 1}
    assert both.run().by_reason == {"CLIENT_IDENTIFIER_REUSED": Counts(seen=1, identifier_reused=1, left=1)}


def test_redriven_message_with_a_reused_identifier_is_not_told_as_delivered(both: Both) -> None:
    both.relay.send("a")
    both.let_the_relay_work()
    both.replay.queue.put(message_body("a", contact_numbers=["919900000002"]))

    assert both.run().by_reason == {"REDRIVEN": Counts(seen=1, chosen=1, moved=1)}
    both.let_the_relay_work()

    assert both.relay.accepted() == {"FLOWAAAA/a": 1}
    assert both.run().by_reason == {"CLIENT_IDENTIFIER_REUSED": Counts(seen=1, identifier_reused=1, left=1)}


def test_redriven_message_with_a_delivered_call_moves_and_is_not_sent_again(both: Both) -> None:
    both.relay.send("a")
    both.let_the_relay_work()
    both.replay.queue.put(message_body("a"))

    assert both.run().total.moved == 1
    both.let_the_relay_work()

    assert both.relay.accepted() == {"FLOWAAAA/a": 1}
    assert both.replay.queue.bodies == {}


def both_after_failures() -> Both:
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


def test_no_call_is_lost_or_sent_twice_wherever_the_replay_dies() -> None:
    deaths = 0
    for fatal in itertools.count(1):
        both = both_after_failures()
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
