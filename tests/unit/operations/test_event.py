"""What an operator may ask for, and the sentences with which other events are refused."""

import pytest

from sealed_relay_operations.event import Event, InvalidEventError, read_event


def refusal_of(event: object) -> str:
    with pytest.raises(InvalidEventError) as caught:
        read_event(event)
    return str(caught.value)


def test_empty_event_is_a_slow_dry_run_over_all_entries() -> None:
    assert read_event({}) == Event(
        reasons=None,
        codes=None,
        flow_ids=None,
        min_age_seconds=60,
        max_age_seconds=None,
        dry_run=True,
        messages_per_second=10,
        max_messages=None,
    )


def test_every_field_is_read() -> None:
    assert read_event(
        {
            "reasons": ["EXPIRED", "REDRIVEN"],
            "codes": [213],
            "flow_ids": ["ALERTS01"],
            "min_age_seconds": 0,
            "max_age_seconds": 3600,
            "dry_run": False,
            "messages_per_second": 100,
            "max_messages": 5,
        }
    ) == Event(
        reasons=frozenset({"EXPIRED", "REDRIVEN"}),
        codes=frozenset({213}),
        flow_ids=frozenset({"ALERTS01"}),
        min_age_seconds=0,
        max_age_seconds=3600,
        dry_run=False,
        messages_per_second=100,
        max_messages=5,
    )


def test_unknown_field_is_named_together_with_the_allowed_fields() -> None:
    why = refusal_of({"reason": ["EXPIRED"]})
    assert "`reason`" in why
    assert "reasons, codes, flow_ids, min_age_seconds, max_age_seconds, dry_run" in why


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (
            "reasons",
            "EXPIRED",
            "`reasons` is a text: allowed is a list of one or more reasons in capital letters, such",
        ),
        ("reasons", ["expired"], "an item of `reasons` has the wrong form: allowed is a list"),
        ("reasons", ["A" * 65], "an item of `reasons` has the wrong form: allowed is a list"),
        ("reasons", [213], "an item of `reasons` is a whole number: allowed is a list"),
        ("codes", 213, "`codes` is a whole number: allowed is a list of one or more whole numbers, such as 213."),
        ("codes", ["213"], "an item of `codes` is a text: allowed is a list"),
        ("codes", [1.5], "an item of `codes` is a number with a fraction: allowed is a list"),
        ("flow_ids", ["ALERTS1"], "an item of `flow_ids` has the wrong form: allowed is a list"),
        ("flow_ids", ["ALERTS01\n"], "an item of `flow_ids` has the wrong form: allowed is a list"),
        ("min_age_seconds", -1, "`min_age_seconds` is out of range: allowed is a whole number of seconds, 0 or more."),
        ("max_age_seconds", "1h", "`max_age_seconds` is a text: allowed is a whole number of seconds"),
        ("dry_run", "no", "`dry_run` is a text: allowed is true or false."),
        ("dry_run", None, "`dry_run` is null: allowed is true or false."),
        ("messages_per_second", 0, "`messages_per_second` is out of range: allowed is a whole number from 1 to 100."),
        ("messages_per_second", 101, "`messages_per_second` is out of range: allowed"),
        ("max_messages", 0, "`max_messages` is out of range: allowed is a whole number, 1 or more."),
        ("max_messages", True, "`max_messages` is true or false: allowed is a whole number, 1 or more."),
    ],
)
def test_refusal_names_the_field_the_problem_and_what_is_allowed(field: str, value: object, sentence: str) -> None:
    assert refusal_of({field: value}).startswith(f"In the event {sentence}")


@pytest.mark.parametrize("field", ["reasons", "codes", "flow_ids"])
def test_empty_list_is_refused(field: str) -> None:
    assert refusal_of({field: []}).startswith(f"In the event `{field}` is empty: allowed is a list of one or more ")


def test_max_age_below_min_age_is_refused() -> None:
    why = refusal_of({"max_age_seconds": 59})
    assert why == "`max_age_seconds` is below `min_age_seconds`, which is 60: no entry fits both."


@pytest.mark.parametrize(("event", "kind"), [(None, "null"), ([], "a list"), ("EXPIRED", "a text")])
def test_event_that_is_no_object_is_refused(event: object, kind: str) -> None:
    assert refusal_of(event).startswith(f"The event is {kind}: allowed is an object with any of the fields reasons, ")


def test_event_of_a_queue_is_refused() -> None:
    assert refusal_of({"Records": []}).startswith("The event has the unknown field `Records`: allowed are reasons, ")


def test_every_field_is_named_among_the_allowed_fields() -> None:
    assert refusal_of(None).endswith(f" {', '.join(Event.__struct_fields__)}.")


def test_refusal_quotes_no_value() -> None:
    assert "919900000001" not in refusal_of({"flow_ids": ["919900000001"], "codes": ["919900000001"]})
