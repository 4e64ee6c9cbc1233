"""A run over the whole failure queue: what goes over, what stays, and what the operator is told."""

import pytest

from sealed_relay_replay.answer import Counts
from tests.functional.replay.scene import TIMEOUT_SECONDS, RefusingIngress, Scene, SlowFailureQueue
from tests.functional.scene import message_body
from tests.support.failure_queue import InMemoryIngressEnd


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_dry_run_counts_and_changes_nothing(scene: Scene) -> None:
    scene.fail("a", code=213)
    scene.fail("b", reason="EXPIRED")
    before = scene.queue.bodies

    answer = scene.run()

    assert (answer.dry_run, answer.complete) == (True, True)
    assert answer.by_reason == {
        "NO_DATA_AVAILABLE": Counts(seen=1, chosen=1, left=1),
        "EXPIRED": Counts(seen=1, chosen=1, left=1),
    }
    assert answer.total == Counts(seen=2, chosen=2, left=2)
    assert scene.sent == []
    assert scene.queue.bodies == before
    assert scene.queue.all_in_sight()


def test_what_is_chosen_goes_over_byte_for_byte_and_the_rest_stays_in_sight(scene: Scene) -> None:
    body = ' { "flow-id":"FLOWAAAA", "calls":[{"client-identifier":"₹ \\u00e9","contact-numbers":["919900000001"]}] }\n'
    scene.queue.put(body, "NO_DATA_AVAILABLE", 213)
    stays = scene.fail("b", reason="EXPIRED")

    answer = scene.run(reasons=["NO_DATA_AVAILABLE"], dry_run=False)

    assert scene.bodies_sent == [body]
    assert scene.queue.bodies.keys() == {stays}
    assert scene.queue.all_in_sight()
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


def test_a_reason_that_nothing_has_is_told_as_none(scene: Scene) -> None:
    scene.fail("a")
    assert scene.run(reasons=["NO_DATA_AVAILABEL"]).by_reason["NO_DATA_AVAILABEL"] == Counts()


def test_unresolved_calls_are_withheld_until_they_are_asked_for_by_name(scene: Scene) -> None:
    scene.fail("a", reason="UNRESOLVED", status="UNRESOLVED")
    scene.fail("b", "c")
    scene.records.of["FLOWAAAA/c"] = "UNRESOLVED"

    assert scene.run(dry_run=False).total == Counts(seen=2, withheld=2, left=2)
    assert scene.sent == []

    assert scene.run(dry_run=False, reasons=["UNRESOLVED"]).total == Counts(seen=2, chosen=1, moved=1, left=1)
    assert scene.bodies_sent == [message_body("a")]


def test_an_entry_whose_calls_are_all_delivered_stays_and_is_counted(scene: Scene) -> None:
    scene.fail("a", status="ACCEPTED")
    scene.fail("b", status="PRESUMED_ACCEPTED")
    assert scene.run(dry_run=False).total == Counts(seen=2, delivered=2, left=2)
    assert scene.sent == []


def test_a_body_that_nobody_can_read_goes_over_if_asked_for_by_name(scene: Scene) -> None:
    scene.queue.put("call Zoe, please", "INVALID_MESSAGE")
    assert scene.run(dry_run=False).total == Counts(seen=1, left=1)
    assert scene.run(dry_run=False, reasons=["INVALID_MESSAGE"]).total.moved == 1
    assert scene.bodies_sent == ["call Zoe, please"]


def test_what_moves_and_fails_again_during_the_run_is_not_moved_again(scene: Scene) -> None:
    for number in range(12):
        scene.fail(f"a{number}")

    def fail_at_once(body: str) -> None:
        scene.sent.append((scene.clock.now, body))
        scene.queue.put(body, "NO_DATA_AVAILABLE", 213, age_seconds=0)
        scene.clock.now += 0.1

    answer = scene.run(dry_run=False, dependencies=scene.dependencies(ingress_queue=InMemoryIngressEnd(fail_at_once)))

    assert answer.complete
    assert len(scene.sent) <= 13  # the very first one fails in the same instant that the run begins
    assert len(scene.queue.bodies) == 12


@pytest.mark.parametrize("rate", [1, 7, 100])
def test_no_more_messages_go_over_than_the_rate_allows_beside_a_batch_at_once(scene: Scene, rate: int) -> None:
    for number in range(45):
        scene.fail(f"a{number}")

    scene.run(dry_run=False, messages_per_second=rate)

    times = [at for at, _ in scene.sent]
    assert len(times) == 45
    assert all(len([t for t in times if start <= t < start + 10]) <= 10 + 10 * rate for start in times)
    assert times[-1] - times[0] >= (45 - 10) / rate - 1e-3


def test_no_more_are_moved_than_asked_for(scene: Scene) -> None:
    for number in range(30):
        scene.fail(f"a{number}", reason="NO_DATA_AVAILABLE" if number % 2 else "EXPIRED")

    answer = scene.run(dry_run=False, reasons=["EXPIRED"], max_messages=12)

    assert not answer.complete
    assert answer.total.moved == len(scene.sent) == 12
    assert scene.queue.all_in_sight()
    assert scene.run(max_messages=4).total.chosen == 4


def test_a_run_ends_before_its_time_is_up_and_says_so(scene: Scene) -> None:
    for number in range(1000):
        scene.fail(f"a{number}")
    ends_at = scene.clock.now + TIMEOUT_SECONDS

    answer = scene.run(dry_run=False, messages_per_second=2)

    assert not answer.complete
    assert scene.clock.now < ends_at - 10
    assert answer.total.moved == len(scene.sent) > 400
    assert scene.queue.all_in_sight()
    while not answer.complete:
        answer = scene.run(dry_run=False, messages_per_second=2)
    assert sorted(scene.bodies_sent) == sorted(message_body(f"a{number}") for number in range(1000))


def test_the_more_entries_are_held_the_more_time_is_kept_to_hand_them_back(scene: Scene) -> None:
    for number in range(6_000):
        scene.fail(f"a{number}")
    began_at = scene.clock.now

    answer = scene.run(dependencies=scene.dependencies(failure_queue=SlowFailureQueue(scene.queue, scene.clock, 0.5)))

    assert not answer.complete
    assert answer.total.seen > 4_000
    assert began_at + TIMEOUT_SECONDS - scene.clock.now >= 25 + answer.total.seen * 0.005


def test_what_the_ingress_queue_refuses_stays(scene: Scene) -> None:
    refused = scene.fail("refused")
    scene.fail("taken")
    ingress = RefusingIngress(scene.dependencies().ingress_queue, {message_body("refused")})

    answer = scene.run(dry_run=False, dependencies=scene.dependencies(ingress_queue=ingress))

    assert answer.total == Counts(seen=2, chosen=2, moved=1, left=1)
    assert scene.queue.bodies.keys() == {refused}
    assert scene.queue.all_in_sight()


def test_bodies_of_a_mebibyte_go_over_one_at_a_time(scene: Scene) -> None:
    for name in "abc":
        scene.queue.put(message_body(name) + " " * 1_000_000, "NO_DATA_AVAILABLE")
    assert scene.run(dry_run=False).total.moved == 3


def test_calls_that_went_over_are_told_of(scene: Scene) -> None:
    scene.fail("a", "b")
    scene.fail("c")
    scene.run(dry_run=False)
    assert [entry.calls.call_ids for entry in scene.moved] == [("FLOWAAAA/a", "FLOWAAAA/b"), ("FLOWAAAA/c",)]
