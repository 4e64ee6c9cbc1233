"""The calls in an entry's body are those that the relay would read there."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.stack.paths import REPOSITORY
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import Message, read
from sealed_relay_operations.replay.entry import Calls, calls_in
from tests.support import canaries
from tests.support.messages import message_body

EVENTS = sorted((REPOSITORY / "events").glob("*.json"))


def read_by_the_relay(body: str) -> list[str] | None:
    message = Message("message", "handle", body, datetime(2026, 11, 23, tzinfo=UTC), 1)
    try:
        return [call.call_id for call in read(message)]
    except InvalidMessageError:
        return None


@pytest.mark.parametrize("path", [p for p in EVENTS if p.name != "local-env.json"], ids=lambda path: path.stem)
def test_calls_of_each_example_event_are_those_the_relay_reads(path: Path) -> None:
    for record in json.loads(path.read_text())["Records"]:
        expected = read_by_the_relay(record["body"])
        assert expected is None or list(calls_in(record["body"]).call_ids) == expected


_BODIES = st.lists(st.text(min_size=1, max_size=128), min_size=1, max_size=4).map(lambda names: message_body(*names))


@given(_BODIES, st.sampled_from(["bare", "sns", "eventbridge"]))
def test_readable_body_has_the_relays_calls_in_each_wrapping(body: str, wrapping: str) -> None:
    wrapped: dict[str, Any] = {
        "bare": json.loads(body),
        "sns": {"Type": "Notification", "Message": body},
        "eventbridge": {"detail-type": "call", "detail": json.loads(body)},
    }
    written = json.dumps(wrapped[wrapping])
    expected = read_by_the_relay(written)
    assert expected is None or list(calls_in(written).call_ids) == expected


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.from_type(dict).map(str))
def test_text_that_is_no_message_has_no_calls(body: str) -> None:
    assert calls_in(body) == Calls()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[" * 100_000,
        '{"flow-id": "#request", "calls": [{"client-identifier": "x"}]}',
        '{"flow-id": "FLOWAAAA", "calls": [{"client-identifier": ""}]}',
        json.dumps({"flow-id": "FLOWAAAA", "calls": [{"client-identifier": "x" * 129}]}),
        '{"Type": "Notification", "Message": "{"}',
    ],
)
def test_body_without_valid_call_ids_has_no_calls(body: str) -> None:
    assert calls_in(body) == Calls()


def test_flow_id_is_read_with_the_calls() -> None:
    assert calls_in(message_body("a", "b")) == Calls("FLOWAAAA", ("FLOWAAAA/a", "FLOWAAAA/b"))


@pytest.mark.parametrize("what", canaries.UNREADABLE)
def test_unreadable_body_raises_no_error(what: str) -> None:
    calls_in(canaries.UNREADABLE[what])
