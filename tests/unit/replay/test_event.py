"""What an operator may ask for, and what is refused with a sentence."""

import pytest

from sealed_relay_replay.event import Event, InvalidEventError, read_event


def why_not(event: object) -> str:
    with pytest.raises(InvalidEventError) as caught:
        read_event(event)
    return str(caught.value)


def test_an_empty_event_is_a_dry_run_over_everything_at_a_gentle_rate() -> None:
    assert read_event({}) == Event(
        reasons=None,
        codes=None,
        flow_ids=None,
        min_age_seconds=0,
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
            "min_age_seconds": 60,
            "max_age_seconds": 3600,
            "dry_run": False,
            "messages_per_second": 100,
            "max_messages": 5,
        }
    ) == Event(
        reasons=frozenset({"EXPIRED", "REDRIVEN"}),
        codes=frozenset({213}),
        flow_ids=frozenset({"ALERTS01"}),
        min_age_seconds=60,
        max_age_seconds=3600,
        dry_run=False,
        messages_per_second=100,
        max_messages=5,
    )


def test_an_unknown_field_is_named_with_those_that_are_allowed() -> None:
    why = why_not({"reason": ["EXPIRED"]})
    assert "`reason`" in why
    assert "reasons, codes, flow_ids, min_age_seconds, max_age_seconds, dry_run" in why


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reasons", "EXPIRED"),
        ("reasons", ["expired"]),
        ("reasons", [213]),
        ("codes", 213),
        ("codes", ["213"]),
        ("flow_ids", ["ALERTS1"]),
        ("flow_ids", ["ALERTS01\n"]),
        ("min_age_seconds", -1),
        ("max_age_seconds", "1h"),
        ("dry_run", "no"),
        ("dry_run", 0),
        ("messages_per_second", 0),
        ("messages_per_second", 101),
        ("max_messages", 0),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_its_field(field: str, value: object) -> None:
    assert f"`$.{field}" in why_not({field: value})


@pytest.mark.parametrize("field", ["reasons", "codes", "flow_ids"])
def test_an_empty_list_is_refused_for_it_would_read_as_everything(field: str) -> None:
    assert f"`$.{field}`" in why_not({field: []})


def test_ages_that_exclude_each_other_are_refused() -> None:
    why = why_not({"min_age_seconds": 60, "max_age_seconds": 59})
    assert "`max_age_seconds` is below `min_age_seconds`" in why


@pytest.mark.parametrize("event", [None, [], "EXPIRED", {"Records": []}])
def test_what_is_no_such_event_is_refused(event: object) -> None:
    assert why_not(event)


def test_a_refusal_quotes_no_value() -> None:
    assert "919900000001" not in why_not({"flow_ids": ["919900000001"], "codes": ["919900000001"]})
