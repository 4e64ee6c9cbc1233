"""A relay that reports what a test tells it to report, and a clock that only sleeping moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from local.run.accounting import Audit, Failure, Record, SentMessage
from local.run.messages import OutgoingMessage
from sealed_relay.calls.outcome import Status


@dataclass
class ScriptedRelay:
    """Records every call as `status` after `looks_until_final` reads, and reports the given audit."""

    status: Status = Status.ACCEPTED
    taken_times: int = 1
    looks_until_final: int = 0
    backlog_seen: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    has_audit: bool = True
    call_ids: list[str] = field(default_factory=list)
    requests: int = 7
    answer: str = "200 SUCCESS"

    def send(self, messages: Sequence[OutgoingMessage]) -> list[SentMessage]:
        self.call_ids += [call_id for message in messages for call_id in message.call_ids]
        self.requests += 1
        return [SentMessage(f"m{number}", message.call_ids, message.queue) for number, message in enumerate(messages)]

    def backlog(self) -> int:
        return self.backlog_seen.pop(0) if self.backlog_seen else 0

    def records(self, call_ids: Sequence[str]) -> dict[str, Record]:
        self.looks_until_final -= 1
        status = self.status if self.looks_until_final < 0 else Status.SENDING
        return {call_id: Record(status, "r1") for call_id in call_ids}

    def take_failures(self, message_ids: set[str]) -> list[Failure]:
        taken = [failure for failure in self.failures if failure.source_message_id in message_ids]
        self.failures = [failure for failure in self.failures if failure not in taken]
        return taken

    def audit(self, suffix: str) -> Audit | None:
        taken = {call_id: ("uuid",) * self.taken_times for call_id in self.call_ids if call_id.endswith(suffix)}
        return Audit(taken if self.taken_times else {}, {self.answer: self.requests}) if self.has_audit else None


class Clock:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
