"""The requests that `make replay`, `pause`, `resume` and `status` invoke the function with, and what they print."""

import re

import msgspec
import pytest

from local.operations import request_of, text_of
from local.stack.paths import REPOSITORY
from sealed_relay_operations.pauses import PauseChange, PauseState
from sealed_relay_operations.ports import Messages
from sealed_relay_operations.reasons import FAILURES
from sealed_relay_operations.replay.answer import Answer, Counts
from sealed_relay_operations.request import InvalidRequestError, Pause, Replay, Resume, Status, read_request
from sealed_relay_operations.status import StatusAnswer

KINDS = {"replay": Replay, "pause": Pause, "resume": Resume, "status": Status}
BY_OPERATOR = PauseState("ALERTS01", "MAINTENANCE", None, "2026-11-24T10:00:00+00:00", None, is_by_operator=True)


def options_of_make(action: str) -> list[str]:
    command = (REPOSITORY / "Makefile").read_text().split(f"-m local operations {action}")[1].split("\n\n")[0]
    return re.findall(r"--[a-z-]+(?==)", command)


def request_with(action: str, **given: str) -> dict[str, object]:
    """The request that make asks for: it passes all its options, and those without a value are empty."""
    values = {"dry_run": "yes"} | given
    return request_of([action, *(f"{each}={values.get(field_of(each), '')}" for each in options_of_make(action))])


def field_of(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


@pytest.mark.parametrize("action", KINDS)
def test_make_has_an_option_for_each_field_of_a_request(action: str) -> None:
    assert {field_of(option) for option in options_of_make(action)} == set(KINDS[action].__struct_fields__)


def test_make_replay_without_variables_is_a_dry_run_over_all_entries() -> None:
    assert request_with("replay") == {"action": "replay", "dry_run": True}


def test_each_variable_of_make_replay_becomes_a_field() -> None:
    request = request_with(
        "replay",
        dry_run="no",
        reasons="EXPIRED, REDRIVEN",
        codes="205,213",
        flow_ids="ALERTS01",
        min_age_seconds="60",
        max_age_seconds="3600",
        messages_per_second="5",
        max_messages="7",
    )
    replay = read_request(request)
    assert isinstance(replay, Replay)
    assert request.keys() == {"action", *Replay.__struct_fields__}
    assert (replay.codes, replay.reasons) == (frozenset({205, 213}), frozenset({"EXPIRED", "REDRIVEN"}))
    assert not replay.dry_run


def test_pause_resume_and_status_are_requests_of_a_flow_or_the_account() -> None:
    assert read_request(request_with("pause", reason="MAINTENANCE")) == Pause(reason="MAINTENANCE")
    assert read_request(request_with("pause", flow="ALERTS01", reason="X")) == Pause(flow="ALERTS01", reason="X")
    assert read_request(request_with("resume", flow="ALERTS01")) == Resume(flow="ALERTS01")
    assert read_request(request_with("status")) == Status()


@pytest.mark.parametrize(
    ("action", "field", "text"),
    [
        ("replay", "min_age_seconds", "1h"),
        ("replay", "min_age_seconds", "-5"),
        ("replay", "reasons", "-x"),
        ("replay", "reasons", "EXPIRED,"),
        ("replay", "codes", "two"),
        ("pause", "flow", "ALERTS01,NOTICE02"),
        ("pause", "reason", "maintenance"),
        ("resume", "flow", "--all"),
    ],
)
def test_wrong_value_is_left_to_the_function_which_names_its_field(action: str, field: str, text: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{field}`"):
        read_request(request_with(action, **{field: text}))


def test_dry_run_other_than_yes_or_no_is_refused_in_one_sentence() -> None:
    with pytest.raises(SystemExit, match="DRY_RUN is maybe: allowed is yes or no"):
        request_with("replay", dry_run="maybe")


def test_counts_are_printed_by_reason_and_in_total_and_no_name_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    counts = Counts(seen=41, chosen=30, withheld=5, delivered=6, too_young=7, moved=0, left=41)
    by_reason = {reason: Counts() for reason in FAILURES} | {"EXPIRED": counts}
    answer = Answer(dry_run=True, complete=False, total=counts, by_reason=by_reason)

    said = text_of("replay", msgspec.json.encode(answer))

    words = said.split()
    assert {*FAILURES, *Counts.__struct_fields__, "total", "41"} <= set(words)
    assert "nothing was moved" in said
    assert "7 entries were too young" in said
    assert "Run it again." in said


def test_complete_replay_prints_only_its_counts() -> None:
    said = text_of("replay", msgspec.json.encode(Answer(dry_run=False, complete=True)))
    assert len(said.splitlines()) == 2


def test_status_shows_each_pause_and_each_queue() -> None:
    by_relay = PauseState("account", "INSUFFICIENT_BALANCE", 212, None, "2026-11-24T10:05:00+00:00", False)  # noqa: FBT003
    queues = {"ingress": Messages(3, 40), "failure": Messages(5, 0)}

    said = text_of("status", msgspec.json.encode(StatusAnswer([by_relay, BY_OPERATOR], queues)))

    assert [line.split() for line in said.splitlines()] == [
        ["paused", "reason", "code", "since", "next", "probe"],
        ["account", "INSUFFICIENT_BALANCE", "212", "not", "known", "2026-11-24T10:05:00+00:00"],
        ["ALERTS01", "MAINTENANCE", "2026-11-24T10:00:00+00:00", "none:", "resume", "it"],
        [],
        ["queue", "ready", "in", "flight"],
        ["ingress", "3", "40"],
        ["failure", "5", "0"],
    ]
    assert text_of("status", msgspec.json.encode(StatusAnswer([], queues))).startswith("Nothing is paused.\n")


def test_change_of_a_pause_is_told_in_one_line() -> None:
    def said(now: PauseState | None, before: PauseState | None) -> str:
        return text_of("pause", msgspec.json.encode(PauseChange("ALERTS01", now, before)))

    assert said(BY_OPERATOR, None) == "paused: ALERTS01, MAINTENANCE"
    assert said(BY_OPERATOR, BY_OPERATOR).startswith("paused: ALERTS01, MAINTENANCE; before: MAINTENANCE, since 2026")
    assert said(None, BY_OPERATOR).startswith("resumed: ALERTS01, which was paused for MAINTENANCE, since 2026-11-24")
    assert said(None, None) == "ALERTS01 was not paused"
