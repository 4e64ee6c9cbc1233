import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.run.messages import (
    EVENTS,
    OutgoingMessage,
    event_files,
    event_messages,
    for_flows,
    generated_messages,
    read_outgoing,
)
from local.simulator.check_call import TEST_NUMBERS
from local.stack.flows import FLOW_IDS
from local.stack.sam_env_vars import ENV_VARS_FILE
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import Message, read, sent_at_of

FILES = event_files()


def parsed(body: str) -> list[str]:
    """The ids of the calls that the relay itself finds."""
    try:
        calls = read(Message("id", "receipt", body, datetime.now(UTC), 1))
    except InvalidMessageError:
        return []
    return [call.call_id for call in calls]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_event_file_has_the_form_of_a_lambda_event_from_sqs(file: Path) -> None:
    for record in json.loads(file.read_text())["Records"]:
        assert record["eventSource"] == "aws:sqs"
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert {"messageId", "receiptHandle", "messageAttributes", "eventSourceARN", "awsRegion"} <= record.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_event_file_never_becomes_too_old(file: Path) -> None:
    # The relay gives up on what was sent a day ago, and these were sent in the year 2100.
    for record in json.loads(file.read_text())["Records"]:
        assert sent_at_of(record["attributes"]["SentTimestamp"]) == datetime(2100, 1, 1, tzinfo=UTC)


def test_relay_and_run_read_the_same_calls_from_the_events() -> None:
    misspelt = "ALERTS01/misspelt-field-1"
    for message in event_messages("-1"):
        expected = [call_id for call_id in message.call_ids if call_id != misspelt]
        assert parsed(message.body) == expected


def test_events_are_for_the_flows_of_the_local_stack() -> None:
    assert {message.flow_id for message in event_messages("-1")} == {"", *FLOW_IDS}


def test_events_provoke_every_code_with_scope_call() -> None:
    bodies = "".join(message.body for message in event_messages(""))
    assert {number for number in TEST_NUMBERS if f'"{number}"' in bodies} == set(TEST_NUMBERS)


def test_every_client_identifier_of_the_events_gets_the_suffix() -> None:
    call_ids = [call_id for message in event_messages("-run1") for call_id in message.call_ids]
    assert call_ids
    assert all(call_id.endswith("-run1") for call_id in call_ids)


def test_suffix_changes_only_client_identifiers() -> None:
    originals = [record["body"] for file in FILES for record in json.loads(file.read_text())["Records"]]
    assert [message.body for message in event_messages("")] == [read_outgoing(body).body for body in originals]


def test_generated_messages_are_valid_and_different_and_use_every_flow() -> None:
    messages = list(generated_messages(5, FLOW_IDS, "-run1"))
    for message in messages:
        assert parsed(message.body) == list(message.call_ids)
    assert [message.flow_id for message in messages] == [FLOW_IDS[n % 2] for n in range(5)]
    assert len({call_id for message in messages for call_id in message.call_ids}) == 5


def test_generated_messages_use_no_test_number() -> None:
    numbers = {
        number
        for message in generated_messages(2000, FLOW_IDS, "")
        for call in json.loads(message.body)["calls"]
        for number in call["contact-numbers"]
    }
    assert not numbers & TEST_NUMBERS.keys()


def test_messages_of_other_flows_are_left_out_but_unreadable_ones_stay() -> None:
    known = OutgoingMessage("1", "ALERTS01", ("ALERTS01/a",))
    other = OutgoingMessage("2", "OTHER001", ("OTHER001/a",))
    unreadable = OutgoingMessage("3", "", ())
    assert for_flows([known, other, unreadable], ["ALERTS01"]) == [known, unreadable]


def test_file_with_variables_of_make_up_is_not_an_event(tmp_path: Path) -> None:
    (tmp_path / "single-call.json").write_bytes((EVENTS / "single-call.json").read_bytes())
    (tmp_path / ENV_VARS_FILE.name).write_text('{"RelayFunction": {}}')
    assert [file.name for file in event_files(tmp_path)] == ["single-call.json"]
    assert len(event_messages("-run1", tmp_path)) == 1
