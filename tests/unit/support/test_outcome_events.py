"""The evaluator of the pipe's filter and input template follows AWS's documentation."""

from typing import Any

import pytest

from tests.support.outcome_events import INPUT_TEMPLATE, fill_in, is_match

EVENT = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"status": {"S": "ACCEPTED"}, "code": {"N": "200"}}}}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({}, True),
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": ["ACCEPTED"]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": ["accepted"]}}}}, False),
        ({"dynamodb": {"NewImage": {"status": {"N": ["ACCEPTED"]}}}}, False),
        ({"dynamodb": {"OldImage": {"status": {"S": ["ACCEPTED"]}}}}, False),
        ({"eventName": ["MODIFY"], "eventSource": ["aws:dynamodb"]}, False),
        ({"eventName": {"S": ["MODIFY"]}}, False),
    ],
)
def test_pattern_matches_if_each_field_has_one_of_its_values(pattern: dict[str, Any], matches: bool) -> None:  # noqa: FBT001
    assert is_match(pattern, EVENT) is matches


def test_pattern_with_another_comparison_is_not_evaluated() -> None:
    with pytest.raises(NotImplementedError):
        is_match({"eventName": [{"prefix": "MOD"}]}, EVENT)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{"code": "<$.dynamodb.NewImage.code.N>"}', '{"code": "200"}'),
        ('{"a": "<$.dynamodb.NewImage.other.S>"}', '{"a": ""}'),
        ("<$.eventName> of <$.dynamodb.NewImage.status.S>", "MODIFY of ACCEPTED"),
    ],
)
def test_template_has_values_in_place_of_paths(template: str, text: str) -> None:
    assert fill_in(template, EVENT) == text


def test_template_escapes_nothing() -> None:
    assert fill_in('{"a": "<$.a>"}', {"a": '", "b": "'}) == '{"a": "", "b": ""}'


def test_template_with_an_object_in_place_of_a_text_is_not_evaluated() -> None:
    with pytest.raises(NotImplementedError):
        fill_in('"<$.dynamodb>"', EVENT)


def test_each_value_of_the_pipes_template_is_in_quotes() -> None:
    assert INPUT_TEMPLATE.count('"<$.') == INPUT_TEMPLATE.count("<") == INPUT_TEMPLATE.count('>"') > 0
