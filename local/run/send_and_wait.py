"""The steps of a run: send, wait until every call has ended, gather the evidence, and print the accounts."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rich.console import Console

from local.run.accounting import Audit, Evidence, Failure, Record, SentMessage, unaccounted
from local.run.messages import OutgoingMessage
from local.run.progress import Report, progress_on
from local.run.report import show_accounts, show_conclusion

_SHORTEST_PAUSE_SECONDS = 0.3
# The local AWS is one process: while it answers reads of thousands of records, it cannot work on messages.
_PAUSES_PER_LOOK = 3.0


class RelayUnderTest(Protocol):
    """A running relay, seen from outside as by producers and operators, and the simulator behind it."""

    def send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        """Put messages on their queues."""

    def backlog(self) -> int:
        """Return how many messages the queues hold, visible or not, of any run."""

    def records(self, call_ids: Sequence[str]) -> dict[str, Record]:
        """Return the outcome records of these calls, as far as there are any."""

    def take_failures(self, message_ids: set[str]) -> list[Failure]:
        """Take the failures of these messages from the failure queue, and no others."""

    def audit(self, suffix: str) -> Audit | None:
        """Return the simulator's audit of the calls whose id ends in `suffix`; None with another gateway."""


def send_and_wait(
    relay: RelayUnderTest,
    messages: Sequence[OutgoingMessage],
    suffix: str,
    console: Console,
    *,
    max_wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send messages, wait until all calls have ended, and print the accounts. Return the exit status, 0 or 1.

    Every client identifier of the messages ends in `suffix`. After `max_wait_seconds` the accounts are printed in any
    case. `clock` returns seconds.
    """
    audit_before, backlog_before = relay.audit(suffix), relay.backlog()
    started_at = clock()
    evidence = Evidence(relay.send(messages), {}, [])
    with progress_on(console, clock) as report:
        deadline = Deadline(clock() + max_wait_seconds, clock, sleep)
        evidence, left_over = wait_until_accounted(relay, evidence, backlog_before, report, deadline)
    seconds = clock() - started_at
    evidence = with_audit(evidence, audit_before, relay.audit(suffix))
    show_accounts(console, evidence)
    console.print(f"The run took {seconds:.1f} s, from the first message sent to the last call ended.")
    return show_conclusion(console, evidence, left_over)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When to stop waiting: `ends_at` is a time of `clock`, in seconds. `sleep` waits for so many seconds."""

    ends_at: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]


def wait_until_accounted(
    relay: RelayUnderTest, evidence: Evidence, backlog_before: int, report: Report, deadline: Deadline
) -> tuple[Evidence, int]:
    """Poll until every call has ended. Return the evidence, and how many more messages the queue holds than before."""
    while True:
        looked_at = deadline.clock()
        evidence = refresh_evidence(relay, evidence)
        missing = unaccounted(evidence)
        report(sum(call_id not in missing for call_id in evidence.call_ids), len(evidence.call_ids))
        # Wait also until the queue is as before: it may still hold duplicates, and the audit must show their effect.
        left_over = max(0, relay.backlog() - backlog_before)
        if deadline.clock() >= deadline.ends_at or not (missing or left_over):
            return _read_evidence(relay, evidence, evidence.call_ids), left_over
        deadline.sleep(max(_SHORTEST_PAUSE_SECONDS, _PAUSES_PER_LOOK * (deadline.clock() - looked_at)))


def refresh_evidence(relay: RelayUnderTest, evidence: Evidence) -> Evidence:
    """Read the records of calls without a final one, and the failure queue."""
    known = evidence.records
    pending = [call_id for call_id in evidence.call_ids if call_id not in known or not known[call_id].status.is_final]
    return _read_evidence(relay, evidence, pending)


def _read_evidence(relay: RelayUnderTest, evidence: Evidence, call_ids: Sequence[str]) -> Evidence:
    return replace(
        evidence,
        records={**evidence.records, **relay.records(call_ids)},
        failures=[*evidence.failures, *relay.take_failures({message.message_id for message in evidence.sent})],
    )


def with_audit(evidence: Evidence, before: Audit | None, after: Audit | None) -> Evidence:
    """Add what the simulator did between two audits."""
    if before is None or after is None:
        return evidence
    return replace(evidence, audit=Audit(after.taken, Counter(after.answers) - Counter(before.answers)))
