"""What a message that keeps to the contract comes to."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.message import Call, read, sent_at_of, service_time, write
from tests.support.making import SENT_AT, body_of_calls, make_call, make_message, written_call

NOW = service_time(SENT_AT)


def calls_in(body: str) -> list[Call]:
    return read(make_message(body))


def test_a_message_with_the_required_fields_alone_is_a_call_with_the_defaults() -> None:
    [call] = read(make_message(body_of_calls(written_call("order-1")), "message-7", receive_count=3))

    assert call.call_id == "FLOWAAAA/order-1"
    assert (call.message_id, call.receive_count) == ("message-7", 3)
    assert call.start_time == "2026-11-23T10:00:00+05:30"
    assert call.start_time_is_default
    assert call.not_after is None


def test_the_calls_of_a_message_keep_their_order() -> None:
    assert [call.client_identifier for call in calls_in(body_of_calls(*map(written_call, "cab")))] == ["c", "a", "b"]


@pytest.mark.parametrize("flow_id", ["ABCDEFGH", "abcdefgh", "12345678", "aB3dE6gH"])
def test_a_flow_id_is_8_letters_or_digits(flow_id: str) -> None:
    assert make_call(flow_id=flow_id).flow_id == flow_id


@pytest.mark.parametrize(
    "name", ["x", " ", "a/b", "#request/1", "Zoë", "x" * 128, "\N{GRINNING FACE}" * 128, '"\\', "कॉल"]
)
def test_a_client_identifier_is_1_to_128_printable_characters(name: str) -> None:
    assert make_call(name).client_identifier == name


@pytest.mark.parametrize("number", ["9" * 10, "9" * 15, "+" + "9" * 10, "+" + "9" * 15])
def test_a_contact_number_has_10_to_15_digits_and_may_have_a_plus(number: str) -> None:
    payload = make_call(contact_numbers=[number, "0" * 10]).payload(NOW)

    assert payload["contact-numbers"] == [number, "0" * 10]


def test_flow_variables_reach_the_api_as_they_were_written() -> None:
    keys = [{"name": "$flow.key.Name", "value": "Zoë"}, {"name": "$flow.key.a b.c", "value": ""}]

    assert make_call(keys=keys).payload(NOW)["keys"] == keys


def test_the_api_gets_just_its_four_fields() -> None:
    assert make_call("order-1", not_after="2026-11-24T00:00:00Z").payload(NOW) == {
        "client-identifier": "order-1",
        "start-time": "2026-11-23T10:00:00+05:30",
        "contact-numbers": ["919900000001"],
        "keys": [],
    }


def test_content_is_the_same_however_it_was_spelled() -> None:
    written = written_call("a", keys=[{"name": "$flow.key.n", "value": "é"}])
    [tight] = calls_in(json.dumps({"flow-id": "FLOWAAAA", "calls": [written]}, separators=(",", ":")))
    turned = {name: written[name] for name in reversed(written)}
    [wide] = calls_in(json.dumps({"calls": [turned], "flow-id": "FLOWAAAA"}, ensure_ascii=False, indent=4))

    assert tight.content == wide.content


@pytest.mark.parametrize(
    "other",
    [
        {"contact_numbers": ["919900000002"]},
        {"contact_numbers": ["+919900000001"]},
        {"keys": [{"name": "$flow.key.n", "value": ""}]},
        {"start_time": "2026-11-23T10:00:00+05:30"},
        {"not_after": "2026-11-23T10:00:00+05:30"},
    ],
    ids=lambda other: str(*other),
)
def test_content_differs_with_every_field_that_the_producer_wrote(other: dict[str, Any]) -> None:
    assert make_call("a", **other).content != make_call("a").content


def test_content_is_what_the_producer_wrote_before_defaults() -> None:
    body = body_of_calls(written_call())
    [early] = read(make_message(body, sent_at=SENT_AT))
    [late] = read(make_message(body, sent_at=datetime(2026, 11, 24, tzinfo=UTC)))

    assert early.start_time != late.start_time
    assert early.content == late.content


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.booleans()), min_size=1, max_size=4))
def test_written_out_again_calls_read_as_the_same_calls(texts: list[tuple[str, bool]]) -> None:
    fields = [
        {"keys": [{"name": "$flow.key.n", "value": text}]} | ({"start_time": "2026-11-23T10:00Z"} if is_timed else {})
        for text, is_timed in texts
    ]
    calls = calls_in(body_of_calls(*(written_call(str(index), **each) for index, each in enumerate(fields))))

    assert calls_in(write(calls)) == calls


def test_written_out_calls_hold_no_character_that_sqs_refuses() -> None:
    every_other = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600]))

    written = write([make_call(keys=[{"name": "$flow.key.n", "value": every_other}])])

    # SQS: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF; else InvalidMessageContents.
    assert [c for c in written if c < " " or c in "\ufffe\uffff"] == []
    assert json.loads(written)["calls"][0]["keys"][0]["value"] == every_other


def test_only_the_calls_asked_for_are_written_out() -> None:
    calls = calls_in(body_of_calls(*map(written_call, "abc")))

    assert json.loads(write(calls[1:2])) == {"flow-id": "FLOWAAAA", "calls": [written_call("b")]}


def test_neither_a_message_nor_a_call_shows_what_is_personal() -> None:
    message = make_message(body_of_calls(written_call(keys=[{"name": "$flow.key.n", "value": "Zoë"}])))

    for shown in (repr(message), repr(read(message))):
        assert "919900000001" not in shown
        assert "Zo" not in shown


def test_a_sent_timestamp_counts_milliseconds() -> None:
    assert sent_at_of("1795408200123") == datetime(2026, 11, 23, 4, 30, 0, 123_000, tzinfo=UTC)
