"""Watches calling hours from outside: whether a call that the API accepted starts inside those of its flow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sealed_relay.admission.rate_limiter import CLOCKS_DIFFER_SECONDS
from sealed_relay.calls.start_time import service_time
from sealed_relay.kairos.seal import SealedRequest
from tests.campaign.evidence import Invariant
from tests.campaign.hours import Hours, hours_of

_CLOCK_ERROR_SECONDS = CLOCKS_DIFFER_SECONDS / 2
_END_MARGIN_SECONDS = 60.0
_SECRET_IN_USE_SECONDS = 300.0 + 60.0 + CLOCKS_DIFFER_SECONDS
"""How long a secret that was changed may still be in use: an invocation keeps it for 300 s, and lasts for 60 s."""


class HoursMonitor:
    """Compares the start times in accepted requests with the hours that their flows have and had.

    A call starts at its start time, or when the API accepts it if its start time has passed. A first send, and each
    start time to come, keeps the hours of the secret that sealed it: bytes that are stored cannot be changed. A resend
    of a call whose start time has passed can wait, so it keeps the hours of the secret as it is now.
    """

    def __init__(self, clock: Callable[[], float], breach: Callable[[Invariant, str], None]) -> None:
        self._clock = clock
        self._breach = breach
        self._sealed_with: dict[str, Hours | None] = {}
        self._in_force: dict[str, list[tuple[float, Hours | None]]] = {}

    def changed(self, flow_id: str, secret_version: str, text: str) -> None:
        """A flow's secret has these hours from now on, "" for none."""
        hours = self._sealed_with[secret_version] = hours_of(text)
        self._in_force.setdefault(flow_id, []).append((self._clock(), hours))

    def all_of(self, flow_id: str) -> list[Hours]:
        """All hours that a flow has had."""
        return [hours for _, hours in self._in_force.get(flow_id, []) if hours]

    def accepted(
        self, sealed: SealedRequest, calls: Sequence[Mapping[str, Any]], left_at: float, *, is_resend: bool
    ) -> None:
        """Check the calls that the API accepted of a request that left at `left_at`."""
        for call in calls:
            start_at = datetime.fromisoformat(call["start-time"]).timestamp()
            has_passed = start_at <= left_at
            kept = [self._sealed_with[sealed.secret_version]]
            if is_resend and has_passed:
                kept = self._in_use(sealed.flow_id, left_at)
            faults = [self._fault(hours, start_at, left_at) for hours in kept]
            if all(faults):
                start = service_time(datetime.fromtimestamp(max(start_at, self._clock()), UTC))
                kind = "the resend" if is_resend else "the request"
                name = call["client-identifier"]
                self._breach(Invariant.HOURS, f"{name} of {kind} {sealed.request_id[:6]} starts {faults[0]}: {start}")

    def _fault(self, hours: Hours | None, start_at: float, left_at: float) -> str:
        if hours is None:
            return ""
        if not hours.are_inside(max(start_at, self._clock()), _CLOCK_ERROR_SECONDS):
            return f"outside {hours}"
        clock_error_seconds = _CLOCK_ERROR_SECONDS if start_at <= left_at else 0.0
        if hours.end_within(max(start_at, left_at), _END_MARGIN_SECONDS - clock_error_seconds):
            return f"in the last minute of {hours}"
        return ""

    def _in_use(self, flow_id: str, at: float) -> list[Hours | None]:
        """The hours of each version of the secret that an invocation may use now."""
        changes = self._in_force[flow_id]
        ended_at = [since for since, _ in changes[1:]] + [at]
        return [
            hours for (_, hours), ended in zip(changes, ended_at, strict=True) if ended >= at - _SECRET_IN_USE_SECONDS
        ]
