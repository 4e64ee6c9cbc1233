"""The story of a chaos run: send while the storm blows, wait until all of it is settled, draw up the accounts."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from rich.console import Console

from local.chaos.report import show_storm
from local.chaos.storm import Storm
from local.chaos.weather import Event
from local.run.accounting import Evidence, unaccounted
from local.run.messages import OutgoingMessage
from local.run.progress import Report, progress_on
from local.run.report import conclude, show
from local.run.run import Patience, RelaySeenFromOutside, look_again, wait_for_the_end, with_audit

_SECONDS_BETWEEN_SENDS = 0.2
_SECONDS_BETWEEN_LOOKS = 3.0
_SECONDS_BETWEEN_LINES = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run sends, evenly over `seconds`, and what happens meanwhile. `suffix` ends every client identifier."""

    events: Sequence[Event]
    messages: Sequence[OutgoingMessage]
    suffix: str
    seconds: float


def chaos(
    relay: RelaySeenFromOutside,
    storm: Storm,
    plan: Plan,
    console: Console,
    *,
    patience_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send messages while the storm blows, wait for the end, and print the accounts; the exit status, 0 or 1.

    The waiting ends `patience_seconds` after the storm. `clock` tells seconds.
    """
    audit_before, backlog_before = relay.audit(plan.suffix), relay.backlog()
    with progress_on(console, clock, _SECONDS_BETWEEN_LINES) as report:
        with ThreadPoolExecutor(1) as executor:
            blowing = executor.submit(storm.blow, plan.events)
            try:
                evidence = _send_slowly(relay, plan, report, clock, sleep)
            finally:
                storm.calm()
            blowing.result()
        console.print("the storm is over; waiting for the calls that it kept")
        patience = Patience(clock() + patience_seconds, clock, sleep)
        evidence, left_over = wait_for_the_end(relay, evidence, backlog_before, report, patience)
    evidence = with_audit(evidence, audit_before, relay.audit(plan.suffix))
    show(console, evidence)
    show_storm(console, storm.toll, evidence)
    return conclude(console, evidence, left_over)


def _send_slowly(
    relay: RelaySeenFromOutside,
    plan: Plan,
    report: Report,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Evidence:
    """Send for as long as the plan says, looking now and then at what became of the calls."""
    calls = len({call_id for message in plan.messages for call_id in message.call_ids})
    evidence, started_at, looked_at = Evidence([], {}, []), clock(), clock()
    while len(evidence.sent) < len(plan.messages):
        sleep(_SECONDS_BETWEEN_SENDS)
        share_due = min(1.0, (clock() - started_at) / plan.seconds)
        sent = relay.send(plan.messages[len(evidence.sent) : int(len(plan.messages) * share_due)])
        evidence = replace(evidence, sent=[*evidence.sent, *sent])
        if clock() >= looked_at + _SECONDS_BETWEEN_LOOKS:
            evidence, looked_at = look_again(relay, evidence), clock()
            report(len(evidence.call_ids) - len(unaccounted(evidence)), calls)
    return evidence
