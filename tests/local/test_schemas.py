"""The published schemas: that they are current, and that the queue message's says what the relay does."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from local.schemas import FOLDER, asyncapi, failure_entry, outcome_event, published, queue_message
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from tests.support.messages import make_message

VALIDATOR = Draft202012Validator(queue_message())
TIME = queue_message()["properties"]["calls"]["items"]["properties"]["start-time"]["pattern"]

FLOW_IDS = st.sampled_from(["FLOWAAAA", "12345678", "FLOW", "FLOWAAAA\n", "FLOW-AAA", "", 12345678, None])
NAMES = st.sampled_from(["a", "é/#", '"\\', "x" * 128, "😀" * 128, "x" * 129, "", "a\n", "\x7f", "\x9f", 1, None])
NUMBERS = st.sampled_from(["9" * 10, "+" + "9" * 15, "9" * 9, "9" * 16, "9" * 10 + "\n", "٩" * 10, "9 9", 9900000001])
VARIABLES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["$flow.key.n", "$flow.key.é b", "$flow.key.", "$flow.key.n\n", "$flow.key.\u2028", "n", 1]
        )
    },
    optional={"value": st.sampled_from(["", "v\n", 1]), "other": st.just("x")},
)
CALENDAR_DATES = st.dates().map(lambda date: date.isoformat())
DATES = st.one_of(
    CALENDAR_DATES,
    CALENDAR_DATES.map(lambda date: date.replace("-", "")),
    st.sampled_from(["2026-02-29", "2024-02-29", "20240229", "1900-02-29", "2000-02-29", "2026-04-31", "2026-13-01"]),
    st.sampled_from(["0000-01-01", "0001-12-31", "9998-12-31", "9999-01-01", "12026-01-01", "2026-W48-1", "2026-327"]),
)
TIMES_OF_DAY = st.sampled_from(
    ["10", "1030", "10:30", "10:30:00", "103000", "10:30:00.5", "10:30:00,123456789", "10:30:00." + "1" * 60]
) | st.sampled_from(
    ["10:30:00.", "10:30.5", "1030:00", "10:3000", "24:00", "23:59:59", "10:60", "10:30:60", "9:30", ""]
)
OFFSETS = st.sampled_from(
    ["Z", "+05:30", "-0530", "+23:59", "-23:59", "-00:00", "+05", "z", "", "+24:00", "+05:60", "+05:30:15", "Z\n", " Z"]
)
TIMES = st.one_of(
    st.builds("{}{}{}{}".format, DATES, st.sampled_from(["T", "t", " ", "_", ""]), TIMES_OF_DAY, OFFSETS),
    st.from_regex(TIME),
    st.sampled_from(["", "tomorrow", "1795408200", "٢٠٢٦-11-23T10:30:00Z", None, 0]),
)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "client-identifier": NAMES,
        "contact-numbers": st.lists(NUMBERS, max_size=2) | st.none(),
        "keys": st.lists(VARIABLES, max_size=2) | st.none(),
        "start-time": TIMES,
        "not-after": TIMES,
        "client_identifier": st.just("a"),
    },
)
WELL_FORMED_CALLS = st.fixed_dictionaries(
    {"client-identifier": NAMES, "contact-numbers": st.lists(NUMBERS, min_size=1, max_size=2)},
    optional={"keys": st.lists(VARIABLES, max_size=1)},
)
MESSAGES = st.fixed_dictionaries(
    {"flow-id": FLOW_IDS},
    # One call at most: that names differ is beyond what a schema can say.
    optional={"calls": st.lists(WELL_FORMED_CALLS | CALLS, max_size=1) | st.none(), "extra": st.none()},
)


def why_not_read(message: object) -> str:
    """Why the relay refuses the message; empty if it takes it."""
    try:
        read(make_message(json.dumps(message)))
    except InvalidMessageError as error:
        return str(error)
    return ""


def message_at(time: object) -> dict[str, Any]:
    call = {"client-identifier": "a", "contact-numbers": ["919900000001"], "start-time": time}
    return {"flow-id": "FLOWAAAA", "calls": [call]}


@pytest.mark.parametrize("name", published())
def test_published_file_is_the_one_that_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == published()[name], "Publish it anew: make schemas"


def test_nothing_else_is_published() -> None:
    assert {file.name for file in FOLDER.iterdir()} == published().keys()


@pytest.mark.parametrize("schema", [queue_message(), failure_entry(), outcome_event()])
def test_schema_is_valid_json_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@given(MESSAGES | CALLS | st.none() | st.lists(MESSAGES, max_size=1))
def test_schema_and_relay_agree(message: object) -> None:
    problem = why_not_read(message)

    # A schema cannot compare two fields.
    assert VALIDATOR.is_valid(message) == (not problem or "`not-after` is before `start-time`" in problem)


@given(TIMES)
@example("0002-01-01T00:00:00+23:59")
@example("9998-12-31T23:59:59-23:59")
def test_schema_and_relay_agree_on_every_time(time: object) -> None:
    assert VALIDATOR.is_valid(message_at(time)) == (not why_not_read(message_at(time)))


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-23T10:30:00+05:30",
        "2026-11-23T05:00:00Z",
        "2026-11-23T10:30:00.123+05:30",
        "20261123T103000+0530",
        "2026-11-23 10:30+05:30",
    ],
)
def test_schema_and_relay_take_the_usual_spellings_of_a_time(time: str) -> None:
    assert VALIDATOR.is_valid(message_at(time))
    assert not why_not_read(message_at(time))


def test_schema_and_relay_take_message_with_every_field() -> None:
    message = message_at("2026-11-23T10:30:00+05:30")
    message["calls"][0] |= {
        "contact-numbers": ["919900000001", "+919900000002"],
        "keys": [{"name": "$flow.key.n", "value": "v"}],
        "not-after": "2026-11-23T12:30:00+05:30",
    }

    assert VALIDATOR.is_valid(message)
    assert not why_not_read(message)


def test_asyncapi_document_refers_only_to_what_is_there() -> None:
    documents = {name: json.loads(text) for name, text in published().items()}

    for reference in references_in(asyncapi()):
        file, _, pointer = reference.partition("#")
        target = documents[file or "asyncapi.json"]
        for step in pointer.split("/")[1:]:
            target = target[step]
        assert target


def test_asyncapi_document_has_one_operation_for_each_channel_and_message() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    used = [operation["channel"]["$ref"].rpartition("/")[2] for operation in document["operations"].values()]
    assert sorted(used) == sorted(document["channels"])
    messages = [name for channel in document["channels"].values() for name in channel["messages"]]
    assert set(messages) == set(document["components"]["messages"])


def references_in(value: object) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [reference for each in value.values() for reference in references_in(each)]
    return []
