"""The same call more than once: redelivered, duplicated, reused, retried."""

from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.observability.events import DuplicatesFound
from tests.functional.scene import LIMITS, Scene


def _duplicates(scene: Scene) -> int:
    return sum(observation.calls for observation in scene.observed if isinstance(observation, DuplicatesFound))


def test_a_second_message_with_the_same_content_is_acknowledged_and_counted() -> None:
    scene = Scene()
    scene.send("a")
    scene.run()
    scene.send("a")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.failures.published == []
    assert _duplicates(scene) == 1


def test_a_second_message_in_the_same_batch_is_acknowledged_and_counted() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.send("b", "c")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1, "FLOWAAAA/c": 1}
    assert _duplicates(scene) == 1


def test_a_second_message_is_acknowledged_while_the_first_waits_its_turn() -> None:
    scene = Scene()
    first = scene.send("a")
    scene.gateway.refused_connections = 1
    scene.invoke()
    scene.send("a")
    scene.invoke()
    assert scene.ingress.message_ids == [first]
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_other_content_under_the_same_identity_is_refused_and_published() -> None:
    scene = Scene()
    scene.send("a")
    scene.run()
    message_id = scene.send("a", contact_numbers=["919900000002"])
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.record("a")["status"] == "ACCEPTED"
    [failure] = scene.failures.published
    assert failure.reason == "CLIENT_IDENTIFIER_REUSED"
    assert failure.source_message_id == message_id
    assert "919900000002" in failure.body


def test_content_is_what_was_written_and_not_its_spelling() -> None:
    scene = Scene()
    scene.ingress.send('{"flow-id":"FLOWAAAA","calls":[{"client-identifier":"a","contact-numbers":["919900000001"]}]}')
    scene.ingress.send(
        '{"calls":[{"contact-numbers": ["919900000001"], "client-identifier":"a"}],"flow-id":"FLOWAAAA"}'
    )
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.failures.published == []


def test_the_same_name_in_two_flows_is_two_calls() -> None:
    scene = Scene()
    scene.send("a")
    scene.send("a", flow_id="FLOWBBBB")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWBBBB/a": 1}


def test_a_new_message_for_a_rejected_call_is_a_retry_with_what_it_now_holds() -> None:
    scene = Scene()
    scene.send("a", contact_numbers=["910000000205"])
    scene.run()
    assert scene.record("a")["status"] == "REJECTED"
    scene.send("a", contact_numbers=["919900000001"])
    scene.run()
    assert scene.record("a")["status"] == "ACCEPTED"
    assert "reason" in scene.record("a")
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_what_the_failure_queue_holds_can_be_sent_again_as_it_is() -> None:
    scene = Scene()
    scene.send("a", flow_id="NOFLOW00")
    scene.run()
    scene.flows.flows["NOFLOW00"] = scene.rotated("NOFLOW00")
    scene.rotate_security_id("NOFLOW00")
    scene.ingress.send(scene.failures.published[0].body)
    scene.run()
    assert scene.accepted() == {"NOFLOW00/a": 1}


def test_a_rejected_call_sent_again_differs_in_every_request_inside_and_outside() -> None:
    scene = Scene()
    for _ in range(3):
        scene.send("a", contact_numbers=["910000000205"])
        scene.run()
    # The simulated API keeps the checksum of what it refused: a repeated one would be answered 201, not 205.
    assert [failure.code for failure in scene.failures.published] == [205, 205, 205]


def test_a_message_that_is_redelivered_after_its_end_is_acknowledged_without_another_request() -> None:
    scene = Scene()
    scene.send("a")
    scene.send("bad", contact_numbers=["910000000205"])
    messages = scene.ingress.receive(10)
    scene.deliver(messages)
    requests = len(scene.gateway.bodies)
    assert scene.deliver_again(messages) == []
    assert len(scene.gateway.bodies) == requests
    assert _duplicates(scene) == 0


def test_the_same_message_twice_in_one_batch_is_handled_once() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)
    assert scene.deliver_again([message, message]) == []
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert _duplicates(scene) == 0


def test_a_retry_in_the_batch_of_its_redelivered_predecessor_is_not_taken_for_a_duplicate() -> None:
    scene = Scene()
    scene.send("a", contact_numbers=["910000000205"])
    [rejected] = scene.ingress.receive(1)
    scene.deliver([rejected])
    scene.send("a", contact_numbers=["910000000205"])
    [retry] = scene.ingress.receive(1)
    assert scene.deliver_again([rejected, retry]) == [retry.message_id]
    scene.run()
    assert len(scene.failures.published) == 2


def test_messages_that_cannot_be_read_go_to_the_failure_queue_as_they_came_and_harm_no_other() -> None:
    scene = Scene()
    scene.ingress.send('{"flow-id": "FLOWAAAA", "callz": []}')
    scene.send("a")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    [failure] = scene.failures.published
    assert failure.reason == "INVALID_MESSAGE"
    assert failure.body == '{"flow-id": "FLOWAAAA", "callz": []}'
    assert failure.detail.endswith("`$` has an unknown field; `flow-id`, `calls` are allowed.")


def test_a_copy_that_waited_on_the_queue_does_not_send_an_unresolved_call_again() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)
    scene.send("a")
    [copy] = scene.ingress.receive(1)
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    scene.deliver([message])
    scene.run(max_invocations=1000)
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    assert scene.deliver_again([copy]) == []
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.statuses() == {"UNRESOLVED": 1}


def test_an_unresolved_call_is_sent_again_when_somebody_asks_for_it_later() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(DroppedConnection(), requests=None)
    scene.run(max_invocations=1000)
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    scene.clock.now += 1
    scene.ingress.send(scene.failures.published[0].body)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_a_copy_that_gave_up_on_a_call_is_not_taken_for_a_retry_when_it_is_redelivered() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    scene.invoke()
    scene.clock.now += LIMITS.give_up_after.total_seconds()
    scene.send("a")
    copy = scene.ingress.receive(10)[-1]
    assert scene.deliver_again([copy]) == []
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    assert scene.deliver_again([copy]) == []
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_a_copy_of_a_message_that_was_acknowledged_never_comes_to_hold_the_call() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=500), requests=3)
    scene.send("a")
    scene.send("a")
    [first] = scene.ingress.receive(1)
    scene.deliver([first])  # waits, and holds the call
    [second] = scene.ingress.receive(1)
    scene.clock.now += 70
    scene.deliver([second])  # the first is late: now the second holds the call
    scene.deliver([first])  # a duplicate, acknowledged
    assert first.message_id not in scene.ingress.message_ids

    scene.clock.now += 70
    scene.deliver_again([first])  # SQS delivers one more copy of it
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}


def test_a_message_whose_call_failed_does_not_come_to_hold_it_again_after_another_one_retried() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=213))
    scene.send("a")
    [first] = scene.ingress.receive(1)
    scene.deliver([first])
    assert scene.statuses() == {"REJECTED": 1}
    scene.plan(CodeAnswer(code=500), requests=2)
    scene.send("a")
    scene.invoke()
    assert scene.statuses() == {"WAITING": 1}

    scene.clock.now += 700
    scene.deliver_again([first])
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}


def test_a_refused_message_that_sqs_delivers_once_more_does_not_come_to_hold_the_call() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=500))
    scene.send("a")
    scene.send("a", keys=[{"name": "$flow.key.x", "value": "other"}])
    first, other = scene.ingress.receive(2)
    scene.deliver([first])
    scene.deliver([other])
    assert [failure.reason for failure in scene.failures.published] == ["CLIENT_IDENTIFIER_REUSED"]
    scene.plan(CodeAnswer(code=213))
    scene.run()
    assert scene.statuses() == {"REJECTED": 1}

    scene.plan(CodeAnswer(code=500), requests=None)
    scene.deliver_again([other])

    assert scene.statuses() == {"REJECTED": 1}


@pytest.mark.parametrize("ending", ["its deadline passes", "the API refuses it"])
def test_a_call_that_may_have_been_delivered_never_reads_as_certainly_not(ending: str) -> None:
    scene = Scene(replace(LIMITS, give_up_after=timedelta(minutes=10)))
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    scene.send("a")
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    scene.clock.now += 1

    scene.plan(CodeAnswer(code=500 if ending == "its deadline passes" else 213), requests=None)
    scene.send("a")
    scene.run()

    assert scene.statuses() == {"UNRESOLVED": 1}
    assert [failure.reason for failure in scene.failures.published] == ["UNRESOLVED"] * 2
