"""The rules of a pause: when it begins, when it is probed and when it ends. Pure.

A flow, or the account with all its flows, is paused by an answer that refuses it, or by several requests in a row
without an answer. Then only probes leave for it, one at a time and at growing intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sealed_relay.admission.health_signal import Failed, HealthSignal, Passed, Refused
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.ports import Value

FAILURES_THAT_PAUSE = 5
"""So many requests in a row that were not sent or got no answer are an outage."""

_FIRST_PROBE_MS = 15_000
_LONGEST_INTERVAL_MS = 300_000
_LONGEST_PROBE_MS = 45_000
"""Longer than a probe needs to leave and to get its answer, so that two probes are never under way at once."""

_NEVER_MS = 253_402_300_799_000
"""The end of the year 9999, and the largest number that an item may have: later times cannot be written as a date."""

_MAX_REASON_CHARACTERS = 100

_OUTAGES = {Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS}


@dataclass(frozen=True, slots=True)
class Pause:
    """The state of a flow, or of the account. Times are milliseconds since 1970.

    `reason` is a code's name or a `Reason`, "" while nothing is paused and only `failures_in_a_row` are counted.
    `secret_version` is the version of the flow secret that was refused, "" if the pause is not about a secret.
    """

    reason: str = ""
    code: int | None = None
    since_ms: int = 0
    probes: int = 0
    next_probe_at_ms: int = 0
    secret_version: str = ""
    failures_in_a_row: int = 0

    @property
    def is_paused(self) -> bool:
        """Only probes leave."""
        return bool(self.reason)

    @property
    def is_by_operator(self) -> bool:
        """An operator's pause: it is never probed, and only an operator ends it."""
        return self.next_probe_at_ms == _NEVER_MS

    @property
    def is_outage(self) -> bool:
        """The pause began because no answer came, so any answer ends it."""
        return self.reason in _OUTAGES

    @property
    def outcome(self) -> Outcome:
        """The outcome of the calls that wait for the end of the pause."""
        return Outcome(Status.WAITING, self.reason, self.code, detail="Paused: only single probes are sent for it.")

    def may_be_probed(self, now_ms: int, *, is_resend: bool) -> bool:
        """Whether a request may leave as a probe.

        A resend probes only an outage. A resend that is refused can never be told any more what became of its first
        send, so it must not leave while a refusal is likely.
        """
        return now_ms >= self.next_probe_at_ms and (self.is_outage or not is_resend)

    def seconds_to_probe(self, now_ms: int) -> float:
        """How long until a probe may leave; 0 if one may leave now."""
        return max(0, self.next_probe_at_ms - now_ms) / 1000

    def after(self, now_ms: int, *, signal: HealthSignal, secret_version: str, is_probe: bool) -> "Pause":
        """The pause after a health signal about just this flow, or just this account."""
        if self.is_by_operator:
            return self
        match signal:
            case Refused():
                return self._refused(signal, secret_version, now_ms)
            case Failed():
                return self._failed(signal, now_ms)
            case Passed() if is_probe or not self.is_paused:
                return self._passed(signal, now_ms)
        return self  # the request left before the pause began

    def _refused(self, signal: Refused, secret_version: str, now_ms: int) -> "Pause":
        if self.is_paused:  # the next probe's time was set when this one left
            return replace(self, reason=signal.reason, code=signal.code, secret_version=secret_version)
        return Pause(signal.reason, signal.code, now_ms, 0, now_ms + _FIRST_PROBE_MS, secret_version)

    def _passed(self, signal: Passed, now_ms: int) -> "Pause":
        if signal.is_accepted or self.is_outage or not self.is_paused:
            return Pause()
        if not signal.is_about_calls:
            return self
        # The probe was judged by its calls. The next probe may have other calls, and may leave at once.
        return replace(self, next_probe_at_ms=now_ms)

    def _failed(self, signal: Failed, now_ms: int) -> "Pause":
        failures = self.failures_in_a_row + 1
        asked_ms = now_ms + int(signal.seconds * 1000)
        if self.is_paused:
            return replace(self, failures_in_a_row=failures, next_probe_at_ms=max(self.next_probe_at_ms, asked_ms))
        if failures < FAILURES_THAT_PAUSE:
            return Pause(failures_in_a_row=failures)
        first_probe_at_ms = max(asked_ms, now_ms + _FIRST_PROBE_MS)
        return Pause(signal.reason, None, now_ms, 0, first_probe_at_ms, failures_in_a_row=failures)

    def probed(self, now_ms: int) -> "Pause":
        """A probe leaves. Each interval to the next probe is longer, up to a limit."""
        interval_ms = min(_LONGEST_INTERVAL_MS, _FIRST_PROBE_MS * 2 ** min(self.probes + 1, 10))
        return replace(self, probes=self.probes + 1, next_probe_at_ms=now_ms + max(_LONGEST_PROBE_MS, interval_ms))

    def unprobed(self, now_ms: int, *, number: int) -> "Pause":
        """The probe with this number did not leave: another probe may leave at once."""
        # Resumed meanwhile, paused by an operator, or already probed by another request: the SDK may write twice.
        if not self.is_paused or self.is_by_operator or self.probes != number:
            return self
        return replace(self, next_probe_at_ms=now_ms)


def pause_attributes(pause: Pause) -> dict[str, Value | None]:
    """A pause as attributes of an item. An attribute that does not apply is None, which removes it.

    By `listed_as` an index of the table finds what is paused, for the operations function.
    """
    return {
        "listed_as": "pause" if pause.is_paused else None,
        "reason": pause.reason or None,
        "code": pause.code,
        "since_ms": pause.since_ms,
        "probes": pause.probes,
        "next_probe_at_ms": pause.next_probe_at_ms,
        "secret_version": pause.secret_version or None,
        "failures_in_a_row": pause.failures_in_a_row,
    }


def pause_of(item: Mapping[str, Value]) -> Pause:
    """The pause in an item's attributes. One with only a `reason` is never probed, as an operator's.

    The operations function writes such items too. A number that is out of range or of another type counts as absent.
    """
    numbers = {name: value for name, value in item.items() if type(value) is int and 0 <= value <= _NEVER_MS}
    reason = str(item.get("reason", ""))[:_MAX_REASON_CHARACTERS]
    return Pause(
        reason,
        numbers.get("code"),
        numbers.get("since_ms", 0),
        numbers.get("probes", 0),
        numbers.get("next_probe_at_ms", _NEVER_MS if reason else 0),
        str(item.get("secret_version", "")),
        numbers.get("failures_in_a_row", 0),
    )
