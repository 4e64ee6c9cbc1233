"""JSON text, and the sentence for a text that is not JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.wrapping import FieldTwice, decode


def why_not(text: str) -> str:
    with pytest.raises(InvalidMessageError) as caught:
        decode(text, "the body")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("call Zoe", "line 1, column 1: this is not what JSON allows here"),
        ('{"flow-id": "FLOWAAAA"', "line 1, column 23: the text ends too early"),
        ('{"flow-id": "FLOW', "line 1, column 13: a text begins that does not end"),
        ('{\n  "flow-id": "FLOWAAAA"\n  "calls": []\n}', "line 3, column 3: this is not what JSON allows here"),
        ("{}\n{}", "line 2, column 1: more text follows the end of the JSON value"),
        ('["a\nb"]', "line 1, column 4: a control character is not escaped"),
        ('["\\x"]', "line 1, column 3: a backslash begins no valid escape"),
        ("{'flow-id': 1}", "line 1, column 2: this is not what JSON allows here"),
    ],
)
def test_text_that_is_not_json_is_told_with_line_and_column(text: str, problem: str) -> None:
    assert why_not(text) == f"The body is not JSON: {problem}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The body is empty; a JSON object is allowed."),
        (" \n", "The body is empty; a JSON object is allowed."),
        ("\ufeff{}", "The body begins with a byte-order mark (U+FEFF); JSON begins without one."),
        ("[NaN]", "The text holds NaN, which JSON does not have; null is allowed."),
        ("-Infinity", "The text holds -Infinity, which JSON does not have; null is allowed."),
        ("[" * 100_000, "The body nests lists or objects too deeply; a queue message has 5 levels."),
        ('{"flow-id":' * 100_000, "The body nests lists or objects too deeply; a queue message has 5 levels."),
    ],
    ids=lambda text: text[:20],
)
def test_text_with_well_known_problem_is_told_as_that(text: str, sentence: str) -> None:
    assert why_not(text) == sentence


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_json_without_numbers_is_decoded_as_it_is(value: object) -> None:
    assert decode(json.dumps(value), "the body") == value


@pytest.mark.parametrize("text", ["1", "1" * 5000, "-0", "1e999", "0.5"])
def test_number_of_any_length_is_decoded_as_float(text: str) -> None:
    assert isinstance(decode(text, "the body"), float)


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '{"a": 1, "\\u0061": 1}', '{"b": 1, "a": {}, "a": []}'])
def test_object_with_field_twice_is_decoded_as_field_twice(text: str) -> None:
    [value] = decode(f"[{text}]", "the body")

    assert isinstance(value, FieldTwice)
    assert value.field == "a"
