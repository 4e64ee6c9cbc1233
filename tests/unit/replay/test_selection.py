"""Which entries are moved, withheld, or left."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.outcome import Reason, Status
from sealed_relay_replay.entry import Calls, Entry
from sealed_relay_replay.event import INVALID_MESSAGE, REDRIVEN, UNRESOLVED, Event
from sealed_relay_replay.selection import DELIVERED, Choice, choose

BEGAN_AT = 1_000_000.0
REASONS = ["NO_DATA_AVAILABLE", "EXPIRED", "UNKNOWN_FLOW", UNRESOLVED, INVALID_MESSAGE, REDRIVEN]


def entry(reason: str = "NO_DATA_AVAILABLE", code: int | None = 213, age: float = 60, names: str = "a") -> Entry:
    calls = Calls("FLOWAAAA", tuple(f"FLOWAAAA/{name}" for name in names)) if names else Calls()
    return Entry("message", "handle", "body", reason, code, BEGAN_AT - age, calls)


def chosen(found: Entry, statuses: dict[str, str] | None = None, **event: Any) -> Choice:  # noqa: ANN401 - any field
    return choose(Event(**event), found, BEGAN_AT, statuses or {})


def test_the_names_are_those_of_the_relay() -> None:
    assert (UNRESOLVED, INVALID_MESSAGE) == (Reason.UNRESOLVED, Reason.INVALID_MESSAGE)
    assert Status.UNRESOLVED == UNRESOLVED
    assert {status for status in Status if status.is_delivered} == DELIVERED
    assert REDRIVEN not in set(Reason)


@pytest.mark.parametrize(
    ("reason", "choice"),
    [
        ("NO_DATA_AVAILABLE", Choice.MOVE),
        ("EXPIRED", Choice.MOVE),
        (REDRIVEN, Choice.MOVE),
        (UNRESOLVED, Choice.WITHHOLD),
        (INVALID_MESSAGE, Choice.LEAVE),
    ],
)
def test_without_a_selection_all_is_moved_but_what_may_be_delivered_and_what_nobody_can_read(
    reason: str, choice: Choice
) -> None:
    assert chosen(entry(reason)) is choice


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_can_be_asked_for_by_name(reason: str) -> None:
    assert chosen(entry(reason), reasons=frozenset({reason})) is Choice.MOVE
    assert chosen(entry(reason), reasons=frozenset({"ANOTHER"})) is Choice.LEAVE


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        ({"codes": frozenset({213, 205})}, True),
        ({"codes": frozenset({205})}, False),
        ({"flow_ids": frozenset({"FLOWAAAA"})}, True),
        ({"flow_ids": frozenset({"FLOWBBBB"})}, False),
        ({"min_age_seconds": 60}, True),
        ({"min_age_seconds": 61}, False),
        ({"max_age_seconds": 60}, True),
        ({"max_age_seconds": 59}, False),
        ({"codes": frozenset({213}), "flow_ids": frozenset({"FLOWBBBB"})}, False),
    ],
)
def test_an_entry_must_fit_every_field_that_is_given(event: dict[str, Any], fits: bool) -> None:  # noqa: FBT001 - the expectation
    assert (chosen(entry(), **event) is Choice.MOVE) is fits


def test_an_entry_without_a_code_fits_no_code() -> None:
    assert chosen(entry("EXPIRED", code=None), codes=frozenset({213})) is Choice.LEAVE


def test_what_came_after_the_run_began_is_left_to_another_one() -> None:
    assert chosen(entry(age=-0.001)) is Choice.LEAVE


def test_one_call_that_may_have_been_delivered_withholds_its_entry() -> None:
    statuses = {"FLOWAAAA/a": "REJECTED", "FLOWAAAA/b": "UNRESOLVED"}
    assert chosen(entry(names="ab"), statuses) is Choice.WITHHOLD
    assert chosen(entry(REDRIVEN, names="ab"), statuses, reasons=frozenset({REDRIVEN})) is Choice.WITHHOLD
    assert chosen(entry(names="ab"), statuses, reasons=frozenset({UNRESOLVED, "NO_DATA_AVAILABLE"})) is Choice.MOVE


def test_an_entry_is_left_once_all_its_calls_are_delivered() -> None:
    both = {"FLOWAAAA/a": "ACCEPTED", "FLOWAAAA/b": "PRESUMED_ACCEPTED"}
    assert chosen(entry(names="ab"), both) is Choice.LEAVE_DELIVERED
    assert chosen(entry(names="ab"), {"FLOWAAAA/a": "ACCEPTED"}) is Choice.MOVE


entries = st.builds(
    entry,
    reason=st.sampled_from(REASONS),
    code=st.none() | st.sampled_from([205, 213]),
    age=st.floats(-10, 200),
    names=st.sampled_from(["a", "ab", "abc"]),
)
on_record = st.dictionaries(st.sampled_from(["FLOWAAAA/a", "FLOWAAAA/b"]), st.sampled_from([str(s) for s in Status]))


def events(reasons: list[str] = REASONS) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        reasons=st.none() | st.frozensets(st.sampled_from(reasons), min_size=1),
        codes=st.none() | st.frozensets(st.sampled_from([205, 213]), min_size=1),
        flow_ids=st.none() | st.frozensets(st.sampled_from(["FLOWAAAA", "FLOWBBBB"]), min_size=1),
        min_age_seconds=st.integers(0, 100),
    )


@given(events([reason for reason in REASONS if reason != UNRESOLVED]), entries, on_record)
def test_what_may_have_been_delivered_is_never_moved_unless_asked_for_by_name(
    event: Event, found: Entry, statuses: dict[str, str]
) -> None:
    doubtful = statuses | {found.calls.call_ids[-1]: UNRESOLVED}
    assert choose(event, found, BEGAN_AT, doubtful) in {Choice.WITHHOLD, Choice.LEAVE}
    assert choose(event, entry(UNRESOLVED), BEGAN_AT, statuses) in {Choice.WITHHOLD, Choice.LEAVE}


@given(events(), entries, st.sampled_from(sorted(DELIVERED)))
def test_no_entry_is_moved_for_the_sake_of_delivered_calls_alone(event: Event, found: Entry, status: str) -> None:
    assert choose(event, found, BEGAN_AT, dict.fromkeys(found.calls.call_ids, status)) is not Choice.MOVE


@given(events(), entries, on_record)
def test_another_condition_never_chooses_more(event: Event, found: Entry, statuses: dict[str, str]) -> None:
    if choose(event, found, BEGAN_AT, statuses) is Choice.MOVE:
        assert choose(Event(reasons=event.reasons), found, BEGAN_AT, statuses) is Choice.MOVE
