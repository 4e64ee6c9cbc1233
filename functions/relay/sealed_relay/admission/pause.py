"""Whose sending is pointless now, and when to find out whether it still is. Pure.

A flow, or the account with everything in it, is paused by an answer that refuses it, or by a row of requests that got
no answer. From then on only probes go out for it, one at a time and at growing intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sealed_relay.admission.health_signal import Failed, Passed, Refused, Sign
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.ports import Value

FAILURES_THAT_PAUSE = 5
"""So many requests in a row that were not sent, or got no answer, are an outage."""

_FIRST_PROBE_MS = 15_000
_LONGEST_INTERVAL_MS = 300_000
_LONGEST_PROBE_MS = 45_000
"""Longer than a probe may wait to leave and then take, so that it has its answer before the next one goes out."""

_PATIENCE_OF_RESENDS_MS = 1_800_000
"""Longer than a message that waits stays out of sight."""

_NEVER_MS = 253_402_300_799_000
"""The end of the year 9999."""

_OUTAGES = {Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS}


@dataclass(frozen=True, slots=True)
class Pause:
    """The state of a flow, or of the account. Times are milliseconds since 1970.

    `reason` is a code's name or a `Reason`, "" while nothing is paused and `failures_in_a_row` are only counted.
    `secret_version` is the flow secret that was refused, "" where no secret is to blame.
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
        """Only probes go out."""
        return bool(self.reason)

    @property
    def is_outage(self) -> bool:
        """It was paused because no answer came, so that any answer ends it."""
        return self.reason in _OUTAGES

    @property
    def outcome(self) -> Outcome:
        """What becomes of the calls meanwhile."""
        return Outcome(Status.WAITING, self.reason, self.code, detail="Paused: only single probes are sent for it.")

    def paused_seconds(self, now_ms: int) -> float | None:
        """For how long it has been paused: None if it is not, 0 if nobody wrote down since when."""
        if not self.is_paused:
            return None
        return max(0, now_ms - self.since_ms) / 1000 if self.since_ms else 0.0

    def is_due(self, now_ms: int, *, is_resend: bool = False) -> bool:
        """A probe may go out.

        A resend that is refused loses what its next answer could have told. Where a probe may well be refused, it is
        one only if for a good while nobody had other calls to probe with.
        """
        return now_ms >= self._due_at_ms(is_resend=is_resend)

    def seconds_to_probe(self, now_ms: int, *, is_resend: bool = False) -> float:
        """How long until a probe may go out; 0 if one may now."""
        return max(0, self._due_at_ms(is_resend=is_resend) - now_ms) / 1000

    def _due_at_ms(self, *, is_resend: bool) -> int:
        return self.next_probe_at_ms + (_PATIENCE_OF_RESENDS_MS if is_resend and not self.is_outage else 0)

    def after(
        self, now_ms: int, *, sign: Sign, secret_version: str, is_probe: bool, is_resend: bool = False
    ) -> "Pause":
        """What a request's answer makes of it; `sign` is about just this flow, or just this account."""
        if self.next_probe_at_ms == _NEVER_MS:  # it is an operator's, who alone ends it
            return self
        match sign:
            case Refused():
                return self._refused(sign, secret_version, now_ms)
            case Failed():
                return self._failed(sign, now_ms)
            case Passed() if is_probe or not self.is_paused:
                return self._passed(sign, now_ms, is_resend=is_resend)
        return self  # it left before the pause, and says nothing of now

    def _refused(self, sign: Refused, secret_version: str, now_ms: int) -> "Pause":
        if self.is_paused:  # its probe drew the interval when it left
            return replace(self, reason=sign.reason, code=sign.code, secret_version=secret_version)
        return Pause(sign.reason, sign.code, now_ms, 0, now_ms + _FIRST_PROBE_MS, secret_version)

    def _passed(self, sign: Passed, now_ms: int, *, is_resend: bool) -> "Pause":
        if sign.is_accepted or self.is_outage or not self.is_paused:
            return Pause()
        if not sign.is_about_calls:
            return self
        # It was judged by its calls, and the next probe may have others.
        return replace(self, next_probe_at_ms=_due_again_at_ms(now_ms, is_resend=is_resend))

    def _failed(self, sign: Failed, now_ms: int) -> "Pause":
        failures = self.failures_in_a_row + 1
        asked_ms = now_ms + int(sign.seconds * 1000)
        if self.is_paused:
            return replace(self, failures_in_a_row=failures, next_probe_at_ms=max(self.next_probe_at_ms, asked_ms))
        if failures < FAILURES_THAT_PAUSE:
            return Pause(failures_in_a_row=failures)
        first_probe_at_ms = max(asked_ms, now_ms + _FIRST_PROBE_MS)
        return Pause(sign.reason, None, now_ms, 0, first_probe_at_ms, failures_in_a_row=failures)

    def probed(self, now_ms: int) -> "Pause":
        """A probe leaves; the next one may follow later than this one did."""
        interval_ms = min(_LONGEST_INTERVAL_MS, _FIRST_PROBE_MS * 2 ** min(self.probes + 1, 10))
        return replace(self, probes=self.probes + 1, next_probe_at_ms=now_ms + max(_LONGEST_PROBE_MS, interval_ms))

    def unprobed(self, now_ms: int, *, is_resend: bool = False) -> "Pause":
        """The probe did not leave after all: another one may."""
        if not self.is_paused or self.next_probe_at_ms == _NEVER_MS:  # resumed meanwhile, or paused by an operator
            return self
        return replace(self, next_probe_at_ms=_due_again_at_ms(now_ms, is_resend=is_resend))


def _due_again_at_ms(now_ms: int, *, is_resend: bool) -> int:
    """From now on. Where a resend was to probe, as for long nobody else was there, the next one need not be patient."""
    return now_ms - (_PATIENCE_OF_RESENDS_MS if is_resend else 0)


def pause_attributes(pause: Pause) -> dict[str, Value | None]:
    """A pause as attributes of an item; those that do not apply are removed."""
    return {
        "reason": pause.reason or None,
        "code": pause.code,
        "since_ms": pause.since_ms,
        "probes": pause.probes,
        "next_probe_at_ms": pause.next_probe_at_ms,
        "secret_version": pause.secret_version or None,
        "failures_in_a_row": pause.failures_in_a_row,
    }


def pause_of(item: Mapping[str, Value]) -> Pause:
    """The pause in an item's attributes. One with a `reason` and nothing else, an operator's, is never probed.

    People write such items: what should be a number and is none counts as not there.
    """
    numbers = {name: value for name, value in item.items() if isinstance(value, int)}
    return Pause(
        str(item.get("reason", "")),
        numbers.get("code"),
        numbers.get("since_ms", 0),
        numbers.get("probes", 0),
        numbers.get("next_probe_at_ms", _NEVER_MS if "reason" in item else 0),
        str(item.get("secret_version", "")),
        numbers.get("failures_in_a_row", 0),
    )
