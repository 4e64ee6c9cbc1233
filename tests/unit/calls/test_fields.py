"""What breaks the contract, and the sentence that tells the producer."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import read
from tests.support.messages import NUMBER, body_of_calls, make_message, written_call

CANARY = "912233445566"

FLOW_ID_RULE = "8 letters or digits are allowed."
OTHER_CHARACTERS = "has other characters than the letters A to Z and a to z and the digits 0 to 9"
NAME_RULE = "1 to 128 printable characters are allowed."
NUMBER_RULE = "10 to 15 digits with an optional leading + are allowed."
VARIABLE_RULE = "`$flow.key.` and the variable's name, on one line, are allowed."
TIME_RULE = "ISO 8601 with an offset is allowed, as in 2026-11-23T10:30:00+05:30."
YEAR_RULE = "has a year out of range; the years 0002 to 9998 are allowed."
CALL_FIELDS = "`client-identifier`, `contact-numbers`, `start-time`, `keys` and `not-after`"
VARIABLE = {"name": "$flow.key.n", "value": "v"}
ONE_CALL = '{"flow-id": "FLOWAAAA", "calls": [{"client-identifier": "a", "contact-numbers": ["919900000001"]}]}'


def why_not(body: str) -> str:
    with pytest.raises(InvalidMessageError) as caught:
        read(make_message(body))
    return str(caught.value)


def why_not_call(**fields: object) -> str:
    """The sentence about a call with a valid identifier, without its place."""
    sentence = why_not(body_of_calls(written_call("order-1", **fields)))
    assert sentence.startswith('In call "order-1"')
    return sentence.removeprefix('In call "order-1"').removeprefix(": ").removeprefix(", ")


@pytest.mark.parametrize(
    ("flow_id", "problem"),
    [
        ("", "is too short: 0 of at least 8 characters"),
        ("FLOWAAA", "is too short: 7 of at least 8 characters"),
        ("FLOWAAAAA", "is too long: 9 of at most 8 characters"),
        ("FLOWAAAA\n", "is too long: 9 of at most 8 characters"),
        *((flow_id, OTHER_CHARACTERS) for flow_id in ("FLOW-AAA", "FLOWÄAAA", "FLOWAAA\n", "\nFLOWAAA", "٣" * 8)),
        (1, "is a number, not text"),
        (None, "is null, not text"),
    ],
)
def test_flow_id_with_problem_is_refused(flow_id: object, problem: str) -> None:
    assert why_not(body_of_calls(written_call(), flow_id=flow_id)) == f"`flow-id` {problem}; {FLOW_ID_RULE}"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("x" * 129, "is too long: 129 of at most 128 characters"),
        *(
            (name, "has a character that cannot be printed")
            for name in ("a\n", "\n", "a\x00b", "a\x7f", "a\x85", "\u200b", "\u2028", "\xa0", "\ufeff", "\uffff")
        ),
        ("a\ud800", "has a lone surrogate, which is half of a character"),
        (7, "is a number, not text"),
        (None, "is null, not text"),
        (["a"], "is a list, not text"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_client_identifier_with_problem_is_refused_by_position(name: object, problem: str) -> None:
    body = body_of_calls(written_call(), written_call(name))

    assert why_not(body) == f"In call 2: `client-identifier` {problem}; {NAME_RULE}"


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("", "is too short: 0 of at least 10 digits"),
        ("+", "is too short: 0 of at least 10 digits"),
        ("9" * 9, "is too short: 9 of at least 10 digits"),
        ("9" * 16, "is too long: 16 of at most 15 digits"),
        ("9" * 200_000, "is too long: 200000 of at most 15 digits"),
        ("9900O00001", "has letters"),
        ("call Zoë", "has letters"),
        ("++" + "9" * 10, "has a + after its beginning"),
        ("9" * 10 + "+", "has a + after its beginning"),
        ("99000 00001", "has other characters than the digits 0 to 9"),
        ("9" * 10 + "\n", "has other characters than the digits 0 to 9"),
        ("٩" * 12, "has other characters than the digits 0 to 9"),
        (9900000001, "is a number, not text"),
        (None, "is null, not text"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_contact_number_with_problem_is_refused(number: object, problem: str) -> None:
    sentence = why_not_call(contact_numbers=[NUMBER, number])

    assert sentence == f"entry 2 of `contact-numbers`: the number {problem}; {NUMBER_RULE}"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"contact_numbers": []}, "`contact-numbers` is empty; 1 or more are allowed."),
        ({"contact_numbers": None}, "`contact-numbers` is null; a list is allowed."),
        ({"contact_numbers": NUMBER}, "`contact-numbers` is text; a list is allowed."),
        ({"keys": None}, "`keys` is null; a list is allowed."),
        ({"keys": {"$flow.key.n": "v"}}, "`keys` is an object; a list is allowed."),
        ({"start_time": None}, f"`start-time` is null, not text; {TIME_RULE}"),
        ({"not_after": 1_795_408_200}, f"`not-after` is a number, not text; {TIME_RULE}"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_field_with_problem_is_named_in_the_sentence(fields: dict[str, object], sentence: str) -> None:
    assert why_not_call(**fields) == sentence


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("v", "the flow variable is text; an object with `name` and `value` is allowed."),
        ({"name": "$flow.key.n"}, "`value` is missing; it is required."),
        ({"value": "v"}, "`name` is missing; it is required."),
        (VARIABLE | {"value": 1}, "`value` is a number, not text; text is allowed."),
        (VARIABLE | {"value": True}, "`value` is true or false, not text; text is allowed."),
        (
            VARIABLE | {"value": "\ud83d"},
            "`value` has a lone surrogate, which is half of a character; whole characters are allowed.",
        ),
        *(
            (VARIABLE | {"name": name}, f"`name` does not begin with `$flow.key.`; {VARIABLE_RULE}")
            for name in ("", "n", "flow.key.n", "$flowXkey.n", " $flow.key.n")
        ),
        (VARIABLE | {"name": "$flow.key."}, f"`name` has nothing after `$flow.key.`; {VARIABLE_RULE}"),
        (VARIABLE | {"name": "$flow.key.n\n"}, f"`name` has a line break; {VARIABLE_RULE}"),
        (VARIABLE | {"name": 1}, f"`name` is a number, not text; {VARIABLE_RULE}"),
        (VARIABLE | {"type": "text"}, "there is an unknown field; `name` and `value` are allowed."),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_flow_variable_with_problem_is_refused_by_position(variable: object, sentence: str) -> None:
    assert why_not_call(keys=[VARIABLE, variable]) == f"entry 2 of `keys`: {sentence}"


@pytest.mark.parametrize("field", ["start-time", "not-after"])
@pytest.mark.parametrize(
    ("time", "problem"),
    [
        ("", f"is empty; {TIME_RULE}"),
        ("2" * 65, f"is too long: 65 of at most 64 characters; {TIME_RULE}"),
        *(
            (time, f"has no offset from UTC; {TIME_RULE}")
            for time in ("2026-11-23", "2026-11-23T10:30:00", "1795-04-08T20:00")
        ),
        *(
            (time, f"is not a time; {TIME_RULE}")
            for time in (
                "tomorrow",
                "2026-11-23T10:30:00 Europe/Oslo",
                "2026-11-23T25:00:00Z",
                "2026-02-30T10:30:00Z",
                "2026-11-23T10:30:00+24:00",
                "2026-11-23T10:30:00Z\n",
                "2026-11-23T10:30:00\ud800",
                "2026-W48-1T10:30:00Z",
                "2026-11-23T10:30.5Z",
                "2026-11-23T10:30:00+05:30:15",
                "2026-11-23T1030:00Z",
                "2025-02-29T10:30:00Z",
                "1900-02-29T10:30:00Z",
                "1795408200",
                "919900000001",
                "٢٠٢٦-11-23T10:30:00Z",
            )
        ),
        *(
            (time, YEAR_RULE)
            for time in (
                "0000-01-01T00:00:00Z",
                "10000-01-01T00:00:00Z",
                "+02026-11-23T10:30:00Z",
                "0001-12-31T23:59:59Z",
                "9999-01-01T00:00:00Z",
            )
        ),
    ],
)
def test_time_with_problem_is_refused(field: str, time: str, problem: str) -> None:
    sentence = why_not_call(**{field: time})

    assert sentence == f"`{field}` {problem}"
    assert "919900000001" not in sentence


def test_not_after_before_start_time_is_refused() -> None:
    sentence = why_not_call(start_time="2026-11-23T10:30:01+05:30", not_after="2026-11-23T05:00:00Z")

    assert sentence == "`not-after` is before `start-time`; the same time or a later one is allowed."


def test_not_after_equal_to_start_time_is_allowed() -> None:
    call = written_call(start_time="2026-11-23T10:30:00+05:30", not_after="2026-11-23T05:00:00Z")

    assert len(read(make_message(body_of_calls(call)))) == 1


def test_not_after_before_default_start_time_is_allowed() -> None:
    # Such a call expires. It is no mistake of the producer if the message waited.
    assert len(read(make_message(body_of_calls(written_call(not_after="2020-01-01T00:00:00Z"))))) == 1


@pytest.mark.parametrize("missing", ["client-identifier", "contact-numbers"])
def test_missing_field_of_call_is_named(missing: str) -> None:
    call = written_call("order-1")
    del call[missing]

    name = "1" if missing == "client-identifier" else '"order-1"'
    assert why_not(body_of_calls(call)) == f"In call {name}: `{missing}` is missing; it is required."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"calls": [{}]}', "`flow-id` is missing; it is required."),
        ('{"flow-id": "FLOWAAAA"}', "`calls` is missing; it is required."),
        ('{"flow-id": "FLOWAAAA", "calls": []}', "`calls` is empty; 1 or more are allowed."),
        ('{"flow-id": "FLOWAAAA", "calls": {}}', "`calls` is an object; a list is allowed."),
        *(
            (body, f"The message is {kind}; an object with `flow-id` and `calls` is allowed.")
            for body, kind in (
                ("null", "null"),
                ("[]", "a list"),
                ("1", "a number"),
                ("1e999", "a number"),
                ("1" * 5000, "a number"),
                ("true", "true or false"),
                ('"FLOWAAAA"', "text"),
                (json.dumps([{"flow-id": "FLOWAAAA", "calls": []}]), "a list"),
            )
        ),
        (
            body_of_calls(written_call(), 0),
            f"In call 2: the call is a number; an object with {CALL_FIELDS} is allowed.",
        ),
    ],
    ids=lambda value: value[:30],
)
def test_message_of_other_shape_is_refused(body: str, sentence: str) -> None:
    assert why_not(body) == sentence


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("contact-number", "contact-numbers"),
        ("contact_numbers", "contact-numbers"),
        ("contactNumbers", "contact-numbers"),
        ("key", "keys"),
        ("START-TIME", "start-time"),
        ("clientidentifier", "client-identifier"),
    ],
)
def test_unknown_field_close_to_known_one_is_named(field: str, meant: str) -> None:
    body = body_of_calls({"client-identifier": "order-1", field: NUMBER})

    assert why_not(body) == f'In call "order-1": `{field}` is an unknown field; did you mean `{meant}`?'


def test_unknown_field_of_message_close_to_known_one_is_named() -> None:
    assert why_not('{"flow_id": "FLOWAAAA"}') == "`flow_id` is an unknown field; did you mean `flow-id`?"


@pytest.mark.parametrize(
    "field",
    [CANARY, "Zoe", f"+{CANARY}\x00", "\x01\ufffe\ud83d\ude00", "x" * 200_000, "contact-numbers-of-Zoe", "keys1", ""],
    ids=lambda name: repr(name[:9]),
)
def test_unknown_field_that_may_be_data_is_not_named(field: str) -> None:
    assert why_not_call(**{field: "v"}) == f"there is an unknown field; {CALL_FIELDS} are allowed."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (ONE_CALL[:-1] + ', "calls": []}', "`calls` is written twice; each field is allowed once."),
        (
            ONE_CALL.replace("}]}", ', "contact-numbers": ["919900000002"]}]}'),
            'In call "a": `contact-numbers` is written twice; each field is allowed once.',
        ),
        (
            ONE_CALL.replace("}]}", ', "keys": [{"name": "$flow.key.n", "value": "", "v\\u0061lue": ""}]}]}'),
            'In call "a", entry 1 of `keys`: `value` is written twice; each field is allowed once.',
        ),
        ('{"912233445566": 1, "912233445566": 2}', "A field is written twice; each field is allowed once."),
    ],
    ids=["message", "call", "flow variable spelled with an escape", "unknown"],
)
def test_field_that_is_written_twice_is_refused(body: str, sentence: str) -> None:
    assert why_not(body) == sentence


def test_client_identifier_that_is_there_twice_is_refused_by_positions() -> None:
    sentence = why_not(body_of_calls(written_call("a"), written_call("b"), written_call("a", contact_numbers=[CANARY])))

    assert sentence == "In call 3: `client-identifier` is also that of call 1; it may be there once in a message."


def test_client_identifier_that_may_be_a_contact_number_is_not_quoted() -> None:
    sentence = why_not(body_of_calls(written_call(CANARY, contact_numbers=[])))

    assert sentence == "In call 1: `contact-numbers` is empty; 1 or more are allowed."


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(CANARY),
        lambda children: (
            st.lists(children)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *("flow-id", "calls", "client-identifier", "contact-numbers", "keys", "start-time", "detail"),
                        *("detail-type", "Type", "Message", "name", "value", CANARY),
                    ]
                ),
                children,
            )
        ),
    )
)
def test_refused_message_has_sentence_of_plain_words_without_values(body: object) -> None:
    sentence = why_not(json.dumps(body))

    assert CANARY not in sentence
    assert sentence.isascii()
    assert sentence.isprintable()  # SQS refuses message attributes with control characters
    assert sentence[-1] in ".?"
    assert len(sentence) < 500
    assert not re.search(r"[\\^\[\]{}]|\bstr\b|\bint\b|\bdict\b|\barray\b", sentence)


@given(st.text())
def test_any_text_is_refused_with_invalid_message_error(body: str) -> None:
    why_not(body)
