"""Watches a run from outside the relay: gathers evidence, and reports each step that breaks the protocol at once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from sealed_relay.admission.rate_limiter import CLOCKS_DIFFER_SECONDS
from sealed_relay.calls.invalid_message import InvalidMessageError
from sealed_relay.calls.message import Lane, Message, read
from sealed_relay.calls.outcome import Reason, Status
from sealed_relay.kairos.answer import Answer, Answered
from sealed_relay.kairos.codes import CODES, Verdict, code_of
from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.ledger.items import answer_of, envelope_key, request_key, sealed_request_of
from sealed_relay.ports import Failure, Item
from tests.campaign.evidence import Acceptance, Evidence, Invariant, Published, Violation, Written
from tests.campaign.hours_monitor import HoursMonitor
from tests.campaign.pause_monitor import PauseMonitor

if TYPE_CHECKING:
    from tests.campaign.execution_environment import ExecutionEnvironment


class ProtocolMonitor:
    """`clock` tells seconds since 1970; `trace` takes a line for the trace; `lag_seconds` as in `PauseMonitor`.

    `max_refusals` is as in the relay's limits.
    """

    def __init__(
        self, clock: Callable[[], float], trace: Callable[..., None], lag_seconds: float, max_refusals: int
    ) -> None:
        self.evidence = Evidence(clock_error_seconds=CLOCKS_DIFFER_SECONDS)
        self.violations: list[Violation] = []
        self.sealed: dict[bytes, SealedRequest] = {}
        self.pauses = PauseMonitor(clock, self.breach, lag_seconds)
        self.hours = HoursMonitor(clock, self.breach)
        self._clock = clock
        self._trace = trace
        self._max_refusals = max_refusals
        self._left_at: dict[str, float] = {}
        self._resent: set[str] = set()
        self._lanes: dict[str, Lane] = {}
        self._sent_at: dict[str, float] = {}
        self._failed_at: dict[str, float] = {}
        self._refusals: Counter[str] = Counter()
        self._unclear_answers: Counter[str] = Counter()
        self._under_way: defaultdict[str, int] = defaultdict(int)

    def breach(self, invariant: Invariant, detail: str) -> None:
        """Record a violation."""
        self.violations.append(Violation(invariant, detail))
        self._trace("!!! {}: {}", invariant, detail)

    def asked(self, message: Message, lane: Lane, items: dict[str, Item], give_up_after: timedelta) -> None:
        """Record a message that was sent to the queue of a lane; `items` is the table at that moment."""
        self._lanes[message.message_id] = lane
        try:
            calls = read(message)
        except InvalidMessageError:
            self.evidence.unreadable[message.message_id] = message.body
            return
        sent_at = self._sent_at[message.message_id] = message.sent_at.timestamp()
        for call in calls:
            record = items.get(call.call_id)
            self.evidence.written.append(
                Written(
                    message.message_id,
                    call.call_id,
                    content_of(call.raw),
                    sent_at,
                    deadline_of(call.raw, message.sent_at + give_up_after).timestamp(),
                    has_failed=record is not None and Status(str(record["status"])).is_failure,
                    start_at=datetime.fromisoformat(call.raw["start-time"]).timestamp()
                    if "start-time" in call.raw
                    else None,
                )
            )

    def published(self, failure: Failure) -> None:
        """Record a message that the failure queue took."""
        now = self._clock()
        if failure.source_queue is not self._lanes[failure.source_message_id]:
            self.breach(Invariant.OWN_QUEUE, f"the entry of {failure.source_message_id} names {failure.source_queue}")
        if failure.reason == Reason.INVALID_MESSAGE:
            self.evidence.published[""].append(Published("", "", now, failure))
            return
        body = msgspec.json.decode(failure.body)
        for call in body["calls"]:
            call_id = f"{body['flow-id']}/{call['client-identifier']}"
            self.evidence.published[call_id].append(Published(call_id, content_of(call), now, failure))

    def accepted(self, sealed: SealedRequest, calls: Sequence[Mapping[str, Any]], uuids: dict[str, str]) -> None:
        """Check and record the calls of a request that the API accepted: those with a phonon-uuid."""
        request_id, left_at = sealed.request_id, self._left_at[sealed.request_id]
        taken = [call for call in calls if call["client-identifier"] in uuids]
        self.hours.accepted(sealed, taken, left_at, is_resend=request_id in self._resent)
        for call in taken:
            name = call["client-identifier"]
            call_id = f"{sealed.flow_id}/{name}"
            acceptance = Acceptance(call_id, content_of(call), left_at, self._clock(), request_id, uuids[name])
            self.evidence.acceptances[call_id].append(acceptance)

    def answered(self, sealed: SealedRequest, answer: Answer) -> None:
        """Check and record an answer that the relay received, or a timeout."""
        request_id = sealed.request_id
        self.pauses.answered(request_id, answer)
        if not isinstance(answer, Answered):
            return
        if answer.is_contradicted or answer.code not in CODES:
            self._unclear_answers[request_id] += 1
            if self._unclear_answers[request_id] > self._max_refusals:
                self.breach(Invariant.PATIENT, f"{request_id[:6]} was resent after each of its ambiguous answers")
        elif answer.meaning.verdict is Verdict.RETRY_FRESH:
            self._refusals.update(f"{sealed.flow_id}/{name}" for name in sealed.client_identifiers)

    def wrote(
        self, environment: "ExecutionEnvironment", key: str, before: Item | None, after: Item, items: dict[str, Item]
    ) -> None:
        """Check and record an item of the table that was changed or inserted."""
        if key.startswith(envelope_key("")):
            sealed = sealed_request_of(after)
            self.sealed[sealed.body] = sealed
            environment.stored.add(sealed.request_id)
            self.evidence.stored.update(f"{sealed.flow_id}/{name}" for name in sealed.client_identifiers)
        elif key.startswith(request_key("")):
            if before is None or before["lease_id"] != after["lease_id"]:
                environment.leases.add(str(after["lease_id"]))
        elif key.startswith("#pause/"):
            self.pauses.wrote(environment, key, after)
        elif not key.startswith("#"):
            self._settled(key, before, after, items)

    def _settled(self, call_id: str, before: Item | None, after: Item, items: dict[str, Item]) -> None:
        was = Status(str(before["status"])) if before else Status.SENDING
        now = Status(str(after["status"]))
        if now is was:
            return
        if was.is_delivered or (was.is_final and now.is_final):
            self.breach(Invariant.FINAL_STAYS, f"{call_id} became {now} and had been {was}")
        elif was.is_failure:
            self._refusals[call_id] = 0
            early_seconds = self._failed_at[call_id] - self._sent_at[str(after["message_id"])]
            if early_seconds > 0:
                message_id = str(after["message_id"])
                self.breach(
                    Invariant.FINAL_STAYS,
                    f"{call_id} is retried for {message_id}, which was sent {early_seconds:.1f} s before it failed",
                )
        if now.is_failure:
            self._failed_at[call_id] = self._clock()
            self._check_patience(call_id, after)
        if now.is_failure and not any(p.failure.reason == after["reason"] for p in self.evidence.published[call_id]):
            self.breach(Invariant.PUBLISHED_FIRST, f"{call_id} became {now}")
        answer = answer_of(items.get(request_key(str(after["request_id"])), {}))
        if now.is_delivered and answer is None:
            self.breach(Invariant.ANSWER_FIRST, f"{call_id} became {now}")
        if now is Status.UNRESOLVED:
            is_first_time = not self.evidence.unresolved_at[call_id]
            if is_first_time and (answer is None or answer.finding is not Finding.UNRESOLVED):
                self.breach(Invariant.HONEST, f"{call_id} became {now}, and no stored answer says so")
            self.evidence.unresolved_at[call_id].append(self._clock())

    def _check_patience(self, call_id: str, record: Item) -> None:
        code = record.get("code")
        is_transient = isinstance(code, int) and code_of(code).verdict is Verdict.RETRY_FRESH
        is_given_up = record["status"] == Status.REJECTED and is_transient
        if is_given_up and self._refusals[call_id] < self._max_refusals:
            self.breach(Invariant.PATIENT, f"{call_id} was rejected after {self._refusals[call_id]} transient failures")

    def left_queue(self, message: Message, items: dict[str, Item]) -> None:
        """The relay let a message leave its queue."""
        try:
            calls = read(message)
        except InvalidMessageError:
            if not any(entry.failure.source_message_id == message.message_id for entry in self.evidence.published[""]):
                self.breach(Invariant.WAY_OUT, f"{message.message_id} cannot be read and was not published")
            return
        for call in calls:
            record = items.get(call.call_id)
            is_delivered = record is not None and Status(str(record["status"])).is_delivered
            if not is_delivered and not any(
                entry.failure.source_message_id == message.message_id for entry in self.evidence.published[call.call_id]
            ):
                self.breach(Invariant.WAY_OUT, f"{message.message_id} left, and {call.call_id} is open")

    @contextmanager
    def sending(
        self, environment: "ExecutionEnvironment", sealed: SealedRequest, timeout_seconds: float, items: dict[str, Item]
    ) -> Iterator[None]:
        """Check a request that is sent. Its sender waits for the answer inside the block."""
        request_id = sealed.request_id
        self.evidence.sends.append(self._clock())
        if environment.lane is Lane.INGRESS:
            self.evidence.ordinary_sends.append(self._clock())
        if request_id not in environment.stored:  # its sender cannot tell whether it was sent before
            self._resent.add(request_id)
        self._left_at[request_id] = self._clock()
        self._check_send(environment, sealed, timeout_seconds, items)
        self.pauses.left(environment, request_id, sealed.flow_id)
        self._under_way[request_id] += 1
        if self._under_way[request_id] > 1:
            self.breach(Invariant.ONE_AT_A_TIME, request_id[:6])
        try:
            yield
        finally:
            self._under_way[request_id] -= 1
            self.pauses.ended(request_id)

    def _check_send(
        self, environment: "ExecutionEnvironment", sealed: SealedRequest, timeout_seconds: float, items: dict[str, Item]
    ) -> None:
        at = sealed.request_id[:6]
        request = items.get(request_key(sealed.request_id))
        now_ms = environment.clock() * 1000
        if now_ms >= sealed.not_after_ms:
            self.breach(Invariant.IN_TIME, f"{at} was sent {now_ms - sealed.not_after_ms:.0f} ms late")
        if self._clock() + timeout_seconds > environment.deadline:
            self.breach(Invariant.WRITE_AHEAD, f"{at} may be sent longer than its sender lives")
        if request is None:
            self.breach(Invariant.WRITE_AHEAD, f"{at} is not stored")
            return
        if request["lease_id"] not in environment.leases or int(request["lease_expires_at_ms"]) < now_ms:
            self.breach(Invariant.WRITE_AHEAD, f"{at} is not leased by its sender")
        if "answer" in request:
            self.breach(Invariant.WRITE_AHEAD, f"{at} has its answer")
        for name in sealed.client_identifiers:
            record = items.get(f"{sealed.flow_id}/{name}", {})
            if record.get("request_id") != sealed.request_id or record.get("is_open") is not True:
                self.breach(Invariant.WRITE_AHEAD, f"{at} does not hold {name}: it is {record.get('status')!s}")


def content_of(call: Mapping[str, Any]) -> str:
    """Return what identifies a call's content: each content of a campaign has its own number."""
    return str(call["contact-numbers"][0])


def deadline_of(call: Mapping[str, object], given_up_at: datetime) -> datetime:
    """Return the time after which a call must not be sent by the contract, without regard to its start date."""
    return min(given_up_at, datetime.fromisoformat(str(call["not-after"]))) if "not-after" in call else given_up_at
