"""A stored request is sent once, or put back for a later resend, and something comes of it.

ask the gate -> send -> record the answer -> publish failures -> settle, perhaps further requests -> tell the gate
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sealed_relay.admission.control import Admitted, Held
from sealed_relay.admission.health_signal import Sign, sign_of
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call, service_date
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.settle import Settling, Step
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import code_of
from sealed_relay.kairos.flow import UnknownFlowError, UnusableFlowError
from sealed_relay.kairos.verdict import Asked, Conclusion, conclude, delivered_by, may_blame_an_old_secret
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ledger.items import SealedRequest
from sealed_relay.observability.events import RequestSent, WorkFailed

LONGEST_SEND_SECONDS = 30.0
_SECONDS_TO_SETTLE = 8.0
"""What is kept back at the end of an invocation to record, publish and settle what was sent."""

OUT_OF_TIME = Outcome(Status.WAITING, Reason.OUT_OF_TIME, detail="Its invocation, its turn or its day was over first.")


@dataclass(frozen=True, slots=True)
class Why:
    """For what reason a request is sent. `is_resend`, `was_refused` and `is_second_try` are as in `verdicts.Asked`.

    `is_fresh_secret`: the flow's secret was fetched for it, or will be before it is blamed.
    """

    is_resend: bool = False
    was_refused: bool = False
    is_second_try: bool = False
    is_fresh_secret: bool = False


class Sending:
    """The sends of one invocation, under its lease and before its deadline, in seconds since 1970."""

    def __init__(self, dependencies: Dependencies, settling: Settling, lease: Lease, deadline: float) -> None:
        self._dependencies = dependencies
        self._settling = settling
        self._lease = lease
        self._deadline = deadline

    def seconds_left(self) -> float:
        """How long an attempt may take now, for its answer to be settled before the invocation ends."""
        return self._deadline - _SECONDS_TO_SETTLE - self._dependencies.clock()

    def send(self, step: Step, sealed: SealedRequest, calls: Sequence[Call], why: Why) -> None:
        """Send a stored request, while this invocation holds its lease, and act on what comes of it."""
        admitted = self._admit(sealed, why)
        if isinstance(admitted, Held):
            self._put_back(step, sealed, calls, admitted, why)
            return
        if not self._may_leave(sealed, admitted, why):
            try:
                self._put_back(step, sealed, calls, Held(OUT_OF_TIME, 0.0), why)
            finally:
                self._dependencies.admission.give_back(admitted)
            return
        answer = self._attempt(sealed, calls, why)

        held = {call.client_identifier: call for call in calls}
        asked = Asked(
            len(sealed.client_identifiers),
            why.is_resend,
            why.was_refused,
            why.is_second_try,
            is_current_secret=self._is_current_secret(sealed, answer, why),
            is_same_day=sealed.service_date == service_date(self._dependencies.clock()),
        )
        conclusion = conclude(answer, asked, list(held), lambda name: self._settling.may_retry(held[name]))

        # On record before anything acts on it: a request whose answer settles it is never sent again as it is. A lone
        # call that it delivered is settled next, which is the same write.
        retry_in_seconds = self._write_down(sealed, calls, answer, conclusion, why)
        self._settling.settle(
            step,
            sealed.request_id,
            [(held[name], outcome) for name, outcome in conclusion.outcomes.items()],
            retry_in_seconds=retry_in_seconds,
            is_unanswered=why.is_resend and not conclusion.is_settled,
        )
        if isinstance(answer, Answered) and conclusion.is_settled:
            self._settle_for_others(sealed, answer, held, why)
        step.requests += [
            Request(
                self._dependencies.make_id(),
                sealed.flow_id,
                tuple(held[name] for name in group),
                moved_from=sealed.request_id,
                is_second_try=conclusion.is_second_try,
                refresh_secret=conclusion.refresh_secret,
            )
            for group in conclusion.fresh
        ]
        sign = sign_of(answer, is_fresh_secret=why.is_fresh_secret, is_current_secret=asked.is_current_secret is True)
        self._tell_the_gate(sealed, admitted, sign)

    def _admit(self, sealed: SealedRequest, why: Why) -> Admitted | Held:
        try:
            return self._dependencies.admission.admit(sealed.flow_id, is_resend=why.is_resend)
        except Exception:
            # Whoever finds it is to know that no byte of it left: it was written down as if one might have.
            self._dependencies.requests.release(sealed.request_id, self._lease, may_have_been_sent=why.is_resend)
            raise

    def _may_leave(self, sealed: SealedRequest, admitted: Admitted, why: Why) -> bool:
        """Whether its first byte may leave now: in time to be answered within the lease, no late call, in its turn.

        And on the day it was sealed for, since the API refuses earlier dates; a resend has no other bytes to offer.
        """
        now = self._dependencies.clock()
        is_in_time = self.seconds_left() > 0 and now * 1000 < sealed.not_after_ms and now <= admitted.until
        return is_in_time and (why.is_resend or sealed.service_date == service_date(now))

    def _attempt(self, sealed: SealedRequest, calls: Sequence[Call], why: Why) -> Answer:
        began = self._dependencies.clock()
        seconds = min(self.seconds_left(), LONGEST_SEND_SECONDS)
        answer = self._dependencies.gateway.send(sealed.endpoint, sealed.body, seconds)
        self._settling.count_attempt(calls)
        if isinstance(answer, Answered):
            answer = answer.about(sealed.client_identifiers)
        self._dependencies.observe(
            _request_sent(sealed, answer, self._dependencies.clock() - began, is_resend=why.is_resend)
        )
        return answer

    def _write_down(
        self, sealed: SealedRequest, calls: Sequence[Call], answer: Answer, conclusion: Conclusion, why: Why
    ) -> float | None:
        """Record an answer that settles the request, or leave it to another resend: then, after how many seconds."""
        if isinstance(answer, Answered) and conclusion.is_settled:
            if not _is_told_by_a_record(sealed, conclusion):
                self._dependencies.requests.record_answer(
                    sealed.request_id, self._lease, answer, is_resend=why.is_resend
                )
            return None
        is_not_sent = isinstance(answer, NotSent)
        asked_seconds = (answer.retry_after_seconds or 0.0) if isinstance(answer, NotSent) else 0.0
        retry_in_seconds = self._settling.retry_in_seconds(*calls, at_least_seconds=asked_seconds)
        self._dependencies.requests.release(
            sealed.request_id,
            self._lease,
            may_have_been_sent=why.is_resend or not is_not_sent,
            was_refused=isinstance(answer, Answered),
            after_seconds=retry_in_seconds,
        )
        return retry_in_seconds

    def _tell_the_gate(self, sealed: SealedRequest, admitted: Admitted, sign: Sign) -> None:
        try:
            self._dependencies.admission.report(sealed.flow_id, admitted, sign, sealed.secret_version)
        except Exception as error:  # noqa: BLE001 - pauses bear a missed answer, and this one is settled
            self._dependencies.observe(WorkFailed(error))

    def _put_back(self, step: Step, sealed: SealedRequest, calls: Sequence[Call], held: Held, why: Why) -> None:
        """Leave a stored request that is not sent now to whoever takes it over a while later."""
        seconds = self._settling.held_seconds(held, calls)
        self._dependencies.requests.release(
            sealed.request_id, self._lease, may_have_been_sent=why.is_resend, after_seconds=seconds
        )
        self._settling.settle(
            step,
            sealed.request_id,
            [(call, held.outcome) for call in calls],
            retry_in_seconds=seconds,
            scope=held.scope,
            is_unanswered=why.is_resend,
        )

    def _is_current_secret(self, sealed: SealedRequest, answer: Answer, why: Why) -> bool | None:
        """False if the answer may be owed to that the flow's secret is another one by now; None if nobody can tell."""
        if not isinstance(answer, Answered) or not may_blame_an_old_secret(answer, is_resend=why.is_resend):
            return True
        try:
            return self._dependencies.flows.get(sealed.flow_id, fresh=True).version == sealed.secret_version
        except (UnknownFlowError, UnusableFlowError):
            return None

    def _settle_for_others(self, sealed: SealedRequest, answer: Answered, held: Mapping[str, Call], why: Why) -> None:
        others = [name for name in sealed.client_identifiers if name not in held]
        delivered = {name: delivered_by(answer, name, is_resend=why.is_resend) for name in others}
        self._settling.settle_for_others(
            sealed.flow_id, sealed.request_id, {name: outcome for name, outcome in delivered.items() if outcome}
        )


def _is_told_by_a_record(sealed: SealedRequest, conclusion: Conclusion) -> bool:
    """Whether the outcome of the request's only call will say all that the answer does.

    Nobody asks for the request of a call that was delivered, so the one write that settles the call settles both. Nor
    does it matter whether the lease is still this invocation's: the write finds the call open under this very request
    or does nothing, and the API has the call, whoever else may be finding out.
    """
    return len(sealed.client_identifiers) == 1 and any(
        outcome.status.is_delivered for outcome in conclusion.outcomes.values()
    )


def _request_sent(sealed: SealedRequest, answer: Answer, seconds: float, *, is_resend: bool) -> RequestSent:
    code, detail = None, ""
    match answer:
        case Answered():
            result, code = code_of(answer.code).name, answer.code
        case NotSent():
            result, detail = Reason.NOT_SENT.value, answer.detail
        case Ambiguous():
            result, detail = Reason.NO_ANSWER.value, answer.detail
        case WrongAddress():
            result, detail = Reason.WRONG_ADDRESS.value, answer.detail
    return RequestSent(
        sealed.request_id,
        sealed.flow_id,
        len(sealed.client_identifiers),
        is_resend,
        result,
        code,
        detail,
        round(seconds * 1000),
        sealed.client_identifiers,
    )
