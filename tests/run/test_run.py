import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from local.run.accounting import Audit, Failure, Record, SentMessage
from local.run.messages import OutgoingMessage, generated_messages
from local.run.run import run
from sealed_relay.outcome import Status

CALL = "ALERTS01/generated-1-run1"


@dataclass
class RelayOfLies:
    """Records every call as `status` after some looks, and audits whatever it is told to."""

    status: Status = Status.ACCEPTED
    taken_times: int = 1
    looks_until_final: int = 0
    backlog_seen: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    has_audit: bool = True
    call_ids: list[str] = field(default_factory=list)
    requests: int = 7

    def send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        self.call_ids = [call_id for message in messages for call_id in message.call_ids]
        self.requests += 1
        return [SentMessage(f"m{number}", message.call_ids) for number, message in enumerate(messages)]

    def backlog(self) -> int:
        return self.backlog_seen.pop(0) if self.backlog_seen else 0

    def records(self, call_ids: Sequence[str]) -> dict[str, Record]:
        self.looks_until_final -= 1
        status = self.status if self.looks_until_final < 0 else Status.SENDING
        return {call_id: Record(status, "r1") for call_id in call_ids}

    def take_failures(self, message_ids: set[str]) -> list[Failure]:
        taken = [failure for failure in self.failures if failure.source_message_id in message_ids]
        self.failures = [failure for failure in self.failures if failure not in taken]
        return taken

    def audit(self, suffix: str) -> Audit | None:
        taken = {call_id: ("uuid",) * self.taken_times for call_id in self.call_ids if call_id.endswith(suffix)}
        return Audit(taken if self.taken_times else {}, {"200 SUCCESS": self.requests}) if self.has_audit else None


class Clock:
    """Moved by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def outcome_of(relay: RelayOfLies, messages: int = 1) -> tuple[int, str]:
    """The exit status of a run, and what it printed."""
    console, clock = Console(file=io.StringIO(), width=80, soft_wrap=True), Clock()
    sent = list(generated_messages(messages, ["ALERTS01"], "-run1"))
    status = run(relay, sent, "-run1", console, patience_seconds=60, clock=clock, sleep=clock.sleep)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


def test_a_run_whose_accounts_agree_exits_0_and_says_so() -> None:
    status, printed = outcome_of(RelayOfLies(), messages=3)
    assert status == 0
    assert "All 3 calls are accounted for" in printed


@pytest.mark.parametrize(
    ("relay", "complaint"),
    [
        (RelayOfLies(taken_times=2), f"{CALL}: ACCEPTED on record, but taken 2 times by the API"),
        (RelayOfLies(taken_times=0), f"{CALL}: ACCEPTED on record, but never taken by the API"),
        (RelayOfLies(Status.WAITING, taken_times=0), f"{CALL}: WAITING on record, which is not final"),
        (RelayOfLies(Status.REJECTED, taken_times=0), f"{CALL}: REJECTED on record, but not in the failure queue"),
        (RelayOfLies(backlog_seen=[0] + [2] * 1000), "the ingress queue holds 2 messages more than before the run"),
    ],
)
def test_a_run_whose_accounts_disagree_exits_1_and_names_the_call(relay: RelayOfLies, complaint: str) -> None:
    status, printed = outcome_of(relay)
    assert status == 1
    assert complaint in printed


def test_a_run_waits_for_calls_that_take_their_time() -> None:
    assert outcome_of(RelayOfLies(looks_until_final=20))[0] == 0


def test_a_run_waits_for_the_queue_to_be_as_it_was_so_that_duplicates_show() -> None:
    relay = RelayOfLies(backlog_seen=[5, 7, 6, 5, 99])
    assert outcome_of(relay)[0] == 0
    assert relay.backlog_seen == [99]


def test_a_rejected_call_in_the_failure_queue_is_accounted_for_with_its_reason() -> None:
    failure = Failure("m0", "INVALID_CONTACT_NUMBER", 205, (CALL,))
    status, printed = outcome_of(RelayOfLies(Status.REJECTED, taken_times=0, failures=[failure]))
    assert status == 0
    assert "205 INVALID_CONTACT_NUMBER" in printed


def test_a_run_leaves_the_failures_of_others_in_the_queue() -> None:
    foreign = Failure("somebody's", "FAILURE", 500, ("ALERTS01/other",))
    relay = RelayOfLies(failures=[foreign])
    assert outcome_of(relay)[0] == 0
    assert relay.failures == [foreign]


def test_the_audit_counts_only_the_requests_of_the_run() -> None:
    _, printed = outcome_of(RelayOfLies(requests=7))
    assert re.search(r"requests received +1\b", printed)


def test_without_an_audit_the_records_and_the_failure_queue_have_to_do() -> None:
    status, printed = outcome_of(RelayOfLies(has_audit=False, taken_times=0))
    assert status == 0
    assert "audit" not in printed
