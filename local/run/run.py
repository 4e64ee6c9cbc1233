"""The story of a run: send, wait until every call has met its end, gather the evidence, and draw up the accounts."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rich.console import Console

from local.run.accounting import Audit, Evidence, Failure, Record, SentMessage, unaccounted
from local.run.messages import OutgoingMessage
from local.run.progress import Report, progress_on
from local.run.report import conclude, show

_SHORTEST_PAUSE_SECONDS = 0.3
# The local AWS is one process, and looking at thousands of records keeps it from working on them.
_PAUSES_PER_LOOK = 3.0


class RelaySeenFromOutside(Protocol):
    """A running relay as its producers and operators see it, and the simulator behind it."""

    def send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        """Put messages on the ingress queue."""

    def backlog(self) -> int:
        """How many messages the ingress queue holds, in sight or not, of any run."""

    def records(self, call_ids: Sequence[str]) -> dict[str, Record]:
        """The outcome records there are of these calls."""

    def take_failures(self, message_ids: set[str]) -> list[Failure]:
        """Take from the failure queue what came of these messages, and nothing else."""

    def audit(self, suffix: str) -> Audit | None:
        """The simulator's, with the calls whose id ends so; None with another gateway."""


def run(
    relay: RelaySeenFromOutside,
    messages: Sequence[OutgoingMessage],
    suffix: str,
    console: Console,
    *,
    patience_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send messages, wait until all of them met their end, and print the accounts; the exit status, 0 or 1.

    `suffix` ends every client identifier of the messages. After `patience_seconds` the accounts are drawn up as they
    are. `clock` tells seconds.
    """
    audit_before, backlog_before = relay.audit(suffix), relay.backlog()
    evidence = Evidence(relay.send(messages), {}, [])
    with progress_on(console, clock) as report:
        patience = Patience(clock() + patience_seconds, clock, sleep)
        evidence, left_over = wait_for_the_end(relay, evidence, backlog_before, report, patience)
    evidence = with_audit(evidence, audit_before, relay.audit(suffix))
    show(console, evidence)
    return conclude(console, evidence, left_over)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: until `deadline` of `clock`, in seconds; `sleep` lets seconds pass."""

    deadline: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]


def wait_for_the_end(
    relay: RelaySeenFromOutside, evidence: Evidence, backlog_before: int, report: Report, patience: Patience
) -> tuple[Evidence, int]:
    """Look until all that was sent met its end; the evidence, and how many messages too many the queue still holds."""
    while True:
        looked_at = patience.clock()
        evidence = look_again(relay, evidence)
        missing = unaccounted(evidence)
        report(sum(call_id not in missing for call_id in evidence.call_ids), len(evidence.call_ids))
        # Until the queue is as it was: duplicates may still be on their way, and the audit must see what they do.
        left_over = max(0, relay.backlog() - backlog_before)
        if patience.clock() >= patience.deadline or not (missing or left_over):
            return _look(relay, evidence, evidence.call_ids), left_over
        patience.sleep(max(_SHORTEST_PAUSE_SECONDS, _PAUSES_PER_LOOK * (patience.clock() - looked_at)))


def look_again(relay: RelaySeenFromOutside, evidence: Evidence) -> Evidence:
    """Ask for the records of calls that had no final one, and look into the failure queue."""
    known = evidence.records
    pending = [call_id for call_id in evidence.call_ids if call_id not in known or not known[call_id].status.is_final]
    return _look(relay, evidence, pending)


def _look(relay: RelaySeenFromOutside, evidence: Evidence, call_ids: Sequence[str]) -> Evidence:
    return replace(
        evidence,
        records={**evidence.records, **relay.records(call_ids)},
        failures=[*evidence.failures, *relay.take_failures({message.message_id for message in evidence.sent})],
    )


def with_audit(evidence: Evidence, before: Audit | None, after: Audit | None) -> Evidence:
    """Add what the simulator did between two looks at its audit."""
    if before is None or after is None:
        return evidence
    return replace(evidence, audit=Audit(after.taken, Counter(after.answers) - Counter(before.answers)))
