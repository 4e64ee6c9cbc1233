"""A run over the whole failure queue: which entries move, which stay, and what the operator is told."""

import pytest

from sealed_relay_operations.replay.answer import Counts
from tests.functional.operations.scene import TIMEOUT_SECONDS, RefusingIngress, Scene, SlowFailureQueue
from tests.support.failure_queue import InMemorySourceQueue
from tests.support.messages import message_body


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_dry_run_counts_entries_and_changes_nothing(scene: Scene) -> None:
    scene.fail("a", code=213)
    scene.fail("b", reason="UNKNOWN_FLOW")
    before = scene.queue.bodies

    answer = scene.run()

    assert (answer.dry_run, answer.complete) == (True, True)
    assert answer.by_reason == {
        "NO_DATA_AVAILABLE": Counts(seen=1, chosen=1, left=1),
        "UNKNOWN_FLOW": Counts(seen=1, chosen=1, left=1),
    }
    assert answer.total == Counts(seen=2, chosen=2, left=2)
    assert scene.sent == []
    assert scene.queue.bodies == before
    assert scene.queue.all_visible()


def test_chosen_entry_moves_unchanged_and_other_entry_stays_visible(scene: Scene) -> None:
    body = ' { "flow-id":"FLOWAAAA", "calls":[{"client-identifier":"₹ \\u00e9","contact-numbers":["919900000001"]}] }\n'
    scene.queue.put(body, "NO_DATA_AVAILABLE", 213)
    stays = scene.fail("b", reason="EXPIRED")

    answer = scene.run(reasons=["NO_DATA_AVAILABLE"], dry_run=False)

    assert scene.bodies_sent == [body]
    assert scene.queue.bodies.keys() == {stays}
    assert scene.queue.all_visible()
    assert answer.by_reason == {
        "NO_DATA_AVAILABLE": Counts(seen=1, chosen=1, moved=1, left=0),
        "EXPIRED": Counts(seen=1, left=1),
    }


def test_every_entry_of_a_long_queue_is_seen_once(scene: Scene) -> None:
    for number in range(57):
        scene.fail(f"a{number}", reason="EXPIRED" if number % 3 else "NO_DATA_AVAILABLE")

    answer = scene.run(reasons=["EXPIRED"], dry_run=False, messages_per_second=100)

    assert answer.complete
    assert answer.total == Counts(seen=57, chosen=38, moved=38, left=19)
    assert len(scene.sent) == len(set(scene.bodies_sent)) == 38
    assert len(scene.queue.bodies) == 19


def test_reason_without_entries_has_counts_of_zero(scene: Scene) -> None:
    scene.fail("a")
    assert scene.run(reasons=["UNKNOWN_FLOW"]).by_reason["UNKNOWN_FLOW"] == Counts()


def test_each_entry_returns_to_the_queue_that_it_came_from(scene: Scene) -> None:
    for number in range(12):
        scene.fail(f"ordinary-{number}")
        scene.fail(f"urgent-{number}", source_queue="urgent")
    scene.fail("elsewhere", source_queue="a queue of an earlier stack")

    assert scene.run(dry_run=False).total.moved == 25

    urgent = {message_body(f"urgent-{number}") for number in range(12)}
    assert {body for body, queue in scene.queues_of.items() if queue == "urgent"} == urgent
    assert scene.queues_of[message_body("elsewhere")] == "ingress"


def test_entries_that_would_fail_again_move_only_if_named_by_reason_or_code(scene: Scene) -> None:
    scene.fail("late", reason="EXPIRED")
    scene.fail("large", reason="MAX_DATA_LIST_SIZE_EXCEEDED", code=303)

    assert scene.run(dry_run=False).total == Counts(seen=2, left=2)
    assert scene.run(dry_run=False, codes=[303]).total.moved == 1
    assert scene.run(dry_run=False, reasons=["EXPIRED"]).total.moved == 1


def test_unresolved_entry_is_withheld_until_asked_for_by_name(scene: Scene) -> None:
    scene.fail("a", reason="UNRESOLVED", status="UNRESOLVED")
    scene.fail("b", "c")
    scene.records.by_call_id["FLOWAAAA/c"] = "UNRESOLVED"

    assert scene.run(dry_run=False).total == Counts(seen=2, withheld=2, left=2)
    assert scene.sent == []

    assert scene.run(dry_run=False, reasons=["UNRESOLVED"]).total == Counts(seen=2, chosen=1, moved=1, left=1)
    assert scene.bodies_sent == [message_body("a")]


def test_entry_stays_and_is_counted_if_all_its_calls_are_delivered(scene: Scene) -> None:
    scene.fail("a", status="ACCEPTED")
    scene.fail("b", status="PRESUMED_ACCEPTED")
    assert scene.run(dry_run=False).total == Counts(seen=2, delivered=2, left=2)
    assert scene.sent == []


def test_unreadable_entry_moves_if_asked_for_by_name(scene: Scene) -> None:
    scene.queue.put("call Zoe, please", "INVALID_MESSAGE")
    assert scene.run(dry_run=False).total == Counts(seen=1, left=1)
    assert scene.run(dry_run=False, reasons=["INVALID_MESSAGE"]).total.moved == 1
    assert scene.bodies_sent == ["call Zoe, please"]


def test_entry_younger_than_a_minute_stays_and_is_counted(scene: Scene) -> None:
    scene.fail("old", age_seconds=60)
    scene.fail("young", age_seconds=59)
    scene.fail("other", reason="EXPIRED", age_seconds=59)

    answer = scene.run(reasons=["NO_DATA_AVAILABLE"], dry_run=False)

    assert answer.total == Counts(seen=3, chosen=1, too_young=1, moved=1, left=2)
    assert scene.bodies_sent == [message_body("old")]
    assert scene.run(reasons=["NO_DATA_AVAILABLE"], dry_run=False, min_age_seconds=0).total.moved == 1


def test_call_that_fails_again_during_the_run_is_not_moved_again(scene: Scene) -> None:
    for number in range(12):
        scene.fail(f"a{number}")

    def fail_at_once(body: str) -> None:
        scene.sent.append((scene.clock.now, body))
        scene.queue.put(body, "NO_DATA_AVAILABLE", 213, age_seconds=0)
        scene.clock.now += 0.1

    dependencies = scene.dependencies(ingress_queue=InMemorySourceQueue(fail_at_once))
    answer = scene.run(dry_run=False, min_age_seconds=0, dependencies=dependencies)

    assert answer.complete
    assert len(scene.sent) <= 13  # the first one fails at the very moment at which the run begins
    assert len(scene.queue.bodies) == 12


@pytest.mark.parametrize("rate", [1, 7, 100])
def test_messages_move_at_the_rate_asked_for_after_a_first_batch(scene: Scene, rate: int) -> None:
    for number in range(45):
        scene.fail(f"a{number}")

    scene.run(dry_run=False, messages_per_second=rate)

    times = [at for at, _ in scene.sent]
    assert len(times) == 45
    assert all(len([t for t in times if start <= t < start + 10]) <= 10 + 10 * rate for start in times)
    assert times[-1] - times[0] >= (45 - 10) / rate - 1e-3


def test_no_more_messages_move_than_max_messages(scene: Scene) -> None:
    for number in range(30):
        scene.fail(f"a{number}", reason="NO_DATA_AVAILABLE" if number % 2 else "EXPIRED")

    answer = scene.run(dry_run=False, reasons=["EXPIRED"], max_messages=12)

    assert not answer.complete
    assert answer.total.moved == len(scene.sent) == 12
    assert scene.queue.all_visible()
    assert scene.run(max_messages=4).total.chosen == 4


def test_run_ends_before_its_deadline_and_says_incomplete(scene: Scene) -> None:
    for number in range(1000):
        scene.fail(f"a{number}")
    ends_at = scene.clock.now + TIMEOUT_SECONDS

    answer = scene.run(dry_run=False, messages_per_second=2)

    assert not answer.complete
    assert scene.clock.now < ends_at - 10
    assert answer.total.moved == len(scene.sent) > 400
    assert scene.queue.all_visible()
    while not answer.complete:
        answer = scene.run(dry_run=False, messages_per_second=2)
    assert sorted(scene.bodies_sent) == sorted(message_body(f"a{number}") for number in range(1000))


def test_run_keeps_time_to_release_each_entry_that_it_received(scene: Scene) -> None:
    for number in range(6_000):
        scene.fail(f"a{number}")
    began_at = scene.clock.now

    answer = scene.run(dependencies=scene.dependencies(failure_queue=SlowFailureQueue(scene.queue, scene.clock, 0.5)))

    assert not answer.complete
    assert answer.total.seen > 4_000
    assert began_at + TIMEOUT_SECONDS - scene.clock.now >= 25 + answer.total.seen * 0.005


def test_entry_stays_if_the_ingress_queue_refuses_it(scene: Scene) -> None:
    refused = scene.fail("refused")
    scene.fail("taken")
    ingress = RefusingIngress(scene.dependencies().source_queues["ingress"], {message_body("refused")})

    answer = scene.run(dry_run=False, dependencies=scene.dependencies(ingress_queue=ingress))

    assert answer.total == Counts(seen=2, chosen=2, moved=1, left=1)
    assert scene.queue.bodies.keys() == {refused}
    assert scene.queue.all_visible()


def test_bodies_of_a_mebibyte_move_one_at_a_time(scene: Scene) -> None:
    for name in "abc":
        scene.queue.put(message_body(name) + " " * 1_000_000, "NO_DATA_AVAILABLE")
    assert scene.run(dry_run=False).total.moved == 3


def test_answer_counts_the_calls_in_moved_entries(scene: Scene) -> None:
    scene.fail("a", "b")
    scene.fail("c")
    assert scene.run().moved_calls == 0
    assert scene.run(dry_run=False).moved_calls == 3
