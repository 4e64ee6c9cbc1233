"""Send a stored request once, or leave it to a later resend, and act on its answer.

connect -> permit -> send -> store the answer -> publish failures -> write outcomes, perhaps further requests -> report
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sealed_relay.admission.control import Deferral
from sealed_relay.admission.health_signal import HealthSignal, health_signal_of
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.calls.start_time import is_date_over
from sealed_relay.delivery.request import Attempt, ClaimedCall, Invocation, Request, WorkResult
from sealed_relay.delivery.settle import await_resend, leave_for_later, settle
from sealed_relay.kairos.answer import Answer, Answered, NotSent
from sealed_relay.kairos.conclusive import Circumstances
from sealed_relay.kairos.flow import UnknownFlowError, UnusableFlowError
from sealed_relay.kairos.verdict import Conclusion, answer_about, conclude
from sealed_relay.observability.events import RequestSent, WorkFailed

MAX_SEND_SECONDS = 30.0
_SECONDS_TO_SETTLE = 8.0
"""The end of an invocation, reserved for recording, publishing and settling what was sent."""

OUT_OF_TIME = Outcome(
    Status.WAITING, Reason.OUT_OF_TIME, detail="The invocation, the permit or the service's day ended before the send."
)


def send(invocation: Invocation, attempt: Attempt) -> WorkResult:
    """Send a stored request, under this invocation's lease, and act on its answer."""
    dependencies, sealed = invocation.dependencies, attempt.sealed
    with _undone_on_error(invocation, attempt, {}):
        probes = dependencies.admission.pass_pauses(sealed.flow_id, invocation.lane, is_resend=attempt.is_resend)
    if isinstance(probes, Deferral):
        return leave_for_later(invocation, attempt, probes)
    answer = _exchange(invocation, attempt, probes)
    if isinstance(answer, Deferral):
        try:
            return leave_for_later(invocation, attempt, answer)
        finally:
            dependencies.admission.give_back(probes)
    attempt = replace(attempt, calls=tuple(map(_counted, attempt.calls)))
    sent = _circumstances(invocation, attempt, answer)
    conclusion = conclude(
        answer,
        sent,
        [claimed.call.client_identifier for claimed in attempt.calls],
        calls_in_request=len(sealed.client_identifiers),
        has_fresh_secret=attempt.has_fresh_secret,
        may_retry=_may_retry(invocation, attempt),
    )
    if conclusion.answer is None:
        result = await_resend(invocation, attempt, answer, conclusion)
    else:
        # Rule 3: stored before anything acts on it, so that an answered request is never sent again.
        dependencies.request_log.record_answer(sealed.request_id, invocation.lease, conclusion.answer)
        result = _act_on(invocation, attempt, conclusion)
    signal = health_signal_of(
        answer, has_fresh_secret=attempt.has_fresh_secret, is_current_secret=sent.has_current_secret is True
    )
    _report(invocation, attempt, probes, signal)
    return result


def _exchange(invocation: Invocation, attempt: Attempt, probes: Mapping[str, int]) -> Answer | Deferral:
    """Connect, take a permit and send. Returns the answer, or why no byte of the request left.

    The permit is taken last: it lasts for a second, and connecting may take longer.
    """
    dependencies, sealed = invocation.dependencies, attempt.sealed
    if not _may_leave(invocation, attempt):
        return Deferral(OUT_OF_TIME, 0.0)
    began = dependencies.clock()
    with dependencies.gateway.connect(min(seconds_to_send(invocation), MAX_SEND_SECONDS)) as connection:
        if isinstance(connection, NotSent):
            answer: Answer = connection
        else:
            with _undone_on_error(invocation, attempt, probes):
                permit_until = dependencies.admission.take_permit(sealed.flow_id, invocation.lane, probes)
            if isinstance(permit_until, Deferral):
                return permit_until
            began = dependencies.clock()
            if began > permit_until or not _may_leave(invocation, attempt):
                return Deferral(OUT_OF_TIME, 0.0)
            answer = connection.send(sealed.endpoint, sealed.body)
    if isinstance(answer, Answered):
        answer = answer_about(answer, sealed.client_identifiers)
    dependencies.observe(_request_sent(attempt, answer, dependencies.clock() - began))
    return answer


@contextmanager
def _undone_on_error(invocation: Invocation, attempt: Attempt, probes: Mapping[str, int]) -> Iterator[None]:
    """If the table fails before the send, note that no byte left, and let another request probe.

    The request was stored as one that may have been sent.
    """
    try:
        yield
    except Exception:
        invocation.dependencies.request_log.release(
            attempt.sealed.request_id, invocation.lease, may_have_been_sent=attempt.is_resend, after_seconds=0.0
        )
        invocation.dependencies.admission.give_back(probes)
        raise


def _may_leave(invocation: Invocation, attempt: Attempt) -> bool:
    """Whether the first byte may leave now: within the lease, before the deadline and within the calling hours.

    A first send is sealed again later if the API may refuse a start date in it. A resend has no other bytes.
    """
    now = datetime.fromtimestamp(invocation.dependencies.clock(), UTC)
    if seconds_to_send(invocation) <= 0 or now.timestamp() * 1000 >= attempt.sealed.not_after_ms:
        return False
    if next_start_time(attempt, now):
        return False
    return attempt.is_resend or not is_date_over(attempt.sealed.first_start_time, now)


def next_start_time(attempt: Attempt, now: datetime) -> str:
    """When the calling hours begin, as in `service_time`, if a call of the request would start outside them now.

    "" if none would. The earliest start time decides: it passes first, and the API then starts its call at once.
    """
    hours = attempt.calling_hours
    return hours.moved_start_time(attempt.sealed.first_start_time, now) if hours else ""


def seconds_to_send(invocation: Invocation) -> float:
    """How long an attempt may take from now on, so that its answer is settled before the invocation ends."""
    return invocation.deadline - _SECONDS_TO_SETTLE - invocation.dependencies.clock()


def _counted(claimed: ClaimedCall) -> ClaimedCall:
    """The call, with one more attempt counted."""
    return replace(claimed, tries=replace(claimed.tries, attempts=claimed.tries.attempts + 1))


def _circumstances(invocation: Invocation, attempt: Attempt, answer: Answer) -> Circumstances:
    dependencies = invocation.dependencies
    return Circumstances(
        is_resend=attempt.is_resend,
        was_refused=attempt.was_refused,
        may_be_resent=attempt.unclear_answers + 1 < dependencies.limits.max_refusals,
        has_current_secret=_has_current_secret(invocation, attempt, answer),
        is_date_over=is_date_over(attempt.sealed.first_start_time, datetime.fromtimestamp(dependencies.clock(), UTC)),
    )


def _has_current_secret(invocation: Invocation, attempt: Attempt, answer: Answer) -> bool | None:
    """Whether the request was sealed with the flow's secret as it is now; None if nobody can tell."""
    if not isinstance(answer, Answered) or not answer.meaning.is_about_secret:
        return True  # the answer does not depend on it
    try:
        flow = invocation.dependencies.flows.get(attempt.sealed.flow_id, fresh=True)
    except (UnknownFlowError, UnusableFlowError):
        return None
    return flow.version == attempt.sealed.secret_version


def _may_retry(invocation: Invocation, attempt: Attempt) -> Callable[[str], bool]:
    refusals = {claimed.call.client_identifier: claimed.tries.refusals for claimed in attempt.calls}
    return lambda client_identifier: refusals[client_identifier] + 1 < invocation.dependencies.limits.max_refusals


def _act_on(invocation: Invocation, attempt: Attempt, conclusion: Conclusion) -> WorkResult:
    """Settle the calls that an answer decided on, and send the refused ones that go out again at once."""
    calls = {claimed.call.client_identifier: claimed for claimed in attempt.calls}
    sealed = attempt.sealed
    result = settle(
        invocation, sealed.request_id, [(calls[name], outcome) for name, outcome in conclusion.outcomes.items()]
    )
    next_requests = [
        Request(
            request_id=invocation.dependencies.make_id(),
            flow_id=sealed.flow_id,
            calls=tuple(calls[name] for name in group),
            moved_from=sealed.request_id,
            refresh_secret=conclusion.refresh_secret,
        )
        for group in conclusion.fresh
    ]
    return result + WorkResult(next_requests=next_requests)


def _report(invocation: Invocation, attempt: Attempt, probes: Mapping[str, int], signal: HealthSignal) -> None:
    try:
        invocation.dependencies.admission.report(attempt.sealed.flow_id, probes, signal, attempt.sealed.secret_version)
    except Exception as error:  # noqa: BLE001 - the answer is settled, and the pauses can do without one report
        invocation.dependencies.observe(WorkFailed(error))


def _request_sent(attempt: Attempt, answer: Answer, seconds: float) -> RequestSent:
    sealed = attempt.sealed
    moved = (claimed.call.moved_start_time for claimed in attempt.calls)
    moved_to = [] if attempt.is_resend else [start_time for start_time in moved if start_time]
    return RequestSent(
        sealed.request_id,
        sealed.flow_id,
        len(sealed.client_identifiers),
        attempt.is_resend,
        result=answer.meaning.name if isinstance(answer, Answered) else answer.reason.value,
        code=answer.code if isinstance(answer, Answered) else None,
        detail="" if isinstance(answer, Answered) else answer.detail,
        milliseconds=round(seconds * 1000),
        client_identifiers=sealed.client_identifiers,
        api_request_id=answer.api_request_id if isinstance(answer, Answered) else "",
        start_times_moved=len(moved_to),
        moved_to=min(moved_to, default=""),
    )
