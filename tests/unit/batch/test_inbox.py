"""A batch of messages, and what is still open on each."""

from sealed_relay.batch.inbox import Inbox
from tests.support.making import NUMBER, body_of_calls, make_message, written_call


def body(*names: str, number: str = NUMBER) -> str:
    return body_of_calls(*(written_call(name, contact_numbers=[number]) for name in names))


def test_a_batch_is_its_calls_and_what_cannot_be_read() -> None:
    unreadable = make_message("call Zoe", "m2")
    inbox = Inbox([make_message(body("a", "b"), "m1"), unreadable, make_message(body("c"), "m3")])

    assert [(call.message_id, call.client_identifier) for call in inbox.calls] == [
        ("m1", "a"),
        ("m1", "b"),
        ("m3", "c"),
    ]
    assert [(message, "not JSON" in why) for message, why in inbox.unreadable] == [(unreadable, True)]
    assert inbox.open_message_ids == ["m1", "m2", "m3"]


def test_a_later_call_with_the_same_identity_is_a_rival_whatever_its_content() -> None:
    inbox = Inbox(
        [
            make_message(body("a"), "m1"),
            make_message(body("a"), "m2"),
            make_message(body("a", "b", number="+919900000002"), "m3"),
        ]
    )

    assert [call.message_id for call in inbox.calls] == ["m1", "m3"]
    assert [(rival.message_id, first.message_id) for rival, first in inbox.rivals] == [("m2", "m1"), ("m3", "m1")]


def test_the_same_identifier_in_two_flows_is_two_identities() -> None:
    inbox = Inbox([make_message(body_of_calls(written_call("a"), flow_id=f), f) for f in ("FLOWAAAA", "FLOWBBBB")])

    assert len(inbox.calls) == 2
    assert inbox.rivals == []


def test_a_message_that_is_twice_in_a_batch_is_one() -> None:
    inbox = Inbox([make_message(body("a"), "m1"), make_message(body("a"), "m1")])

    assert len(inbox.calls) == 1
    assert inbox.rivals == []
    assert inbox.open_message_ids == ["m1"]


def test_a_message_is_open_until_each_of_its_calls_is_finished() -> None:
    inbox = Inbox([make_message(body("a", "b"), "m1")])
    first, second = inbox.calls

    inbox.finish(first)
    inbox.finish(first)
    assert inbox.open_message_ids == ["m1"]

    inbox.finish(second)
    assert inbox.open_message_ids == []


def test_finishing_a_call_leaves_its_rivals_message_open() -> None:
    inbox = Inbox([make_message(body("a"), "m1"), make_message(body("a"), "m2")])

    inbox.finish(inbox.calls[0])

    assert inbox.open_message_ids == ["m2"]


def test_a_message_that_cannot_be_read_is_open_until_it_is_closed() -> None:
    inbox = Inbox([make_message("", "m1")])

    assert inbox.open_message_ids == ["m1"]
    inbox.close("m1")
    assert inbox.open_message_ids == []


def test_the_longest_of_several_delays_holds_and_what_has_none_gets_the_default() -> None:
    inbox = Inbox([make_message(body(name), f"m-{name}") for name in "abc"])
    inbox.delay("m-a", 5.0)
    inbox.delay("m-a", 60.0)
    inbox.delay("m-a", 7.0)
    inbox.finish(inbox.calls[2])

    assert inbox.delays_seconds(otherwise=420.0) == {"handle of m-a": 60.0, "handle of m-b": 420.0}


def test_an_empty_batch_has_nothing_open() -> None:
    assert Inbox([]).open_message_ids == []


def test_a_message_that_met_a_fault_stays_out_of_sight_the_longer_the_more_often_it_was_received() -> None:
    messages = [make_message(body("a"), "m1", receive_count=2), make_message(body("b"), "m2", receive_count=100)]

    assert Inbox(messages).delays_seconds(otherwise=70.0) == {"handle of m1": 70.0, "handle of m2": 200.0}


def test_a_message_beyond_what_one_invocation_takes_on_goes_back_unread() -> None:
    messages = [make_message(body("a", "b"), "m1"), make_message(body("c"), "m2"), make_message("unreadable", "m3")]
    inbox = Inbox(messages, max_calls=2)

    assert [call.client_identifier for call in inbox.calls] == ["a", "b"]
    assert inbox.unreadable == []
    assert inbox.delays_seconds(otherwise=70.0) == {
        "handle of m1": 70.0,
        "handle of m2": 2.0,
        "handle of m3": 2.0,
    }
