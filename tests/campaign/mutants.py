"""The product broken on purpose, one promise at a time: a campaign that cannot catch these proves nothing.

Each is a patch of the product's own functions. What it replaces is handed to it as `original`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from sealed_relay.admission import pause as pausing
from sealed_relay.admission import pause_store as pauses
from sealed_relay.admission import rate_limiter as pacer
from sealed_relay.admission import shared_item as shared_items
from sealed_relay.batch import process_batch as relay
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.delivery import send as sending
from sealed_relay.delivery.settle import Settling
from sealed_relay.kairos import verdict as verdicts
from sealed_relay.kairos.answer import Answered
from sealed_relay.ledger import call_records as ledger
from sealed_relay.ledger import claim_rules as claiming
from sealed_relay.ledger import request_log
from sealed_relay.ledger.claim_rules import Busy, Done, Duplicate, Free, Unanswered
from sealed_relay.ports import Change

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`what` is wrong with it. Each swap is an owner, a name there, and what takes the original's place."""

    what: str
    swaps: tuple[tuple[object, str, Callable[[Function], object]], ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product is broken inside."""
        with ExitStack() as stack:
            for owner, name, make in self.swaps:
                stack.enter_context(patch.object(owner, name, make(getattr(owner, name))))
            yield


def _deciding(change: Callable[[claiming.Claim, claiming.Record, object], object]) -> tuple[Any, ...]:
    """A swap of `decide` that changes its decision by the claim and the record."""

    def make(original: Function) -> Function:
        return lambda claim, record, *rest: change(claim, record, original(claim, record, *rest))

    return ((ledger, "decide", make),)


def _is_of_another(claim: claiming.Claim, record: claiming.Record) -> bool:
    return claim.call.message_id != record.message_id


def _change_without_expectation(*, of_records: bool) -> Callable[[Function], Function]:
    def make(original: Function) -> Function:
        def changed(key: str, expected: Mapping[str, Any], attributes: Mapping[str, Any]) -> Change:
            is_outcome = attributes.get("status", Status.SENDING) != Status.SENDING
            is_meant = is_outcome if of_records else key.startswith("#request/")
            change: Change = original(key, {} if is_meant else expected, attributes)
            return change

        return changed

    return make


def _storing_late() -> tuple[Any, ...]:
    """Stores a request when its answer is there, instead of before its first byte is sent."""
    held_back: list[tuple[Any, ...]] = []

    def store(_original: Function) -> Function:
        return lambda *arguments: held_back.append(arguments)

    real_store = request_log.RequestLog.store

    def attempt(original: Function) -> Function:
        def attempted(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401
            answer = original(*arguments, **keywords)
            while held_back:
                real_store(*held_back.pop())
            return answer

        return attempted

    return ((request_log.RequestLog, "store", store), (sending.Sending, "_attempt", attempt))


def _publishing_late(original: Function) -> Function:
    def settle(self: Settling, step: Any, request_id: str, outcomes: Any, **keywords: Any) -> None:  # noqa: ANN401
        with patch.object(Settling, "publish", lambda *_: None):
            original(self, step, request_id, outcomes, **keywords)
        self.publish(request_id, [(call, outcome) for call, outcome in outcomes if outcome.status.is_failure])

    return settle


def _finishing_what_waits(original: Function) -> Function:
    def settle(self: Settling, step: Any, request_id: str, outcomes: Any, **keywords: Any) -> None:  # noqa: ANN401
        original(self, step, request_id, outcomes, **keywords)
        step.finished += [call for call, outcome in outcomes if not outcome.status.is_final]

    return settle


def _delivering(change: Callable[[Function], Function]) -> tuple[Any, ...]:
    return tuple((module, "delivered_by", change) for module in (ledger, sending, verdicts))


def _all_of_a_partial_success(original: Function) -> Function:
    def delivered_by(answer: Answered, name: str, *, is_resend: bool) -> Outcome | None:
        whole = Answered(200, answer.phonon_uuids) if answer.code == 209 else answer
        outcome: Outcome | None = original(whole, name, is_resend=is_resend)
        return outcome

    return delivered_by


def _reading_once(original: Function) -> Function:
    def read(self: shared_items.SharedItems, keys: Iterable[str], **_: float) -> None:
        original(self, [key for key in keys if not self[key]])

    return read


def _never_ending(original: Function) -> Function:
    def after(self: pausing.Pause, now_ms: int, **about: Any) -> pausing.Pause:  # noqa: ANN401
        pause: pausing.Pause = original(self, now_ms, **about)
        return pause if pause.is_paused else self

    return after


MUTANTS: Mapping[str, Mutant] = MappingProxyType(
    {
        "claim-not-conditional": Mutant(
            "a claim is written over whatever the record has become since it was read",
            ((ledger.Ledger, "_claim_over", lambda o: lambda *a: replace(o(*a), expected={})),),
        ),
        "busy-claimed": Mutant(
            "a call is claimed while another invocation holds its lease",
            _deciding(lambda _, __, decision: Free() if isinstance(decision, Busy) else decision),
        ),
        "fresh-bytes-on-a-resend": Mutant(
            "a call whose request may have been sent goes out again in a request of its own",
            _deciding(lambda _, __, decision: Free() if isinstance(decision, Unanswered) else decision),
        ),
        "delivered-claimed-again": Mutant(
            "a call that the API has is sent again for a further message",
            _deciding(lambda _, record, decision: Free() if record.status.is_delivered else decision),
        ),
        "copy-acknowledged-too-soon": Mutant(
            "another message with the call is acknowledged while whoever holds the call may be gone",
            _deciding(
                lambda claim, record, decision: (
                    Duplicate(is_delivered=False)
                    if _is_of_another(claim, record) and isinstance(decision, Busy | Free | Unanswered)
                    else decision
                )
            ),
        ),
        "retry-taken-for-done": Mutant(
            "a message that retries a failed call is acknowledged without a try",
            _deciding(
                lambda _, record, decision: (
                    Done() if record.status.is_failure and isinstance(decision, Free) else decision
                )
            ),
        ),
        "unresolved-retried-by-a-copy": Mutant(
            "a copy that was on the queue all along sends a call again that may have been delivered",
            ((claiming, "_was_sent_before_the_end", lambda _: lambda *_: False),),
        ),
        "own-success-taken-for-failure": Mutant(
            "a conditional write whose answer was lost is taken for a failed one",
            ((ledger.Ledger, "_update_names", lambda _: lambda self, changes: vars(self)["_table"].update(changes)),),
        ),
        "lease-too-short": Mutant(
            "an invocation's claims end before it does", ((relay, "LEASE_MARGIN_SECONDS", lambda _: -45.0),)
        ),
        "sent-before-stored": Mutant("a request is stored after it was sent", _storing_late()),
        "settled-before-published": Mutant(
            "a failure is settled before the failure queue has it", ((Settling, "settle", _publishing_late),)
        ),
        "failures-not-published": Mutant(
            "failures do not go to the failure queue", ((Settling, "publish", lambda _: lambda *_: None),)
        ),
        "answer-not-recorded": Mutant(
            "an answer is acted on before it is on record",
            ((request_log.RequestLog, "record_answer", lambda _: lambda *_, **__: None),),
        ),
        "refused-resend-taken-for-proof": Mutant(
            "any refusal of a resend is taken for proof that nothing was accepted before",
            ((verdicts, "tells_what_became_of", lambda _: lambda *_, **__: True),),
        ),
        "lost-answer-taken-for-not-sent": Mutant(
            "a request whose answer was lost is put down as never sent",
            (
                (
                    request_log.RequestLog,
                    "release",
                    lambda o: lambda *a, **k: o(*a, **{**k, "may_have_been_sent": False}),
                ),
            ),
        ),
        "partial-success-taken-for-whole": Mutant(
            "calls that 209 does not list are taken for accepted", _delivering(_all_of_a_partial_success)
        ),
        "repeated-taken-for-accepted": Mutant(
            "Checksum Repeated on a first send is taken for an acceptance",
            _delivering(lambda o: lambda answer, name, *, is_resend: o(answer, name, is_resend=True)),  # noqa: ARG005
        ),
        "deadline-not-checked": Mutant(
            "calls are sent past their deadline",
            ((Call, "deadline", lambda _: lambda self, _after: self.sent_at + timedelta(days=30)),),
        ),
        "waiting-acknowledged": Mutant(
            "a message is acknowledged while a call of it waits", ((Settling, "settle", _finishing_what_waits),)
        ),
        "takeover-not-conditional": Mutant(
            "whoever finds a lease over takes the request, also when somebody else has taken it since",
            ((request_log, "Change", _change_without_expectation(of_records=False)),),
        ),
        "outcome-not-conditional": Mutant(
            "an outcome is written whatever the record has become",
            ((ledger, "Change", _change_without_expectation(of_records=True)),),
        ),
        "acknowledgement-forgotten": Mutant(
            "a message that was acknowledged may hold the call again when it comes back",
            ((ledger.Ledger, "acknowledge", lambda _: lambda _self, calls: [True] * len(calls)),),
        ),
        "budget-ignored": Mutant(
            "requests leave whatever left before",
            ((pacer.Pacer, "take", lambda _: lambda self, wanted: (wanted, vars(self)["_clock"]())),),
        ),
        "pause-ignored": Mutant(
            "requests leave also while their flow or the account is paused",
            ((pauses.Pauses, "barring", lambda _: lambda *_: []),),
        ),
        "pause-not-looked-at-again": Mutant(
            "what an invocation sees of a pause first is what it goes by",
            ((shared_items.SharedItems, "read", _reading_once),),
        ),
        "probe-not-elected": Mutant(
            "every invocation that finds a probe due sends one",
            ((pauses.Pauses, "_probe_one", lambda _: lambda *_: True),),
        ),
        "probe-always-due": Mutant(
            "a probe goes out whenever there is a message",
            ((pausing.Pause, "is_due", lambda _: lambda *_, **__: True),),
        ),
        "intervals-do-not-grow": Mutant(
            "each probe follows as soon as the first one did", ((pausing, "_LONGEST_INTERVAL_MS", lambda _: 45_000),)
        ),
        "pause-never-ended": Mutant(
            "a probe's success does not resume what was paused",
            ((pausing.Pause, "after", _never_ending),),
        ),
    }
)
