import io
import re

import pytest
from rich.console import Console

from local.run.accounting import Failure
from local.run.messages import generated_messages
from local.run.send_and_wait import send_and_wait
from sealed_relay.calls.outcome import Status
from tests.local.run.scripted_relay import Clock, ScriptedRelay

CALL = "ALERTS01/generated-1-run1"


def outcome_of(relay: ScriptedRelay, messages: int = 1) -> tuple[int, str]:
    """The exit status of a run, and what it printed."""
    console, clock = Console(file=io.StringIO(), width=80, soft_wrap=True), Clock()
    sent = list(generated_messages(messages, ["ALERTS01"], "-run1"))
    status = send_and_wait(relay, sent, "-run1", console, max_wait_seconds=60, clock=clock, sleep=clock.sleep)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


def test_run_with_agreeing_accounts_exits_0_and_says_so() -> None:
    status, printed = outcome_of(ScriptedRelay(), messages=3)
    assert status == 0
    assert "All 3 calls are accounted for" in printed


@pytest.mark.parametrize(
    ("relay", "complaint"),
    [
        (ScriptedRelay(taken_times=2), f"{CALL}: ACCEPTED on record, but taken 2 times by the API"),
        (ScriptedRelay(taken_times=0), f"{CALL}: ACCEPTED on record, but never taken by the API"),
        (ScriptedRelay(Status.WAITING, taken_times=0), f"{CALL}: WAITING on record, which is not final"),
        (ScriptedRelay(Status.REJECTED, taken_times=0), f"{CALL}: REJECTED on record, but not in the failure queue"),
        (ScriptedRelay(backlog_seen=[0] + [2] * 1000), "the queues hold 2 messages more than before the run"),
    ],
)
def test_run_with_contradicting_accounts_exits_1_and_names_the_call(relay: ScriptedRelay, complaint: str) -> None:
    status, printed = outcome_of(relay)
    assert status == 1
    assert complaint in printed


def test_run_shows_both_queues() -> None:
    _, printed = outcome_of(ScriptedRelay(), messages=20)
    assert re.search(r"ingress queue +18 +18 ", printed)
    assert re.search(r"urgent queue +2 +2 ", printed)


def test_run_waits_for_slow_calls() -> None:
    assert outcome_of(ScriptedRelay(looks_until_final=20))[0] == 0


def test_run_waits_until_the_queue_is_as_before() -> None:
    relay = ScriptedRelay(backlog_seen=[5, 7, 6, 5, 99])
    assert outcome_of(relay)[0] == 0
    assert relay.backlog_seen == [99]


def test_rejected_call_in_the_failure_queue_is_accounted_for() -> None:
    failure = Failure("m0", "INVALID_CONTACT_NUMBER", 205, (CALL,))
    status, printed = outcome_of(ScriptedRelay(Status.REJECTED, taken_times=0, failures=[failure]))
    assert status == 0
    assert "205 INVALID_CONTACT_NUMBER" in printed


def test_run_leaves_the_failures_of_others_in_the_queue() -> None:
    foreign = Failure("somebody's", "FAILURE", 500, ("ALERTS01/other",))
    relay = ScriptedRelay(failures=[foreign])
    assert outcome_of(relay)[0] == 0
    assert relay.failures == [foreign]


def test_audit_counts_only_the_requests_of_the_run() -> None:
    _, printed = outcome_of(ScriptedRelay(requests=7))
    assert re.search(r"requests received +1\b", printed)


def test_run_without_an_audit_compares_records_and_failure_queue() -> None:
    status, printed = outcome_of(ScriptedRelay(has_audit=False, taken_times=0))
    assert status == 0
    assert "audit" not in printed


def test_longest_code_names_fit_on_both_sides_of_80_columns() -> None:
    failure = Failure("m0", "UNRESOLVED", 210, (CALL,))
    relay = ScriptedRelay(Status.UNRESOLVED, failures=[failure], answer="210 INVALID_MANDATORY_PARAMETERS")
    _, printed = outcome_of(relay)
    assert re.search(
        r"^210 INVALID_MANDATORY_PARAMETERS +1 +210 INVALID_MANDATORY_PARAMETERS +1 *$", printed, re.MULTILINE
    )


def test_run_says_how_long_it_took() -> None:
    _, printed = outcome_of(ScriptedRelay(looks_until_final=2))
    assert "The run took 0.6 s" in printed
