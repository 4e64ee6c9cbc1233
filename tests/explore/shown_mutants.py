"""The campaign's mutants that the explorer catches, and the scenario that shows each with the fewest deviations."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Shown:
    """A scenario shows the mutant by so many deviations."""

    scenario: str
    deviations: int = 0


SHOWN_BY: Mapping[str, Shown] = MappingProxyType(
    {
        "busy-claimed": Shown("duplicate-beside"),
        "fresh-bytes-on-a-resend": Shown("duplicate-of-lost"),
        "delivered-claimed-again": Shown("duplicate-in-batch"),
        "duplicate-leaves-too-soon": Shown("duplicate-beside"),
        "retry-shares-the-failure": Shown("retry-of-refused"),
        "failure-not-shared": Shown("duplicate-of-refused"),
        "sent-before-stored": Shown("one-call"),
        "settled-before-published": Shown("retry-of-refused"),
        "failures-not-published": Shown("retry-of-refused"),
        "answer-not-recorded": Shown("one-call"),
        "lost-answer-taken-for-not-sent": Shown("duplicate-of-lost"),
        "partial-success-taken-for-whole": Shown("partly-taken"),
        "waiting-acknowledged": Shown("partly-resent"),
        "budget-ignored": Shown("one-a-minute"),
        "reserve-ignored": Shown("reserve"),
        "failure-names-the-wrong-queue": Shown("refused-in-one-queue"),
        "deferred-in-the-wrong-queue": Shown("both-queues"),
        "pause-ignored": Shown("account-paused"),
        "probe-not-elected": Shown("account-paused"),
        "probe-always-due": Shown("account-paused"),
        "unresolved-not-recorded": Shown("retry-of-unresolved"),
        "unknown-code-taken-for-refusal": Shown("one-call", 1),
        "contradicted-code-believed": Shown("one-call", 1),
        "untrusted-list-trusted": Shown("one-call", 1),
        "repeated-taken-for-refused": Shown("one-call", 1),
        "unclear-answers-not-counted": Shown("retry-of-unresolved", 1),
        "retry-by-an-old-duplicate": Shown("duplicate-beside", 1),
        "lease-too-short": Shown("one-call", 1),
        "refused-resend-taken-for-proof": Shown("one-call", 1),
        "repeated-taken-for-accepted": Shown("no-checksums", 1),
        "deadline-not-checked": Shown("partly-resent", 1),
        "takeover-not-conditional": Shown("duplicate-of-lost", 1),
        "outcome-not-conditional": Shown("duplicate-of-lost", 1),
        "claim-not-conditional": Shown("duplicate-beside", 2),
        "own-success-taken-for-failure": Shown("partly-taken", 2),
        "unsent-request-taken-over": Shown("torn-store", 3),
        "intervals-do-not-grow": Shown("account-paused", 2),
    }
)
"""Not here are mutants that need a clock that differs, a pause put by hand, calling hours, a replay, or more
deviations."""
