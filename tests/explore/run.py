"""One schedule of one scenario: a run with chosen deviations, and the judge's verdict on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sealed_relay.calls.message import Lane
from sealed_relay.dependencies import Limits
from tests.campaign.evidence import Violation
from tests.campaign.fault_chance import FaultKind
from tests.campaign.profile import Profile
from tests.campaign.run import run_and_judge
from tests.campaign.services import Services
from tests.explore.answers import scripted
from tests.explore.deliveries import Deliveries
from tests.explore.scenarios import Scenario
from tests.explore.scheduled_faults import SHARE, ChoicePoint, Decisions, ScheduledFaults

_KINDS = frozenset(
    {
        FaultKind.KILLED,
        FaultKind.ACKNOWLEDGEMENT_LOST,
        FaultKind.WRITE_FAILED,
        FaultKind.WRITE_ANSWER_LOST,
        FaultKind.READ_FAILED,
        FaultKind.PUBLISH_FAILED,
        FaultKind.PUBLISH_ANSWER_LOST,
        FaultKind.DEFER_FAILED,
        FaultKind.SECRET_UNAVAILABLE,
        FaultKind.TWICE_IN_ONE_BATCH,
        FaultKind.NOT_CONNECTED,
        FaultKind.TOO_SLOW,
        FaultKind.ARRIVED_LATE,
    }
)
_LATE_KINDS = frozenset({FaultKind.WRITE_LATE, FaultKind.WRITE_REPEATED})
_DEVIATIONS_END_AFTER_SECONDS = 1800.0
_GIVE_UP_AFTER = timedelta(hours=3)
"""Long enough that what waits after the deviations is sent. A resend that nobody answers goes on until then."""


@dataclass(frozen=True, slots=True)
class ScheduleResult:
    """`points` are the choice points in the order in which the run met them."""

    points: list[ChoicePoint]
    violations: list[Violation]


def run_schedule(
    scenario: Scenario, decisions: Decisions, write_line: Callable[[str], None] | None = None
) -> ScheduleResult:
    """Run one schedule. `write_line` takes the lines of the trace."""
    kinds = scenario.kinds or (_KINDS if scenario.is_prompt else _KINDS | _LATE_KINDS)
    pauses_seconds = () if scenario.is_prompt else scenario.pauses_seconds
    chance = ScheduledFaults(
        decisions,
        kinds,
        pauses_seconds,
        late_writes=scenario.late_writes,
        is_narrow=scenario.kinds is not None,
    )
    services = Services(_profile(scenario), chance, scripted(chance, scenario.answers), write_line)
    chance.trace = services.trace
    deliveries = {lane: Deliveries(services, chance, scenario.batch_size, lane) for lane in Lane}
    for message in scenario.messages:
        services.schedule.after(message.after_seconds, partial(deliveries[message.lane].send, message.body()))
    services.schedule.after(_DEVIATIONS_END_AFTER_SECONDS, chance.stop_faults)
    return ScheduleResult(chance.points, run_and_judge(services))


def _profile(scenario: Scenario) -> Profile:
    kinds = () if scenario.is_prompt else (FaultKind.SLOW_STEP, *_LATE_KINDS)
    return Profile(
        name="explored",
        rates=dict.fromkeys(kinds, 1.0),
        calls=0,
        max_calls_a_message=0,
        traffic_seconds=0.0,
        fault_seconds=_DEVIATIONS_END_AFTER_SECONDS,
        batch_size=scenario.batch_size,
        concurrency=0,
        poll_seconds=0.0,
        pause_chance=0.0,
        pause_seconds=0.0,
        limits=Limits(
            max_calls=500,
            max_body_bytes=262_144,
            give_up_after=_GIVE_UP_AFTER,
            max_refusals=scenario.max_refusals,
        ),
        requests_per_minute=scenario.requests_per_minute,
        urgent_reserve=scenario.urgent_reserve,
        refusal_leaves_checksum=scenario.refusal_leaves_checksum,
        checksum_over_body=True,
        checksum_over_payload=True,
        max_late_seconds=scenario.late_write_seconds / SHARE,
    )
