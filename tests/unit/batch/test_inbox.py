"""A batch of messages, and what is still open on each."""

from sealed_relay.batch.inbox import Inbox
from sealed_relay.delivery.request import WorkResult
from tests.support.messages import NUMBER, body_of_calls, make_message, written_call


def body(*names: str, number: str = NUMBER) -> str:
    return body_of_calls(*(written_call(name, contact_numbers=[number]) for name in names))


def test_batch_is_read_as_calls_and_unreadable_messages() -> None:
    unreadable = make_message("call Zoe", "m2")
    inbox = Inbox([make_message(body("a", "b"), "m1"), unreadable, make_message(body("c"), "m3")])

    found = [(call.message_id, call.client_identifier) for call in inbox.calls]
    assert found == [("m1", "a"), ("m1", "b"), ("m3", "c")]
    assert [(message, "is not JSON" in why) for message, why in inbox.unreadable] == [(unreadable, True)]
    assert inbox.open_message_ids == ["m1", "m2", "m3"]


def test_unreadable_messages_with_many_calls_leave_room_for_their_neighbours() -> None:
    poison = [make_message(body_of_calls(*[0] * 1000), f"poison-{number}") for number in range(5)]
    inbox = Inbox([*poison, make_message(body("a"), "healthy")], max_calls=2)

    assert [message for message, _ in inbox.unreadable] == poison
    assert [call.message_id for call in inbox.calls] == ["healthy"]


def test_duplicate_in_the_batch_stays_open_and_is_told_with_its_first_call() -> None:
    inbox = Inbox(
        [
            make_message(body("a"), "m1"),
            make_message(body("a"), "m2"),
            make_message(body("a", "b", number="919900000002"), "m3", receive_count=3),
        ]
    )
    inbox.apply(WorkResult(finished=inbox.calls))

    assert [(call.message_id, call.client_identifier) for call in inbox.calls] == [("m1", "a"), ("m3", "b")]
    assert [(call.message_id, first.message_id) for call, first in inbox.duplicates] == [("m2", "m1"), ("m3", "m1")]
    assert inbox.open_message_ids == ["m2", "m3"]


def test_same_identifier_in_two_flows_is_two_calls() -> None:
    inbox = Inbox([make_message(body_of_calls(written_call("a"), flow_id=f), f) for f in ("FLOWAAAA", "FLOWBBBB")])

    assert [call.call_id for call in inbox.calls] == ["FLOWAAAA/a", "FLOWBBBB/a"]


def test_message_that_is_twice_in_the_batch_is_one() -> None:
    inbox = Inbox([make_message(body("a"), "m1"), make_message(body("a"), "m1")])
    inbox.apply(WorkResult(finished=inbox.calls))

    assert len(inbox.calls) == 1
    assert inbox.open_message_ids == []


def test_message_is_open_until_each_of_its_calls_is_finished() -> None:
    inbox = Inbox([make_message(body("a", "b"), "m1")])
    first, second = inbox.calls

    inbox.apply(WorkResult(finished=[first, first]))
    assert inbox.open_message_ids == ["m1"]

    inbox.apply(WorkResult(finished=[second]))
    assert inbox.open_message_ids == []


def test_unreadable_message_is_open_until_it_is_closed() -> None:
    inbox = Inbox([make_message("", "m1")])
    assert inbox.open_message_ids == ["m1"]

    inbox.apply(WorkResult(closed=["m1"]))
    assert inbox.open_message_ids == []


def test_longest_of_several_delays_holds() -> None:
    inbox = Inbox([make_message(body("a"), "m1")])
    for seconds in (5.0, 60.0, 7.0):
        inbox.apply(WorkResult(delays_seconds={"m1": seconds}))

    assert inbox.delays_seconds(otherwise=420.0) == {"handle of m1": 60.0}


def test_delay_of_message_that_leaves_is_not_told() -> None:
    inbox = Inbox([make_message(body("a"), "m1")])
    inbox.apply(WorkResult(finished=inbox.calls, delays_seconds={"m1": 60.0}))

    assert inbox.delays_seconds(otherwise=70.0) == {}


def test_empty_batch_has_nothing_open() -> None:
    assert Inbox([]).open_message_ids == []


def test_message_without_a_delay_is_deferred_longer_after_more_receives() -> None:
    messages = [make_message(body("a"), "m1", receive_count=2), make_message(body("b"), "m2", receive_count=200)]

    assert Inbox(messages).delays_seconds(otherwise=70.0) == {"handle of m1": 70.0, "handle of m2": 400.0}


def test_message_after_max_calls_stays_open_and_is_not_read() -> None:
    messages = [make_message(body("a", "b"), "m1"), make_message(body("c"), "m2"), make_message("unreadable", "m3")]
    inbox = Inbox(messages, max_calls=2)

    assert [call.client_identifier for call in inbox.calls] == ["a", "b"]
    assert inbox.unreadable == []
    expected = {"handle of m1": 70.0, "handle of m2": 2.0, "handle of m3": 2.0}
    assert inbox.delays_seconds(otherwise=70.0) == expected
