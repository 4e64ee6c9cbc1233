"""The event that `make replay` invokes the function with, and what it prints of the answer."""

import re

import pytest

from local.replay import event_of, show
from local.stack.paths import REPOSITORY
from sealed_relay_operations.answer import Answer, Counts
from sealed_relay_operations.event import Event, InvalidEventError, read_event

OPTIONS_OF_MAKE = re.findall(
    r"--[a-z-]+", (REPOSITORY / "Makefile").read_text().split("-m local replay")[1].split("\n\n")[0]
)


def event_with(**given: str) -> dict[str, object]:
    """The event that make asks for: it passes all its options, and those without a value are empty."""
    values = {"dry_run": "yes"} | given
    return event_of([word for option in OPTIONS_OF_MAKE for word in (option, values.get(field_of(option), ""))])


def field_of(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def test_make_has_an_option_for_each_field_of_the_event() -> None:
    assert {field_of(option) for option in OPTIONS_OF_MAKE} == set(Event.__struct_fields__)


def test_make_replay_without_variables_is_a_dry_run_over_all_entries() -> None:
    assert event_with() == {"dry_run": True}


def test_each_variable_becomes_a_field_of_the_event() -> None:
    event = event_with(
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


def test_text_in_place_of_a_number_is_refused_by_the_function() -> None:
    with pytest.raises(InvalidEventError, match="min_age_seconds"):
        read_event(event_with(min_age_seconds="1h"))


def test_counts_are_printed_by_reason_and_in_total(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts(seen=41, chosen=30, withheld=5, delivered=6, too_young=7, moved=0, left=41)
    show(Answer(dry_run=True, complete=False, total=counts, by_reason={"EXPIRED": counts}))
    said = capsys.readouterr().out
    assert "EXPIRED" in said
    assert "41" in said
    assert "nothing was moved" in said
    assert "7 entries were too young" in said
    assert "Run it again" in said


def test_complete_run_prints_only_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    show(Answer(dry_run=False, complete=True))
    said = capsys.readouterr().out
    assert "total" in said
    assert "dry run" not in said
    assert "too young" not in said
    assert "Run it again" not in said
