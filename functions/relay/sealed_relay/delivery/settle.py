"""Bringing outcomes home: to the failure queue, then to the record, then to whoever watches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sealed_relay.admission.control import Held
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call, Message, write
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.delivery.backoff import retry_in_seconds, shortest_seconds
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.codes import Scope, Verdict, code_of
from sealed_relay.ledger.call_records import Settlement
from sealed_relay.ledger.claim_rules import Tries
from sealed_relay.observability.events import CallsSettled, CallsWaiting, MessageFailed
from sealed_relay.ports import Failure


@dataclass(slots=True)
class Step:
    """What one piece of work came to.

    Calls that are finished, messages that are closed as a whole or to be delayed, and requests to send next.
    """

    finished: list[Call] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    delays_seconds: dict[str, float] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)


class Settling:
    """Settles the calls of one invocation. `tries` says, by call id, what was tried with a call before."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self.tries: dict[str, Tries] = {}

    def count_attempt(self, calls: Sequence[Call]) -> None:
        """The calls were sent once more, as far as anybody can tell."""
        for call in calls:
            tries = self.tries[call.call_id]
            self.tries[call.call_id] = replace(tries, attempts=tries.attempts + 1)

    def may_retry(self, call: Call) -> bool:
        """Whether another passing failure leaves the call a further try."""
        return self.tries[call.call_id].refusals + 1 < self._dependencies.limits.max_refusals

    def retry_in_seconds(self, *calls: Call, at_least_seconds: float = 0.0) -> float:
        """How long the calls' messages stay out of sight when they go back: together, to fill one request again."""
        return retry_in_seconds(max(call.receive_count for call in calls), self._dependencies.draw, at_least_seconds)

    def held_seconds(self, held: Held, calls: Sequence[Call]) -> float:
        """How long the messages of calls that are held stay out of sight."""
        if not held.is_brief:
            return self.retry_in_seconds(*calls, at_least_seconds=held.seconds)
        # They were promised a turn of their own: coming back much later would waste it.
        return max(held.seconds, *(shortest_seconds(call.receive_count) for call in calls)) + self._dependencies.draw()

    def settle(
        self,
        step: Step,
        request_id: str,
        outcomes: Sequence[tuple[Call, Outcome]],
        *,
        retry_in_seconds: float | None = None,
        scope: Scope = Scope.REQUEST,
        is_unanswered: bool = False,
    ) -> None:
        """Give calls that this invocation holds under `request_id` their outcomes.

        Those that wait come back after `retry_in_seconds`, or after a backoff drawn for all of them. `scope`: what is
        paused, if they wait for that. `is_unanswered`: their request was sent before, and may have delivered them.
        """
        if not outcomes:
            return
        outcomes = [(call, self._honest(call, outcome)) for call, outcome in outcomes]
        # The failure queue first: a crash in between leaves a failure there twice, never nowhere.
        self.publish(request_id, [(call, outcome) for call, outcome in outcomes if outcome.status.is_failure])
        waiting: dict[str, list[tuple[Call, Outcome]]] = {}
        for call, outcome in outcomes:
            if not outcome.status.is_final:
                waiting.setdefault(call.message_id, []).append((call, outcome))
        if waiting and retry_in_seconds is None:
            retry_in_seconds = self.retry_in_seconds(*(calls[0][0] for calls in waiting.values()))
        delays = dict.fromkeys(waiting, retry_in_seconds or 0.0)
        now_ms = int(self._dependencies.clock() * 1000)
        self._dependencies.ledger.settle(
            [
                Settlement(
                    call.call_id,
                    request_id,
                    _still_open(outcome) if is_unanswered and not outcome.status.is_final else outcome,
                    message_id=call.message_id,
                    retry_at_ms=now_ms + int(delays.get(call.message_id, 0.0) * 1000),
                    tries=self._tries_after(call, outcome),
                )
                for call, outcome in outcomes
            ]
        )
        step.finished += [call for call, outcome in outcomes if outcome.status.is_final]
        step.delays_seconds |= delays
        for message_id, waits in waiting.items():
            call, why = waits[0]
            self._dependencies.observe(
                CallsWaiting(message_id, why.reason, len(waits), delays[message_id], call.flow_id, why.detail, scope)
            )
        self._observe_settled([outcome for _, outcome in outcomes])

    def settle_for_others(self, flow_id: str, request_id: str, outcomes: dict[str, Outcome]) -> None:
        """Record deliveries, by client identifier, of calls whose messages somebody else will receive again."""
        settlements = [
            Settlement(f"{flow_id}/{client_identifier}", request_id, outcome)
            for client_identifier, outcome in outcomes.items()
        ]
        self._dependencies.ledger.settle(settlements)
        self._observe_settled(list(outcomes.values()))

    def acknowledge(self, calls: Sequence[Call]) -> Step:
        """Take calls off their messages because another message holds them."""
        may_leave = self._dependencies.ledger.acknowledge(calls)
        staying = [call for call, leaves in zip(calls, may_leave, strict=True) if not leaves]
        return Step(
            finished=[call for call, leaves in zip(calls, may_leave, strict=True) if leaves],
            delays_seconds={call.message_id: self.retry_in_seconds(call) for call in staying},
        )

    def refuse(self, calls: Sequence[Call]) -> Step:
        """Publish calls whose identity belongs to other content. The record stays with that content."""
        detail = "Another message gave this client-identifier to other content; use a new one."
        refused = Outcome(Status.REJECTED, Reason.CLIENT_IDENTIFIER_REUSED, detail=detail)
        self.publish("", [(call, refused) for call in calls])
        return self.acknowledge(calls)

    def conclude(self, request_id: str, outcomes: Sequence[tuple[Call, Outcome]]) -> Step:
        """Settle calls by the answer that is stored with their request already."""
        step = Step()
        self.settle(step, request_id, outcomes)
        return step

    def refuse_unreadable(self, message: Message, detail: str) -> Step:
        """Publish a message that is none, as it came."""
        failure = Failure(message.body, Reason.INVALID_MESSAGE, detail, message.message_id)
        self._dependencies.failures.publish([failure])
        self._dependencies.observe(MessageFailed(message.message_id, Reason.INVALID_MESSAGE, None, 0, ""))
        return Step(closed=[message.message_id])

    def publish(self, request_id: str, failed: Sequence[tuple[Call, Outcome]]) -> None:
        """Put failed calls on the failure queue: one message for each source message and outcome."""
        groups: dict[tuple[str, Outcome], list[Call]] = {}
        for call, outcome in failed:
            groups.setdefault((call.message_id, outcome), []).append(call)
        if not groups:
            return
        self._dependencies.failures.publish(
            [
                Failure(write(calls), outcome.reason, outcome.detail, message_id, outcome.code, request_id)
                for (message_id, outcome), calls in groups.items()
            ]
        )
        for (message_id, outcome), calls in groups.items():
            names = [call.client_identifier for call in calls]
            self._dependencies.observe(
                MessageFailed(message_id, outcome.reason, outcome.code, len(calls), request_id, names)
            )

    def _observe_settled(self, outcomes: Sequence[Outcome]) -> None:
        for status, calls in Counter(outcome.status for outcome in outcomes if outcome.status.is_final).items():
            self._dependencies.observe(CallsSettled(status, calls))

    def _honest(self, call: Call, outcome: Outcome) -> Outcome:
        """The outcome, or UNRESOLVED where an earlier request with the call may have been accepted after all."""
        if (
            outcome.status not in (Status.REJECTED, Status.EXPIRED)
            or not self.tries[call.call_id].may_have_been_delivered
        ):
            return outcome
        detail = f"It was given up before, and may have been delivered then. This time: {outcome.detail}"
        return replace(outcome, status=Status.UNRESOLVED, reason=Reason.UNRESOLVED, detail=detail)

    def _tries_after(self, call: Call, outcome: Outcome) -> Tries | None:
        tries = self.tries.get(call.call_id)
        is_refusal = outcome.code is not None and code_of(outcome.code).verdict is Verdict.RETRY_FRESH
        return replace(tries, refusals=tries.refusals + 1) if tries and is_refusal else tries


def _still_open(waits: Outcome) -> Outcome:
    """The wait as the record has it: that the answer is missing, whatever holds up the resend now (README: rotate)."""
    return replace(waits, reason=Reason.NO_ANSWER)
