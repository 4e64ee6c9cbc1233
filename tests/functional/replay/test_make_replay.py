"""What `make replay` asks the function for, and what it prints of the answer."""

import argparse

import pytest

from local.replay import event_of, show
from sealed_relay_replay.answer import Answer, Counts
from sealed_relay_replay.event import Event, InvalidEventError, read_event

NOTHING_GIVEN = dict.fromkeys(
    ["reasons", "codes", "flow_ids", "min_age_seconds", "max_age_seconds", "messages_per_second", "max_messages"], ""
)


def asked(**given: str) -> dict[str, object]:
    return event_of(argparse.Namespace(**NOTHING_GIVEN | {"dry_run": "yes"} | given))


def test_without_variables_it_is_a_dry_run_over_everything() -> None:
    assert asked() == {"dry_run": True}


def test_every_variable_becomes_the_field_that_the_function_reads() -> None:
    event = asked(
        dry_run="no",
        reasons="EXPIRED, REDRIVEN",
        codes="205,213",
        flow_ids="ALERTS01",
        min_age_seconds="60",
        max_age_seconds="3600",
        messages_per_second="5",
        max_messages="7",
    )
    assert event.keys() == set(Event.__struct_fields__)
    assert read_event(event).codes == frozenset({205, 213})
    assert read_event(event).reasons == frozenset({"EXPIRED", "REDRIVEN"})


def test_what_is_no_number_is_left_to_the_function_to_refuse() -> None:
    with pytest.raises(InvalidEventError, match="min_age_seconds"):
        read_event(asked(min_age_seconds="1h"))


def test_the_counts_are_printed_by_reason_and_together(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts(seen=41, chosen=30, withheld=5, delivered=6, moved=0, left=41)
    show(Answer(dry_run=True, complete=False, total=counts, by_reason={"EXPIRED": counts}))
    said = capsys.readouterr().out
    assert "EXPIRED" in said
    assert "41" in said
    assert "nothing was moved" in said
    assert "begin another" in said


def test_a_finished_run_says_no_more_than_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    show(Answer(dry_run=False, complete=True))
    said = capsys.readouterr().out
    assert "together" in said
    assert "dry run" not in said
    assert "begin another" not in said
