"""What one run is like: how much traffic, how much trouble and which."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealed_relay.dependencies import Limits
from tests.campaign.luck import Trouble

_LAGS_SECONDS: Mapping[Trouble, float] = {
    Trouble.SLOW_STEP: 60.0,
    Trouble.WRITE_LATE: 20.0,
    Trouble.WRITE_REPEATED: 20.0,
    Trouble.SKEWED_CLOCK: 3.0,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """`calls` are produced over `traffic_seconds`; what goes wrong does so until `storm_seconds` are over.

    With `is_refused_all_along` the API refuses the account, or each flow, just as long. With `is_plain` every call is
    one that the API takes, and has no deadline of its own. The more `haste`, the shorter are most of the random waits,
    so that what waits meets those who are still at it. `refusal_leaves_checksum` and the others answer, for this
    run, what the API's documentation leaves open.
    """

    name: str
    rates: Mapping[Trouble, float]
    calls: int
    max_calls_a_message: int
    traffic_seconds: float
    storm_seconds: float
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

    @property
    def lag_seconds(self) -> float:
        """How long an invocation's look at its clock may lie behind the write that it looked for, by other clocks."""
        lag_seconds = self.pause_seconds + 0.002  # the relay tells milliseconds
        for trouble, seconds in _LAGS_SECONDS.items():
            if trouble in self.rates:
                lag_seconds += seconds
        return lag_seconds
