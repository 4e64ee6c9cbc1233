"""The same call more than once: redelivered, duplicated, reused, retried."""

from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.observability.events import DuplicatesFound
from tests.support.compose import LIMITS
from tests.support.scene import Scene


def _duplicates(scene: Scene) -> int:
    return sum(observation.calls for observation in scene.observed if isinstance(observation, DuplicatesFound))


def test_duplicate_of_a_delivered_call_leaves_and_is_counted() -> None:
    scene = Scene()
    scene.send("a")
    scene.run()
    scene.send("a")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.failures.published == []
    assert _duplicates(scene) == 1


def test_duplicate_in_the_same_batch_leaves_and_is_counted() -> None:
    scene = Scene()
    scene.send("a", "b")
    scene.send("b", "c")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1, "FLOWAAAA/c": 1}
    assert _duplicates(scene) == 1


def test_duplicate_of_a_waiting_call_stays_in_the_queue_until_the_call_is_delivered() -> None:
    scene = Scene()
    first = scene.send("a")
    scene.gateway.refused_connections = 1
    scene.invoke()
    second = scene.send("a")
    scene.invoke()
    assert scene.ingress.message_ids == [first, second]
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.failures.published == []
    assert _duplicates(scene) == 1


def test_duplicate_of_an_open_call_shares_the_failure_on_its_own_account() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=500))
    first = scene.send("a")
    scene.invoke()
    second = scene.send("a")
    scene.plan(CodeAnswer(code=213))
    scene.run()
    assert scene.statuses() == {"REJECTED": 1}
    assert sorted(failure.source_message_id for failure in scene.failures.published) == [first, second]
    assert {(failure.reason, failure.code) for failure in scene.failures.published} == {("NO_DATA_AVAILABLE", 213)}


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


def test_content_with_another_spelling_is_a_duplicate() -> None:
    scene = Scene()
    scene.ingress.send('{"flow-id":"FLOWAAAA","calls":[{"client-identifier":"a","contact-numbers":["919900000001"]}]}')
    scene.ingress.send(
        '{"calls":[{"contact-numbers": ["919900000001"], "client-identifier":"a"}],"flow-id":"FLOWAAAA"}'
    )
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert scene.failures.published == []


def test_same_identifier_in_two_flows_is_two_calls() -> None:
    scene = Scene()
    scene.send("a")
    scene.send("a", flow_id="FLOWBBBB")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWBBBB/a": 1}


def test_new_message_for_a_rejected_call_is_a_retry_with_its_own_content() -> None:
    scene = Scene()
    scene.send("a", contact_numbers=["910000000205"])
    scene.run()
    assert scene.record("a")["status"] == "REJECTED"
    scene.let_the_retry_margin_pass()
    scene.send("a", contact_numbers=["919900000001"])
    scene.run()
    assert scene.record("a")["status"] == "ACCEPTED"
    assert "reason" in scene.record("a")
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_failure_queue_entry_sent_again_as_it_is_is_delivered() -> None:
    scene = Scene()
    scene.send("a", flow_id="NOFLOW00")
    scene.run()
    scene.flows.flows["NOFLOW00"] = scene.rotated("NOFLOW00")
    scene.rotate_security_id("NOFLOW00")
    scene.let_the_retry_margin_pass()
    scene.ingress.send(scene.failures.published[0].body)
    scene.run()
    assert scene.accepted() == {"NOFLOW00/a": 1}


def test_rejected_call_sent_again_goes_out_in_other_bytes_each_time() -> None:
    scene = Scene()
    for _ in range(3):
        scene.send("a", contact_numbers=["910000000205"])
        scene.run()
        scene.let_the_retry_margin_pass()
    # The simulated API keeps the checksum of what it refused: a repeated one would be answered 201, not 205.
    assert [failure.code for failure in scene.failures.published] == [205, 205, 205]


def test_message_received_again_after_its_end_leaves_without_another_request() -> None:
    scene = Scene()
    scene.send("a")
    scene.send("bad", contact_numbers=["910000000205"])
    messages = scene.ingress.receive(10)
    scene.deliver(messages)
    requests = len(scene.gateway.bodies)
    assert scene.deliver_again(messages) == []
    assert len(scene.gateway.bodies) == requests
    assert _duplicates(scene) == 0


def test_message_that_is_twice_in_one_batch_is_handled_once() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)
    assert scene.deliver_again([message, message]) == []
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert _duplicates(scene) == 0


def test_retry_in_the_batch_of_its_redelivered_predecessor_is_still_a_retry() -> None:
    scene = Scene()
    scene.send("a", contact_numbers=["910000000205"])
    [rejected] = scene.ingress.receive(1)
    scene.deliver([rejected])
    scene.let_the_retry_margin_pass()
    scene.send("a", contact_numbers=["910000000205"])
    [retry] = scene.ingress.receive(1)
    assert scene.deliver_again([rejected, retry]) == [retry.message_id]
    scene.run()
    assert len(scene.failures.published) == 2


def test_unreadable_message_goes_to_the_failure_queue_unchanged_and_harms_no_other() -> None:
    scene = Scene()
    scene.ingress.send('{"flow-id": "FLOWAAAA", "callz": []}')
    scene.send("a")
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    [failure] = scene.failures.published
    assert failure.reason == "INVALID_MESSAGE"
    assert failure.body == '{"flow-id": "FLOWAAAA", "callz": []}'
    assert failure.detail == "`callz` is an unknown field; did you mean `calls`?"


def test_duplicate_sent_before_the_end_does_not_send_an_unresolved_call_again() -> None:
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


def test_unresolved_call_is_sent_again_for_a_later_message() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(DroppedConnection(), requests=None)
    scene.run(max_invocations=1000)
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    scene.let_the_retry_margin_pass()
    scene.ingress.send(scene.failures.published[0].body)
    scene.run()
    assert scene.statuses() == {"ACCEPTED": 1}


def test_message_that_gave_a_call_up_is_no_retry_when_it_is_received_again() -> None:
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


def test_call_taken_up_by_its_duplicate_is_delivered_once_and_both_messages_leave() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=500), requests=3)
    scene.send("a")
    scene.send("a")
    [first] = scene.ingress.receive(1)
    scene.deliver([first])  # the call waits
    [second] = scene.ingress.receive(1)
    scene.clock.now += 70
    scene.deliver([second])  # the first message is late, so the second one takes the call up
    scene.deliver([first])
    scene.clock.now += 70
    scene.deliver_again([first])  # SQS delivers the first message once more
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_message_of_a_failed_call_that_returns_during_a_retry_does_not_disturb_it() -> None:
    scene = Scene()
    scene.plan(CodeAnswer(code=213))
    scene.send("a")
    [first] = scene.ingress.receive(1)
    scene.deliver([first])
    assert scene.statuses() == {"REJECTED": 1}
    scene.let_the_retry_margin_pass()
    scene.plan(CodeAnswer(code=500), requests=2)
    scene.send("a")
    scene.invoke()
    assert scene.statuses() == {"WAITING": 1}

    scene.clock.now += 700
    scene.deliver_again([first])
    scene.run()

    assert scene.statuses() == {"ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_refused_message_that_is_received_again_does_not_send_the_call() -> None:
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
def test_call_that_may_have_been_delivered_stays_unresolved_after_a_failed_retry(ending: str) -> None:
    scene = Scene(replace(LIMITS, give_up_after=timedelta(minutes=10)))
    scene.plan(DroppedConnection(after_accepting=True), requests=None)
    scene.send("a")
    scene.run()
    assert scene.statuses() == {"UNRESOLVED": 1}
    scene.simulator.faults.clear()
    scene.let_the_retry_margin_pass()

    scene.plan(CodeAnswer(code=500 if ending == "its deadline passes" else 213), requests=None)
    scene.send("a")
    scene.run()

    assert scene.statuses() == {"UNRESOLVED": 1}
    assert [failure.reason for failure in scene.failures.published] == ["UNRESOLVED"] * 2
