"""Which entries are moved, and why the others stay."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.codes import CODES
from sealed_relay_operations.reasons import (
    CLIENT_IDENTIFIER_REUSED,
    EXPIRED,
    INVALID_MESSAGE,
    REDRIVEN,
    TOO_LARGE,
    UNRESOLVED,
)
from sealed_relay_operations.replay.entry import Calls, Entry
from sealed_relay_operations.replay.selection import DELIVERED, Choice, choose
from sealed_relay_operations.request import Replay

BEGAN_AT = 1_000_000.0
REASONS = ["NO_DATA_AVAILABLE", EXPIRED, TOO_LARGE, UNRESOLVED, INVALID_MESSAGE, CLIENT_IDENTIFIER_REUSED, REDRIVEN]


def entry(reason: str = "NO_DATA_AVAILABLE", code: int | None = 213, age: float = 120, names: str = "a") -> Entry:
    calls = Calls("FLOWAAAA", tuple(f"FLOWAAAA/{name}" for name in names)) if names else Calls()
    return Entry("message", "handle", "body", reason, code, BEGAN_AT - age, calls)


def chosen(found: Entry, statuses: dict[str, str] | None = None, **event: Any) -> Choice:  # noqa: ANN401 - any field
    return choose(Replay(**event), found, BEGAN_AT, statuses or {})


def test_names_of_reasons_and_statuses_are_those_of_the_relay() -> None:
    assert (UNRESOLVED, INVALID_MESSAGE) == (Reason.UNRESOLVED, Reason.INVALID_MESSAGE)
    assert (Reason.EXPIRED, CODES[303].name) == (EXPIRED, TOO_LARGE)
    assert CLIENT_IDENTIFIER_REUSED == Reason.CLIENT_IDENTIFIER_REUSED
    assert Status.UNRESOLVED == UNRESOLVED
    assert {status for status in Status if status.is_delivered} == DELIVERED
    assert REDRIVEN not in set(Reason)


@pytest.mark.parametrize(
    ("reason", "choice"),
    [
        ("NO_DATA_AVAILABLE", Choice.MOVE),
        (EXPIRED, Choice.NOT_ASKED_FOR),
        (TOO_LARGE, Choice.NOT_ASKED_FOR),
        (REDRIVEN, Choice.MOVE),
        (UNRESOLVED, Choice.UNRESOLVED),
        (INVALID_MESSAGE, Choice.NOT_ASKED_FOR),
        (CLIENT_IDENTIFIER_REUSED, Choice.IDENTIFIER_REUSED),
    ],
)
def test_without_a_selection_five_reasons_stay(reason: str, choice: Choice) -> None:
    assert chosen(entry(reason)) is choice


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_can_be_asked_for_by_name(reason: str) -> None:
    assert chosen(entry(reason), reasons=frozenset({reason})) is Choice.MOVE
    assert chosen(entry(reason), reasons=frozenset({"UNKNOWN_FLOW"})) is Choice.NOT_ASKED_FOR


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        ({"codes": frozenset({213, 205})}, True),
        ({"codes": frozenset({205})}, False),
        ({"flow_ids": frozenset({"FLOWAAAA"})}, True),
        ({"flow_ids": frozenset({"FLOWBBBB"})}, False),
        ({"max_age_seconds": 120}, True),
        ({"max_age_seconds": 119}, False),
        ({"codes": frozenset({213}), "flow_ids": frozenset({"FLOWBBBB"})}, False),
    ],
)
def test_entry_must_fit_every_field_that_is_given(event: dict[str, Any], fits: bool) -> None:  # noqa: FBT001 - the expectation
    assert (chosen(entry(), **event) is Choice.MOVE) is fits


def test_reason_that_cannot_succeed_can_be_asked_for_by_its_code() -> None:
    assert chosen(entry(TOO_LARGE, code=303), codes=frozenset({303})) is Choice.MOVE


def test_entry_without_a_code_fits_no_list_of_codes() -> None:
    assert chosen(entry("EXPIRED", code=None), codes=frozenset({213})) is Choice.NOT_ASKED_FOR


@pytest.mark.parametrize(
    ("age", "event", "choice"),
    [
        (60, {}, Choice.MOVE),
        (59.999, {}, Choice.TOO_YOUNG),
        (59.999, {"min_age_seconds": 59}, Choice.MOVE),
        (119, {"min_age_seconds": 120}, Choice.TOO_YOUNG),
        (0, {"min_age_seconds": 0}, Choice.MOVE),
        (-0.001, {"min_age_seconds": 0}, Choice.TOO_YOUNG),  # it was sent after the run began
        (1, {"codes": frozenset({205})}, Choice.NOT_ASKED_FOR),
    ],
)
def test_entry_younger_than_the_minimum_age_stays(age: float, event: dict[str, Any], choice: Choice) -> None:
    assert chosen(entry(age=age), **event) is choice


def test_one_unresolved_call_withholds_its_entry() -> None:
    statuses = {"FLOWAAAA/a": "REJECTED", "FLOWAAAA/b": "UNRESOLVED"}
    assert chosen(entry(names="ab"), statuses) is Choice.UNRESOLVED
    assert chosen(entry(REDRIVEN, names="ab"), statuses, reasons=frozenset({REDRIVEN})) is Choice.UNRESOLVED
    assert chosen(entry(names="ab"), statuses, reasons=frozenset({UNRESOLVED, "NO_DATA_AVAILABLE"})) is Choice.MOVE


def test_entry_stays_only_if_all_its_calls_are_delivered() -> None:
    both = {"FLOWAAAA/a": "ACCEPTED", "FLOWAAAA/b": "PRESUMED_ACCEPTED"}
    assert chosen(entry(names="ab"), both) is Choice.DELIVERED
    assert chosen(entry(names="ab"), {"FLOWAAAA/a": "ACCEPTED"}) is Choice.MOVE


def test_reused_identifier_stays_unless_asked_for_by_name_although_delivered() -> None:
    reused, delivered = entry(CLIENT_IDENTIFIER_REUSED), {"FLOWAAAA/a": "ACCEPTED"}
    assert chosen(reused, delivered) is Choice.IDENTIFIER_REUSED
    assert chosen(reused, delivered, reasons=frozenset({CLIENT_IDENTIFIER_REUSED})) is Choice.MOVE


def test_reused_identifier_of_an_unresolved_call_stays_until_both_are_named() -> None:
    reused, unresolved = entry(CLIENT_IDENTIFIER_REUSED), {"FLOWAAAA/a": UNRESOLVED}
    assert chosen(reused, unresolved, reasons=frozenset({CLIENT_IDENTIFIER_REUSED})) is Choice.UNRESOLVED
    both = frozenset({CLIENT_IDENTIFIER_REUSED, UNRESOLVED})
    assert chosen(reused, unresolved, reasons=both) is Choice.MOVE


entries = st.builds(
    entry,
    reason=st.sampled_from(REASONS),
    code=st.none() | st.sampled_from([205, 213]),
    age=st.floats(-10, 200),
    names=st.sampled_from(["a", "ab", "abc"]),
)
on_record = st.dictionaries(st.sampled_from(["FLOWAAAA/a", "FLOWAAAA/b"]), st.sampled_from([str(s) for s in Status]))


def events(reasons: list[str] = REASONS) -> st.SearchStrategy[Replay]:
    return st.builds(
        Replay,
        reasons=st.none() | st.frozensets(st.sampled_from(reasons), min_size=1),
        codes=st.none() | st.frozensets(st.sampled_from([205, 213]), min_size=1),
        flow_ids=st.none() | st.frozensets(st.sampled_from(["FLOWAAAA", "FLOWBBBB"]), min_size=1),
        min_age_seconds=st.integers(0, 100),
    )


@given(events([reason for reason in REASONS if reason != UNRESOLVED]), entries, on_record)
def test_unresolved_call_is_never_moved_unless_asked_for_by_name(
    event: Replay, found: Entry, statuses: dict[str, str]
) -> None:
    unresolved = statuses | {found.calls.call_ids[-1]: UNRESOLVED}
    assert choose(event, found, BEGAN_AT, unresolved) in {
        Choice.UNRESOLVED,
        Choice.IDENTIFIER_REUSED,
        Choice.TOO_YOUNG,
        Choice.NOT_ASKED_FOR,
    }
    assert choose(event, entry(UNRESOLVED), BEGAN_AT, statuses) in {
        Choice.UNRESOLVED,
        Choice.TOO_YOUNG,
        Choice.NOT_ASKED_FOR,
    }


@given(events(), entries, st.sampled_from(sorted(DELIVERED)))
def test_entry_with_only_delivered_calls_moves_only_if_they_may_be_others(
    event: Replay, found: Entry, status: str
) -> None:
    choice = choose(event, found, BEGAN_AT, dict.fromkeys(found.calls.call_ids, status))
    if found.reason in {CLIENT_IDENTIFIER_REUSED, REDRIVEN}:
        assert choice is not Choice.DELIVERED
    else:
        assert choice is not Choice.MOVE


@given(events(), entries, on_record)
def test_more_conditions_never_choose_more_entries(event: Replay, found: Entry, statuses: dict[str, str]) -> None:
    if choose(event, found, BEGAN_AT, statuses) is Choice.MOVE:
        fewer_conditions = Replay(reasons=event.reasons, codes=event.codes, min_age_seconds=0)
        assert choose(fewer_conditions, found, BEGAN_AT, statuses) is Choice.MOVE
