"""How calls get into a request that is sent, or into none.

deliver:  calls claimed for a request -> seal -> store -> send
recover:  a stored request whose sender is gone -> take over -> send the same bytes
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sealed_relay.admission.control import Held
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.send import OUT_OF_TIME, Sending, Why
from sealed_relay.delivery.settle import Settling, Step
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError
from sealed_relay.kairos.seal import seal
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ports import Flows

_LEAST_SECONDS_TO_SEND = 2.0

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

    def __init__(self, dependencies: Dependencies, settling: Settling, lease: Lease, deadline: float) -> None:
        self._dependencies = dependencies
        self._settling = settling
        self._lease = lease
        self._sending = Sending(dependencies, settling, lease, deadline)

    def deliver(self, request: Request) -> Step:
        """Send calls in a request of their own, for the first time."""
        step = Step()
        if self._sending.seconds_left() < _LEAST_SECONDS_TO_SEND:
            held_under = request.moved_from or request.request_id
            self._settling.settle(step, held_under, [(call, OUT_OF_TIME) for call in request.calls])
            return step
        calls = self._move(step, request) if request.moved_from else request.calls
        flow = request.outcome or look_up(self._dependencies.flows, request.flow_id, fresh=request.refresh_secret)
        now = datetime.fromtimestamp(self._dependencies.clock(), UTC)
        give_up_after = self._dependencies.limits.give_up_after
        late = [call for call in calls if call.deadline(give_up_after) <= now]
        due = [call for call in calls if call.deadline(give_up_after) > now]
        self._settling.settle(step, request.request_id, [(call, _EXPIRED) for call in late])
        if not due:
            return step
        if isinstance(flow, Outcome):
            self._settle_unsent(step, request.request_id, due, Held(flow, request.wait_seconds, scope=request.scope))
            return step
        if (held := self._dependencies.admission.hold(request.flow_id)) is not None:
            self._settle_unsent(step, request.request_id, due, held)
            return step
        sealed = seal(
            request.request_id, flow, due, self._dependencies.random_bytes, now=now, give_up_after=give_up_after
        )
        # Written down before its first byte is sent: whoever finds these calls claimed and no such request, or one
        # without its bytes, knows that nothing left; whoever finds both knows the very bytes that may have.
        self._dependencies.requests.store(sealed, self._lease)
        why = Why(is_second_try=request.is_second_try, is_fresh_secret=request.refresh_secret)
        self._sending.send(step, sealed, due, why)
        return step

    def recover(self, request_id: str, calls: Sequence[Call]) -> Step:
        """Find out what became of a stored request, for all its calls; `calls` are those this invocation holds."""
        step = Step()
        if self._sending.seconds_left() < _LEAST_SECONDS_TO_SEND:
            return step
        takeover = self._dependencies.requests.take_over(request_id, self._lease)
        if takeover is None:  # somebody else is at it; its answer will be on record when the messages come back
            wait_seconds = self._settling.retry_in_seconds(*calls)
            step.delays_seconds = dict.fromkeys((call.message_id for call in calls), wait_seconds)
            return step
        sealed = takeover.sealed
        if not takeover.may_have_been_sent:
            # Nor will it be: these calls go out in a request of their own, sealed with the flow's secret as it is now.
            self._dependencies.requests.release(request_id, self._lease, may_have_been_sent=False)
            step.requests.append(
                Request(self._dependencies.make_id(), calls[0].flow_id, tuple(calls), moved_from=request_id)
            )
        elif sealed is None or self._dependencies.clock() * 1000 >= sealed.not_after_ms:
            self._settling.settle(step, request_id, [(call, _UNRESOLVED) for call in calls])
            self._dependencies.requests.release(request_id, self._lease, may_have_been_sent=True)
        else:
            why = Why(is_resend=True, was_refused=takeover.was_refused, is_fresh_secret=True)
            self._sending.send(step, sealed, calls, why)
        return step

    def _settle_unsent(self, step: Step, request_id: str, calls: Sequence[Call], held: Held) -> None:
        outcomes = [(call, held.outcome) for call in calls]
        seconds = self._settling.held_seconds(held, calls)
        self._settling.settle(step, request_id, outcomes, retry_in_seconds=seconds, scope=held.scope)

    def _move(self, step: Step, request: Request) -> list[Call]:
        """Claim calls anew after an answer that did not deliver them; those that slipped away go back."""
        moved = self._dependencies.ledger.move(request.calls, request.moved_from, request.request_id, self._lease)
        slipped = [call for call, is_moved in zip(request.calls, moved, strict=True) if not is_moved]
        step.delays_seconds |= {call.message_id: self._settling.retry_in_seconds(call) for call in slipped}
        return [call for call, is_moved in zip(request.calls, moved, strict=True) if is_moved]
