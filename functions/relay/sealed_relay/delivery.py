"""One request, from its calls to the API's answer and its consequences.

deliver:  calls claimed for it -> seal -> store -> send -> record the answer -> publish failures -> settle
recover:  a stored request whose sender is gone -> take over -> send the same bytes -> and on as above
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sealed_relay.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.codes import code_of
from sealed_relay.flow import Flow, UnknownFlowError, UnusableFlowError
from sealed_relay.items import SealedRequest
from sealed_relay.ledger import Lease
from sealed_relay.message import Call
from sealed_relay.observing import RequestSent
from sealed_relay.outcome import Outcome, Reason, Status
from sealed_relay.planning import Request
from sealed_relay.ports import Flows
from sealed_relay.sealing import seal
from sealed_relay.settling import Settling, Step
from sealed_relay.verdicts import Asked, conclude, delivered_by, tells_what_became_of
from sealed_relay.world import World

_LONGEST_SEND_SECONDS = 30.0
_SECONDS_TO_SETTLE = 8.0
"""What is kept back at the end of an invocation to record, publish and settle what was sent."""
_LEAST_SECONDS_TO_SEND = 2.0

_OUT_OF_TIME = Outcome(Status.WAITING, Reason.OUT_OF_TIME, detail="The invocation had no time left for it.")
_EXPIRED = Outcome(Status.EXPIRED, Reason.EXPIRED, detail="Its deadline passed; no request with it was accepted.")
_UNRESOLVED = Outcome(
    Status.UNRESOLVED,
    Reason.UNRESOLVED,
    detail="The answer was lost, and its deadline passed before a resend brought one: it may have been delivered.",
)


def look_up(flows: Flows, flow_id: str, *, fresh: bool = False) -> Flow | Outcome:
    """The flow, or what becomes of its calls without one."""
    try:
        return flows.get(flow_id, fresh=fresh)
    except UnknownFlowError:
        return Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW, detail=f"There is no secret for flow {flow_id}.")
    except UnusableFlowError as error:
        return Outcome(Status.WAITING, Reason.FLOW_SECRET_UNUSABLE, detail=str(error))


class Delivery:
    """The deliveries of one invocation: they share its lease, and its deadline in seconds since 1970."""

    def __init__(self, world: World, settling: Settling, lease: Lease, deadline: float) -> None:
        self._world = world
        self._settling = settling
        self._lease = lease
        self._deadline = deadline

    def deliver(self, request: Request) -> Step:
        """Send calls in a request of their own, for the first time."""
        step = Step()
        if self._seconds_to_send() < _LEAST_SECONDS_TO_SEND:
            held_under = request.moved_from or request.request_id
            self._settling.settle(step, held_under, [(call, _OUT_OF_TIME) for call in request.calls])
            return step
        calls = self._move(step, request) if request.moved_from else request.calls
        flow = request.outcome or look_up(self._world.flows, request.flow_id, fresh=request.refresh_secret)
        now = datetime.fromtimestamp(self._world.clock(), UTC)
        give_up_after = self._world.limits.give_up_after
        late = [call for call in calls if call.deadline(give_up_after) <= now]
        due = [call for call in calls if call.deadline(give_up_after) > now]
        self._settling.settle(step, request.request_id, [(call, _EXPIRED) for call in late])
        if isinstance(flow, Outcome):
            self._settling.settle(step, request.request_id, [(call, flow) for call in due])
        elif due:
            sealed = seal(request.request_id, flow, due, self._world.random_bytes, now=now, give_up_after=give_up_after)
            # Written down before its first byte is sent: whoever finds these calls claimed and no such request
            # knows that nothing left; whoever finds it knows the very bytes that may have.
            self._world.ledger.store(sealed, self._lease)
            self._send(step, sealed, due, is_resend=False, is_second_try=request.is_second_try)
        return step

    def recover(self, request_id: str, calls: Sequence[Call]) -> Step:
        """Find out what became of a stored request, for all its calls; `calls` are those this invocation holds."""
        step = Step()
        if self._seconds_to_send() < _LEAST_SECONDS_TO_SEND:
            return step
        takeover = self._world.ledger.take_over(request_id, self._lease)
        if takeover is None:  # somebody else is at it; its answer will be on record when the messages come back
            wait_seconds = self._settling.retry_in_seconds(*calls)
            step.delays_seconds = dict.fromkeys((call.message_id for call in calls), wait_seconds)
            return step
        sealed = takeover.sealed
        if sealed is not None and self._world.clock() * 1000 < sealed.not_after_ms:
            self._send(step, sealed, calls, is_resend=takeover.may_have_been_sent, is_second_try=False)
        elif takeover.may_have_been_sent:
            self._settling.settle(step, request_id, [(call, _UNRESOLVED) for call in calls])
            self._world.ledger.release(request_id, self._lease, may_have_been_sent=True)
        else:
            # Never sent, and past its deadline nobody sends it: these calls may go out in a request of their own.
            self._world.ledger.release(request_id, self._lease, may_have_been_sent=False)
            step.requests.append(Request(self._world.make_id(), calls[0].flow_id, tuple(calls), moved_from=request_id))
        return step

    def _send(
        self, step: Step, sealed: SealedRequest, calls: Sequence[Call], *, is_resend: bool, is_second_try: bool
    ) -> None:
        """Send a stored request, while this invocation holds its lease, and act on what comes of it."""
        answer = self._attempt(sealed, calls, is_resend=is_resend)

        # On record before anything acts on it: a request whose answer settles it is never sent again as it is.
        retry_in_seconds = None
        if isinstance(answer, Answered) and tells_what_became_of(answer, is_resend=is_resend):
            self._world.ledger.record_answer(sealed.request_id, self._lease, answer, is_resend=is_resend)
        else:
            certainly_not_sent = isinstance(answer, NotSent) and not is_resend
            asked_seconds = (answer.retry_after_seconds or 0.0) if isinstance(answer, NotSent) else 0.0
            retry_in_seconds = self._settling.retry_in_seconds(*calls, at_least_seconds=asked_seconds)
            self._world.ledger.release(
                sealed.request_id,
                self._lease,
                may_have_been_sent=not certainly_not_sent,
                after_seconds=retry_in_seconds,
            )

        held = {call.client_identifier: call for call in calls}
        asked = Asked(len(sealed.client_identifiers), is_resend, is_second_try)
        conclusion = conclude(answer, asked, list(held), lambda name: self._settling.may_retry(held[name]))
        self._settling.settle(
            step,
            sealed.request_id,
            [(held[name], outcome) for name, outcome in conclusion.outcomes.items()],
            retry_in_seconds=retry_in_seconds,
        )
        if isinstance(answer, Answered):
            others = [name for name in sealed.client_identifiers if name not in held]
            delivered = {name: delivered_by(answer, name, is_resend=is_resend) for name in others}
            self._settling.settle_for_others(
                sealed.flow_id, sealed.request_id, {name: outcome for name, outcome in delivered.items() if outcome}
            )
        for group in conclusion.fresh:
            step.requests.append(
                Request(
                    self._world.make_id(),
                    sealed.flow_id,
                    tuple(held[name] for name in group),
                    moved_from=sealed.request_id,
                    is_second_try=conclusion.is_second_try,
                    refresh_secret=conclusion.refresh_secret,
                )
            )

    def _attempt(self, sealed: SealedRequest, calls: Sequence[Call], *, is_resend: bool) -> Answer:
        started = self._world.clock()
        seconds = min(self._seconds_to_send(), _LONGEST_SEND_SECONDS)
        # Storing may have taken long. Past this point no byte may leave that cannot be answered within the lease, and
        # none past a call's deadline.
        answer: Answer = NotSent("There was no time left to send it.")
        if seconds > 0 and started * 1000 < sealed.not_after_ms:
            answer = self._world.gateway.send(sealed.endpoint, sealed.body, seconds)
            self._settling.count_attempt(calls)
        if isinstance(answer, Answered):
            answer = answer.about(sealed.client_identifiers)
        self._world.observe(_request_sent(sealed, answer, self._world.clock() - started, is_resend=is_resend))
        return answer

    def _move(self, step: Step, request: Request) -> list[Call]:
        """Claim calls anew after an answer that did not deliver them; those that slipped away go back."""
        moved = self._world.ledger.move(request.calls, request.moved_from, request.request_id, self._lease)
        slipped = [call for call, is_moved in zip(request.calls, moved, strict=True) if not is_moved]
        step.delays_seconds |= {call.message_id: self._settling.retry_in_seconds(call) for call in slipped}
        return [call for call, is_moved in zip(request.calls, moved, strict=True) if is_moved]

    def _seconds_to_send(self) -> float:
        return self._deadline - _SECONDS_TO_SETTLE - self._world.clock()


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
