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

from greenlet import getcurrent, greenlet

from sealed_relay.admission import control, rate_limiter, shared_item
from sealed_relay.admission import pause as pausing
from sealed_relay.batch import process_batch as batch
from sealed_relay.calls import start_time
from sealed_relay.calls.call import Call
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.delivery import deliver, failure_messages, send, settle
from sealed_relay.delivery.request import WorkResult
from sealed_relay.kairos import verdict
from sealed_relay.kairos.answer import Answered
from sealed_relay.kairos.codes import CODES
from sealed_relay.kairos.conclusive import Circumstances, Finding, code_is_unknown_or_contradicted, finding_of
from sealed_relay.kairos.verdict import ConclusiveAnswer
from sealed_relay.ledger import call_records, claim_rules, request_log
from sealed_relay.ledger.claim_rules import Decision, Situation
from sealed_relay.ports import Change
from sealed_relay_operations.replay import run as replay

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`what` is wrong with it. Each swap is an owner, a name there, and what takes the original's place."""

    what: str
    swaps: tuple[tuple[object, str, Callable[[Any], object]], ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product is broken inside."""
        with ExitStack() as stack:
            for owner, name, make in self.swaps:
                stack.enter_context(patch.object(owner, name, make(getattr(owner, name))))
            yield


def _deciding(change: Callable[[Situation, Decision], Decision]) -> tuple[Any, ...]:
    """A swap of `decide` that changes its decision."""

    def make(original: Function) -> Function:
        return lambda situation: change(situation, original(situation))

    return ((call_records, "decide", make),)


def _finding(change: Callable[[Answered, Circumstances, Finding], Finding]) -> tuple[Any, ...]:
    """A swap of `finding_of` that changes its finding."""

    def make(original: Function) -> Function:
        return lambda answer, sent: change(answer, sent, original(answer, sent))

    return ((verdict, "finding_of", make),)


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

    return ((request_log.RequestLog, "store", store), (send, "_exchange", attempt))


def _publishing_late() -> tuple[Any, ...]:
    """Publishes failures when they are recorded. No swap is made while the relay runs: a killed coroutine keeps it."""
    held_back: dict[greenlet, tuple[Any, ...]] = {}

    def publish(_original: Function) -> Function:
        return lambda *arguments: held_back.__setitem__(getcurrent(), arguments)

    def late(original: Function) -> Function:
        def settled(*arguments: Any, **keywords: Any) -> WorkResult:  # noqa: ANN401
            result: WorkResult = original(*arguments, **keywords)
            if failed := held_back.pop(getcurrent(), None):
                failure_messages.publish_failures(*failed)
            return result

        return settled

    return ((settle, "publish_failures", publish), *_settling(late))


def _finishing_what_waits(original: Function) -> Function:
    def finish(invocation: Any, request_id: str, outcomes: Any, **keywords: Any) -> WorkResult:  # noqa: ANN401
        result: WorkResult = original(invocation, request_id, outcomes, **keywords)
        return result + WorkResult(
            finished=[claimed.call for claimed, outcome in outcomes if not outcome.status.is_final]
        )

    return finish


def _settling(change: Callable[[Function], Function]) -> tuple[Any, ...]:
    return tuple((module, "settle", change) for module in (batch, deliver, send, settle))


def _all_of_a_partial_success(original: Function) -> Function:
    def outcome_in(answer: ConclusiveAnswer, name: str) -> Outcome | None:
        is_partial = answer.finding is Finding.PARTLY_ACCEPTED
        whole = ConclusiveAnswer(Finding.ACCEPTED, 200, answer.phonon_uuids) if is_partial else answer
        outcome: Outcome | None = original(whole, name)
        return outcome

    return outcome_in


def _reading_once(original: Function) -> Function:
    def read(self: shared_item.SharedItems, keys: Iterable[str], max_age_seconds: float = 0.0) -> None:
        is_look_before_sending = max_age_seconds > 0
        original(self, [key for key in keys if not (is_look_before_sending and key in self.known)])

    return read


def _never_ending(original: Function) -> Function:
    def after(self: pausing.Pause, now_ms: int, **about: Any) -> pausing.Pause:  # noqa: ANN401
        pause: pausing.Pause = original(self, now_ms, **about)
        return pause if pause.is_paused else self

    return after


def _pause_as_written(item: Mapping[str, Any]) -> pausing.Pause:
    known = {name: item[name] for name in pausing.Pause.__dataclass_fields__ if name in item}
    return pausing.Pause(**{"next_probe_at_ms": 253_402_300_799_000 if "reason" in item else 0, **known})


ONLY_THE_EXPLORER_SHOWS = {"unsent-request-taken-over"}
"""These need half of a stored request to land minutes late. The campaign draws no such fault."""

MUTANTS: Mapping[str, Mutant] = MappingProxyType(
    {
        "claim-not-conditional": Mutant(
            "a claim is written over a record that another invocation has changed since it was read",
            ((call_records.CallRecords, "_change_over", lambda o: lambda *a: replace(o(*a), expected={})),),
        ),
        "busy-claimed": Mutant(
            "a call is claimed while another invocation holds its lease",
            _deciding(lambda _, decision: Decision.FREE if decision is Decision.BUSY else decision),
        ),
        "fresh-bytes-on-a-resend": Mutant(
            "rule 1: a call whose request may have been sent goes out again in a fresh request",
            _deciding(lambda _, decision: Decision.FREE if decision is Decision.UNANSWERED else decision),
        ),
        "delivered-claimed-again": Mutant(
            "a call that the API has is sent again for another message",
            _deciding(lambda _, decision: Decision.FREE if decision is Decision.DELIVERED else decision),
        ),
        "duplicate-leaves-too-soon": Mutant(
            "rule 4: a duplicate of an open call leaves its queue",
            _deciding(
                lambda it, decision: (
                    Decision.DELIVERED
                    if decision is Decision.BUSY and it.record.message_id != it.claim.call.message_id
                    else decision
                )
            ),
        ),
        "retry-shares-the-failure": Mutant(
            "a message that retries a failed call leaves without a try and without an entry of its own",
            _deciding(lambda _, decision: Decision.DONE if decision is Decision.RETRY else decision),
        ),
        "failure-not-shared": Mutant(
            "rule 4: a duplicate of a failed call leaves, and is not put on the failure queue",
            _deciding(lambda _, decision: Decision.DONE if decision is Decision.SHARE_FAILURE else decision),
        ),
        "retry-by-an-old-duplicate": Mutant(
            "a message that was sent before the failure sends the call again",
            ((claim_rules, "RETRY_MARGIN_SECONDS", lambda _: -3600.0),),
        ),
        "own-success-taken-for-failure": Mutant(
            "a conditional write whose answer was lost is taken for a failed one",
            (
                (
                    call_records.CallRecords,
                    "_rename",
                    lambda _: lambda self, changes: vars(self)["_table"].update(changes),
                ),
            ),
        ),
        "lease-too-short": Mutant(
            "an invocation's claims end before it does", ((batch, "LEASE_MARGIN_SECONDS", lambda _: -45.0),)
        ),
        "sent-before-stored": Mutant("rule 1: a request is stored after it was sent", _storing_late()),
        "settled-before-published": Mutant("a failure is recorded before the failure queue has it", _publishing_late()),
        "failures-not-published": Mutant(
            "rule 4: failures do not go to the failure queue",
            ((settle, "publish_failures", lambda _: lambda *_: None),),
        ),
        "answer-not-recorded": Mutant(
            "rule 3: an answer is acted on before it is stored",
            ((request_log.RequestLog, "record_answer", lambda _: lambda *_, **__: None),),
        ),
        "unresolved-not-recorded": Mutant(
            "a request that can never be told any more is left to each of its messages to find out",
            (
                (
                    request_log.RequestLog,
                    "record_answer",
                    lambda o: (
                        lambda self, request_id, lease, answer: (
                            None if answer.finding is Finding.UNRESOLVED else o(self, request_id, lease, answer)
                        )
                    ),
                ),
            ),
        ),
        "unsent-request-taken-over": Mutant(
            "rule 2: a request that was noted as never sent is taken over and sent, although its calls have moved on",
            ((request_log, "stored_request_of", lambda o: lambda item: replace(o(item), may_have_been_sent=True)),),
        ),
        "refusals-not-reset": Mutant(
            "a retry has only the tries that the call had left when it failed",
            (
                (
                    call_records,
                    "replace",
                    lambda o: lambda thing, **changes: thing if changes == {"refusals": 0} else o(thing, **changes),
                ),
            ),
        ),
        "unclear-answers-not-counted": Mutant(
            "a request whose answers are all ambiguous is resent without end",
            _finding(
                lambda answer, sent, finding: (
                    finding_of(answer, replace(sent, may_be_resent=True))
                    if code_is_unknown_or_contradicted(answer)
                    else finding
                )
            ),
        ),
        "unknown-code-taken-for-refusal": Mutant(
            "an undocumented code is taken for a refusal",
            _finding(
                lambda answer, sent, finding: (
                    Finding.REFUSED
                    if answer.code not in CODES and not answer.is_contradicted and not sent.is_resend
                    else finding
                )
            ),
        ),
        "contradicted-code-believed": Mutant(
            "a code counts although its message says that the calls were accepted",
            _finding(
                lambda answer, sent, finding: (
                    finding_of(replace(answer, is_contradicted=False), sent) if answer.is_contradicted else finding
                )
            ),
        ),
        "untrusted-list-trusted": Mutant(
            "209 counts although its list does not tell which calls were accepted",
            _finding(
                lambda answer, sent, finding: (
                    finding_of(replace(answer, is_list_trusted=True), sent) if answer.code == 209 else finding
                )
            ),
        ),
        "repeated-taken-for-refused": Mutant(
            "Checksum Repeated on a first send is taken for a refusal",
            _finding(
                lambda answer, sent, finding: Finding.REFUSED if answer.code == 201 and not sent.is_resend else finding
            ),
        ),
        "pause-by-hand-believed": Mutant(
            "what a person wrote into a pause is taken as it is",
            ((control, "pause_of", lambda _: _pause_as_written),),
        ),
        "refused-resend-taken-for-proof": Mutant(
            "rule 2: any refusal of a resend is taken for proof that nothing was accepted before",
            _finding(lambda _, __, finding: Finding.REFUSED if finding is Finding.UNDECIDED else finding),
        ),
        "lost-answer-taken-for-not-sent": Mutant(
            "rule 1: a request whose answer was lost is noted as never sent",
            (
                (
                    request_log.RequestLog,
                    "release",
                    lambda o: lambda *a, **k: o(*a, **{**k, "may_have_been_sent": False}),
                ),
            ),
        ),
        "partial-success-taken-for-whole": Mutant(
            "calls that 209 does not list are taken for accepted",
            tuple((module, "outcome_in", _all_of_a_partial_success) for module in (call_records, verdict)),
        ),
        "repeated-taken-for-accepted": Mutant(
            "Checksum Repeated on a first send is taken for an acceptance",
            _finding(
                lambda answer, sent, finding: (
                    Finding.PRESUMED_ACCEPTED if answer.code == 201 and not sent.is_resend else finding
                )
            ),
        ),
        "deadline-not-checked": Mutant(
            "calls are sent after their deadline",
            ((Call, "deadline", lambda _: lambda self, _after: self.sent_at + timedelta(days=30)),),
        ),
        "waiting-acknowledged": Mutant(
            "rule 4: a message leaves its queue while a call of it waits", _settling(_finishing_what_waits)
        ),
        "takeover-not-conditional": Mutant(
            "an invocation that finds a lease over takes the request, although another has taken it since",
            ((request_log, "Change", _change_without_expectation(of_records=False)),),
        ),
        "outcome-not-conditional": Mutant(
            "an outcome is written over any record",
            ((call_records, "Change", _change_without_expectation(of_records=True)),),
        ),
        "budget-ignored": Mutant(
            "requests leave whatever left before",
            ((rate_limiter.RateLimiter, "take", lambda _: lambda self, _lane: vars(self)["_clock"]() + 1.0),),
        ),
        "permit-used-late": Mutant(
            "a request may use its permit long after the permit was taken",
            (
                (
                    rate_limiter.RateLimiter,
                    "take",
                    lambda o: lambda self, lane: None if (until := o(self, lane)) is None else until + 60.0,
                ),
            ),
        ),
        "reserve-ignored": Mutant(
            "ordinary requests use what is reserved for urgent ones",
            ((rate_limiter.RateLimiter, "__init__", lambda o: lambda self, *a: o(self, *a[:-1], 0)),),
        ),
        "failure-names-the-wrong-queue": Mutant(
            "each failure entry names the ingress queue",
            (
                (
                    failure_messages,
                    "Failure",
                    lambda o: lambda *a, **k: o(*a, **{**k, "source_queue": Lane.INGRESS}),
                ),
            ),
        ),
        "replayed-into-the-wrong-queue": Mutant(
            "each entry returns to the ingress queue",
            (
                (
                    replay.Run,
                    "_source_queue",
                    lambda _: lambda self, _entry: vars(self)["_dependencies"].source_queues[Lane.INGRESS],
                ),
            ),
        ),
        "deferred-in-the-wrong-queue": Mutant(
            "each message is deferred in the ingress queue",
            (
                (
                    batch,
                    "_defer",
                    lambda o: lambda invocation, delays: o(replace(invocation, lane=Lane.INGRESS), delays),
                ),
            ),
        ),
        "hours-ignored": Mutant(
            "a call may start at any time", ((start_time.CallingHours, "may_start", lambda _: lambda *_: True),)
        ),
        "last-minute-ignored": Mutant(
            "a call may start until the very end of the calling hours",
            ((start_time, "_END_MARGIN", lambda _: timedelta(0)),),
        ),
        "hours-not-looked-at-again": Mutant(
            "a request that was sealed inside the calling hours leaves later without another look at them",
            ((send, "_may_leave", lambda o: lambda it, attempt: o(it, replace(attempt, calling_hours=None))),),
        ),
        "resent-outside-hours": Mutant(
            "a resend leaves outside the calling hours",
            tuple(
                (module, "next_start_time", lambda o: lambda attempt, now: "" if attempt.is_resend else o(attempt, now))
                for module in (send, deliver)
            ),
        ),
        "clocks-taken-for-equal": Mutant(
            "the rate limit leaves no room for clocks that differ", ((rate_limiter, "_TICKS", lambda o: o - 2 * 4),)
        ),
        "pause-ignored": Mutant(
            "requests leave also while their flow or the account is paused",
            ((control.Admission, "_pauses_of", lambda _: lambda *_: {}),),
        ),
        "pause-not-looked-at-again": Mutant(
            "what an invocation sees of a pause first is what it goes by",
            ((shared_item.SharedItems, "read", _reading_once),),
        ),
        "probe-not-elected": Mutant(
            "every invocation that finds a probe due sends one",
            ((control.Admission, "_become_probe", lambda _: lambda *_: True),),
        ),
        "probe-always-due": Mutant(
            "a probe goes out whenever there is a message",
            (
                (pausing.Pause, "may_be_probed", lambda _: lambda *_, **__: True),
                (control, "_probed", lambda _: lambda pause, now: pause.probed(now) if pause.is_paused else pause),
            ),
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
