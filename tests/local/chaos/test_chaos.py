import io

import pytest
from rich.console import Console

from local.chaos.chaos import Plan, chaos
from local.chaos.report import per_million
from local.chaos.storm import Storm
from local.chaos.weather import Kill
from local.run.accounting import Failure
from local.run.messages import generated_messages
from sealed_relay.calls.outcome import Status
from tests.local.chaos.test_storm import PlannedFaults, RecordedVictims
from tests.local.run.relay_of_lies import Clock, RelayOfLies


def outcome_of(relay: RelayOfLies, calls: int = 4) -> tuple[int, str]:
    """The exit status of a chaos run, and what it printed."""
    console, clock = Console(file=io.StringIO(), width=80, soft_wrap=True), Clock()
    plan = Plan([Kill(0, 0.5)], list(generated_messages(calls, ["ALERTS01"], "-run1")), "-run1", seconds=30)
    storm = Storm(RecordedVictims(), PlannedFaults())
    status = chaos(relay, storm, plan, console, patience_seconds=60, clock=clock, sleep=clock.sleep)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


def test_a_storm_without_a_loss_or_a_duplicate_exits_0() -> None:
    relay = RelayOfLies()
    status, printed = outcome_of(relay)
    assert status == 0
    assert len(relay.call_ids) == 4
    assert "All 4 calls are accounted for" in printed
    assert "function processes killed" in printed


@pytest.mark.parametrize(
    ("relay", "complaint"),
    [
        (RelayOfLies(taken_times=2), "ALERTS01/generated-1-run1: ACCEPTED on record, but taken 2 times by the API"),
        (RelayOfLies(taken_times=0), "ALERTS01/generated-1-run1: ACCEPTED on record, but never taken by the API"),
        (RelayOfLies(Status.WAITING), "ALERTS01/generated-1-run1: WAITING on record, which is not final"),
        (
            RelayOfLies(failures=[Failure("m0", "", None, ("ALERTS01/generated-1-run1",))]),
            "ALERTS01/generated-1-run1: ACCEPTED on record, and redriven by SQS itself",
        ),
    ],
)
def test_a_fault_in_the_accounts_exits_1_and_names_the_call(relay: RelayOfLies, complaint: str) -> None:
    status, printed = outcome_of(relay)
    assert status == 1
    assert complaint in printed


@pytest.mark.parametrize(("count", "calls", "shown"), [(0, 10_000, "0"), (1, 10_000, "100"), (1, 3_000_000, "1")])
def test_one_in_many_million_is_never_shown_as_none(count: int, calls: int, shown: str) -> None:
    assert per_million(count, calls) == shown
