"""What one run is like: how much traffic, which faults and how often."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealed_relay.admission.rate_limiter import CLOCKS_DIFFER_SECONDS
from sealed_relay.dependencies import Limits
from tests.campaign.fault_chance import FaultKind

_LAGS_SECONDS: Mapping[FaultKind, float] = {
    FaultKind.SLOW_STEP: 60.0,
    FaultKind.WRITE_LATE: 20.0,
    FaultKind.WRITE_REPEATED: 20.0,
    FaultKind.WRITE_ANSWERED_LATE: 20.0,
    FaultKind.SKEWED_CLOCK: CLOCKS_DIFFER_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """`calls` are produced over `traffic_seconds`. Faults occur until `fault_seconds` are over.

    With `is_refused_all_along` the API refuses the account, or each flow, for the same time. With `is_plain` the API
    takes every call, and no call has a deadline of its own. A producer who repeats a message sends it up to
    `max_copies` more times. A higher `haste` makes most random waits shorter, so that
    deferred messages come back while other invocations still work on the same calls. The API takes `answer_seconds` to
    answer, on average. A late write lands up to `max_late_seconds` later. `refusal_leaves_checksum` and the
    `checksum_over_...` fields decide, for this run, what the API's documentation leaves open. A message goes to the
    urgent queue with the probability `urgent_share`, and `urgent_reserve` of the requests are for that queue alone.
    With `has_hours` flows have calling hours.
    """

    name: str
    rates: Mapping[FaultKind, float]
    calls: int
    max_calls_a_message: int
    traffic_seconds: float
    fault_seconds: float
    batch_size: int
    concurrency: int
    poll_seconds: float
    pause_chance: float
    pause_seconds: float
    limits: Limits
    requests_per_minute: int
    refusal_leaves_checksum: bool
    checksum_over_body: bool
    checksum_over_payload: bool
    haste: int = 1
    is_refused_all_along: bool = False
    is_plain: bool = False
    max_copies: int = 1
    answer_seconds: float = 0.2
    max_late_seconds: float = 20.0
    urgent_share: float = 0.0
    urgent_reserve: int = 0
    has_hours: bool = False

    @property
    def lag_seconds(self) -> float:
        """How long an invocation's look at its clock may lie behind the write that it looked for, by other clocks."""
        lag_seconds = self.pause_seconds + 0.002  # the relay tells milliseconds
        for kind, seconds in _LAGS_SECONDS.items():
            if kind in self.rates:
                lag_seconds += seconds
        return lag_seconds
