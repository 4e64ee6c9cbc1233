"""The steps of a chaos run: send while faults are injected, wait until every call has ended, compare the accounts."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from rich.console import Console

from local.chaos.chaos_report import show_fault_counts
from local.chaos.fault_schedule import ScheduledFault
from local.chaos.inject_faults import FaultInjector
from local.run.accounting import Evidence, unaccounted
from local.run.messages import OutgoingMessage
from local.run.progress import Report, progress_on
from local.run.report import show_accounts, show_conclusion
from local.run.send_and_wait import Deadline, RelayUnderTest, refresh_evidence, wait_until_accounted, with_audit

_SECONDS_BETWEEN_SENDS = 0.2
_SECONDS_BETWEEN_LOOKS = 3.0
_SECONDS_BETWEEN_LINES = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The messages of a run, sent evenly over `seconds`, and its faults. Every client identifier ends in `suffix`."""

    faults: Sequence[ScheduledFault]
    messages: Sequence[OutgoingMessage]
    suffix: str
    seconds: float


def run_chaos(
    relay: RelayUnderTest,
    injector: FaultInjector,
    plan: Plan,
    console: Console,
    *,
    max_wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send messages while faults are injected, wait, and print the accounts. Return the exit status, 0 or 1.

    The wait ends at the latest `max_wait_seconds` after the last fault. `clock` returns seconds.
    """
    audit_before, backlog_before = relay.audit(plan.suffix), relay.backlog()
    with progress_on(console, clock, _SECONDS_BETWEEN_LINES) as report:
        with ThreadPoolExecutor(1) as executor:
            injecting = executor.submit(injector.inject, plan.faults)
            try:
                evidence = _send_slowly(relay, plan, report, clock, sleep)
            finally:
                injector.stop()
            injecting.result()
        console.print("all faults are over; waiting for the calls that have not ended")
        deadline = Deadline(clock() + max_wait_seconds, clock, sleep)
        evidence, left_over = wait_until_accounted(relay, evidence, backlog_before, report, deadline)
    evidence = with_audit(evidence, audit_before, relay.audit(plan.suffix))
    show_accounts(console, evidence)
    show_fault_counts(console, injector.counts, evidence)
    return show_conclusion(console, evidence, left_over)


def _send_slowly(
    relay: RelayUnderTest,
    plan: Plan,
    report: Report,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Evidence:
    """Send the messages evenly over the plan's time, and report progress every few seconds."""
    calls = len({call_id for message in plan.messages for call_id in message.call_ids})
    evidence, started_at, looked_at = Evidence([], {}, []), clock(), clock()
    while len(evidence.sent) < len(plan.messages):
        sleep(_SECONDS_BETWEEN_SENDS)
        share_due = min(1.0, (clock() - started_at) / plan.seconds)
        sent = relay.send(plan.messages[len(evidence.sent) : int(len(plan.messages) * share_due)])
        evidence = replace(evidence, sent=[*evidence.sent, *sent])
        if clock() >= looked_at + _SECONDS_BETWEEN_LOOKS:
            evidence, looked_at = refresh_evidence(relay, evidence), clock()
            report(len(evidence.call_ids) - len(unaccounted(evidence)), calls)
    return evidence
