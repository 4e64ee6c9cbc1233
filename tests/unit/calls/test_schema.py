"""The published JSON Schema, and that it says what the relay does."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import sealed_relay
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from sealed_relay.calls.schema import json_schema
from tests.support.messages import make_message

PUBLISHED = Path(sealed_relay.__file__).parents[1] / "queue-message.schema.json"
REGENERATE = (
    "PYTHONPATH=functions/relay python -c 'from sealed_relay.calls.schema import json_schema; print(json_schema())' "
    "> functions/relay/queue-message.schema.json"
)
VALIDATOR = Draft202012Validator(json.loads(json_schema()))

FLOW_IDS = st.sampled_from(["FLOWAAAA", "12345678", "FLOW", "FLOWAAAA\n", "FLOW-AAA", "", 12345678, None])
NAMES = st.sampled_from(["a", "é/#", "x" * 128, "😀" * 128, "x" * 129, "", "a\n", "\x7f", "\x9f", 1, None])
NUMBERS = st.sampled_from(["9" * 10, "+" + "9" * 15, "9" * 9, "9" * 16, "9" * 10 + "\n", "٩" * 10, "9 9", 9900000001])
VARIABLES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["$flow.key.n", "$flow.key.é b", "$flow.key.", "$flow.key.n\n", "$flow.key.\u2028", "n", 1]
        )
    },
    optional={"value": st.sampled_from(["", "v\n", 1]), "other": st.just("x")},
)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "client-identifier": NAMES,
        "contact-numbers": st.lists(NUMBERS, max_size=2) | st.none(),
        "keys": st.lists(VARIABLES, max_size=2) | st.none(),
        "start-time": st.just("2026-11-23T10:30:00+05:30") | st.none(),
        "not-after": st.just("2026-11-23T10:30:00Z") | st.integers(),
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


def is_read(body: str) -> bool:
    try:
        read(make_message(body))
    except InvalidMessageError:
        return False
    return True


def test_published_schema_is_the_one_in_the_code() -> None:
    assert PUBLISHED.read_text("utf-8") == json_schema() + "\n", f"Publish it anew: {REGENERATE}"


def test_schema_is_valid_json_schema() -> None:
    Draft202012Validator.check_schema(json.loads(json_schema()))


@given(MESSAGES | CALLS | st.none() | st.lists(MESSAGES, max_size=1))
def test_schema_and_relay_agree(message: object) -> None:
    assert VALIDATOR.is_valid(message) == is_read(json.dumps(message))


def test_schema_and_relay_take_message_with_every_field() -> None:
    message = {
        "flow-id": "FLOWAAAA",
        "calls": [
            {
                "client-identifier": "a",
                "contact-numbers": ["919900000001", "+919900000002"],
                "start-time": "2026-11-23T10:30:00+05:30",
                "keys": [{"name": "$flow.key.n", "value": "v"}],
                "not-after": "2026-11-23T12:30:00+05:30",
            }
        ],
    }

    assert VALIDATOR.is_valid(message)
    assert is_read(json.dumps(message))
