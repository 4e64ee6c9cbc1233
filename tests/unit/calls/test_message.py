"""A message that keeps to the contract: its calls, and the calls written again."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import read, sent_at_of, write
from tests.support.messages import body_of_calls, make_call, make_message, written_call


def calls_in(body: str) -> list[Call]:
    return read(make_message(body))


def test_call_with_required_fields_only_has_the_defaults() -> None:
    [call] = read(make_message(body_of_calls(written_call("order-1")), "message-7", receive_count=3))

    assert call.call_id == "FLOWAAAA/order-1"
    assert (call.message_id, call.receive_count) == ("message-7", 3)
    assert call.start_time == "2026-11-23T10:00:00+05:30"
    assert call.start_time_is_default
    assert call.not_after is None


def test_calls_of_message_keep_their_order() -> None:
    assert [call.client_identifier for call in calls_in(body_of_calls(*map(written_call, "cab")))] == ["c", "a", "b"]


@pytest.mark.parametrize("flow_id", ["ABCDEFGH", "abcdefgh", "12345678", "aB3dE6gH"])
def test_flow_id_of_8_letters_or_digits_is_read(flow_id: str) -> None:
    assert make_call(flow_id=flow_id).flow_id == flow_id


@pytest.mark.parametrize(
    "name", ["x", " ", "a/b", "#request/1", "Zoë", "x" * 128, "\N{GRINNING FACE}" * 128, '"\\', "कॉल"]
)
def test_client_identifier_of_1_to_128_printable_characters_is_read(name: str) -> None:
    assert make_call(name).client_identifier == name


@pytest.mark.parametrize("number", ["9" * 10, "9" * 15, "+" + "9" * 10, "+" + "9" * 15])
def test_contact_number_of_10_to_15_digits_with_optional_plus_is_read(number: str) -> None:
    payload = make_call(contact_numbers=[number, "0" * 10]).payload("now")

    assert payload.contact_numbers == [number, "0" * 10]


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.booleans()), min_size=1, max_size=4))
def test_calls_that_are_written_are_read_as_the_same_calls(texts: list[tuple[str, bool]]) -> None:
    fields = [
        {"keys": [{"name": "$flow.key.n", "value": text}]} | ({"start_time": "2026-11-23T10:00Z"} if is_timed else {})
        for text, is_timed in texts
    ]
    calls = calls_in(body_of_calls(*(written_call(str(index), **each) for index, each in enumerate(fields))))

    assert calls_in(write(calls)) == calls


def test_written_calls_have_no_character_that_sqs_refuses() -> None:
    every_other = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600]))

    written = write([make_call(keys=[{"name": "$flow.key.n", "value": every_other}])])

    # SQS: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF; else InvalidMessageContents.
    assert [c for c in written if c < " " or c in "\ufffe\uffff"] == []
    assert json.loads(written)["calls"][0]["keys"][0]["value"] == every_other


def test_written_message_has_only_the_given_calls() -> None:
    calls = calls_in(body_of_calls(*map(written_call, "abc")))

    assert json.loads(write(calls[1:2])) == {"flow-id": "FLOWAAAA", "calls": [written_call("b")]}


def test_repr_of_message_and_call_shows_no_personal_data() -> None:
    message = make_message(body_of_calls(written_call(keys=[{"name": "$flow.key.n", "value": "Zoë"}])))

    for shown in (repr(message), repr(read(message))):
        assert "919900000001" not in shown
        assert "Zo" not in shown


def test_sent_timestamp_counts_milliseconds() -> None:
    assert sent_at_of("1795408200123") == datetime(2026, 11, 23, 4, 30, 0, 123_000, tzinfo=UTC)
