import io

import pytest
from rich.console import Console

from local.chaos.chaos_report import per_million
from local.chaos.chaos_run import Plan, run_chaos
from local.chaos.fault_schedule import KillProcess
from local.chaos.inject_faults import FaultInjector
from local.run.accounting import Failure
from local.run.messages import generated_messages
from sealed_relay.calls.outcome import Status
from tests.local.chaos.test_inject_faults import PlannedFaults, RecordedProcesses
from tests.local.run.scripted_relay import Clock, ScriptedRelay


def outcome_of(relay: ScriptedRelay, calls: int = 4) -> tuple[int, str]:
    """The exit status of a chaos run, and what it printed."""
    console, clock = Console(file=io.StringIO(), width=80, soft_wrap=True), Clock()
    plan = Plan([KillProcess(0, 0.5)], list(generated_messages(calls, ["ALERTS01"], "-run1")), "-run1", seconds=30)
    injector = FaultInjector(RecordedProcesses(), PlannedFaults())
    status = run_chaos(relay, injector, plan, console, max_wait_seconds=60, clock=clock, sleep=clock.sleep)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


def test_run_without_loss_or_duplicate_exits_0() -> None:
    relay = ScriptedRelay()
    status, printed = outcome_of(relay)
    assert status == 0
    assert len(relay.call_ids) == 4
    assert "All 4 calls are accounted for" in printed
    assert "function processes killed" in printed


@pytest.mark.parametrize(
    ("relay", "complaint"),
    [
        (ScriptedRelay(taken_times=2), "ALERTS01/generated-1-run1: ACCEPTED on record, but taken 2 times by the API"),
        (ScriptedRelay(taken_times=0), "ALERTS01/generated-1-run1: ACCEPTED on record, but never taken by the API"),
        (ScriptedRelay(Status.WAITING), "ALERTS01/generated-1-run1: WAITING on record, which is not final"),
        (
            ScriptedRelay(failures=[Failure("m0", "", None, ("ALERTS01/generated-1-run1",))]),
            "ALERTS01/generated-1-run1: ACCEPTED on record, and redriven by SQS itself",
        ),
    ],
)
def test_run_with_wrong_accounts_exits_1_and_names_the_call(relay: ScriptedRelay, complaint: str) -> None:
    status, printed = outcome_of(relay)
    assert status == 1
    assert complaint in printed


@pytest.mark.parametrize(("count", "calls", "shown"), [(0, 10_000, "0"), (1, 10_000, "100"), (1, 3_000_000, "1")])
def test_one_loss_in_many_millions_is_shown_as_1(count: int, calls: int, shown: str) -> None:
    assert per_million(count, calls) == shown
