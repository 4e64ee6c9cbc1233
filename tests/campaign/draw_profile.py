"""Draws the profile of a run from its seed.

Many kinds of faults, many copies of few calls, constant full load under clocks that differ, or a pause of a day.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

from sealed_relay.dependencies import Limits
from tests.campaign.fault_chance import FaultKind
from tests.campaign.profile import Profile

_HOUR = 3600.0
_DAY = 24 * _HOUR

# The highest rate of each kind of fault. It counts per opportunity: a write, a message, a request, a check for outages.
# A run with only one theme of faults has all kinds of that theme.
_WORST: Mapping[str, Mapping[FaultKind, float]] = {
    "crashes": {FaultKind.KILLED: 0.004, FaultKind.ACKNOWLEDGEMENT_LOST: 0.05, FaultKind.ARRIVED_LATE: 0.05},
    "table": {
        FaultKind.WRITE_FAILED: 0.004,
        FaultKind.WRITE_ANSWER_LOST: 0.004,
        FaultKind.WRITE_REPEATED: 0.02,
        FaultKind.WRITE_LATE: 0.003,
        FaultKind.WRITE_ANSWERED_LATE: 0.003,
        FaultKind.READ_FAILED: 0.003,
    },
    "queues": {
        FaultKind.ACKNOWLEDGEMENT_LOST: 0.2,
        FaultKind.PUBLISH_FAILED: 0.05,
        FaultKind.PUBLISH_ANSWER_LOST: 0.05,
        FaultKind.DEFER_FAILED: 0.1,
        FaultKind.DELIVERED_TWICE: 0.3,
        FaultKind.TWICE_IN_ONE_BATCH: 0.02,
        FaultKind.CAME_BACK: 0.02,
        FaultKind.DELIVERED_LATE: 0.03,
    },
    "producers": {
        FaultKind.MESSAGE_REPEATED: 0.15,
        FaultKind.CALL_REPEATED: 0.15,
        FaultKind.CONTENT_CHANGED: 0.3,
        FaultKind.RETRIED: 0.3,
    },
    "answers": {FaultKind.API_FAULT: 0.2, FaultKind.NOT_CONNECTED: 0.05, FaultKind.TOO_SLOW: 0.04},
    "outages": {FaultKind.OUTAGE: 0.08, FaultKind.EMPTY_ACCOUNT: 0.04},
    "operators": {
        FaultKind.PAUSED_BY_HAND: 0.2,
        FaultKind.REPLAYED: 0.5,
        FaultKind.REPLAY_KILLED: 0.01,
        FaultKind.REPLAY_FAILED: 0.01,
    },
    "rotations": {FaultKind.SECURITY_ID_ROTATED: 0.08, FaultKind.KEY_ROTATED: 0.05, FaultKind.SECRET_UNAVAILABLE: 0.1},
    "time": {FaultKind.SLOW_STEP: 0.01, FaultKind.SKEWED_CLOCK: 0.7, FaultKind.TOO_SLOW: 0.05},
}

# Rates that make several invocations work on one call at the same time, each with a message that may disappear.
_CROWDED: Mapping[FaultKind, float] = {
    FaultKind.MESSAGE_REPEATED: 0.9,
    FaultKind.CALL_REPEATED: 0.7,
    FaultKind.RETRIED: 0.5,
    FaultKind.DELIVERED_TWICE: 0.5,
    FaultKind.CAME_BACK: 0.3,
    FaultKind.DELIVERED_LATE: 0.8,
    FaultKind.ACKNOWLEDGEMENT_LOST: 0.1,
    FaultKind.CONTENT_CHANGED: 0.1,
    FaultKind.TRY_LATER: 1.0,
    FaultKind.API_FAULT: 0.3,
    FaultKind.OUTAGE: 0.1,
    FaultKind.PAUSED_BY_HAND: 0.1,
    FaultKind.REPLAYED: 0.5,
    FaultKind.REPLAY_KILLED: 0.02,
    FaultKind.REPLAY_FAILED: 0.02,
    FaultKind.WRITE_FAILED: 0.01,
    FaultKind.WRITE_ANSWER_LOST: 0.01,
    FaultKind.WRITE_LATE: 0.02,
    FaultKind.WRITE_REPEATED: 0.1,
    FaultKind.READ_FAILED: 0.01,
    FaultKind.KILLED: 0.01,
    FaultKind.ARRIVED_LATE: 0.1,
    FaultKind.TOO_SLOW: 0.2,
    FaultKind.SLOW_STEP: 0.05,
}


def draw_profile(random: Random) -> Profile:
    """Draw any of the profiles below."""
    # A crowded run has few calls, and a pause of a day takes long.
    draws = [with_faults, crowded, copied, saturated, paused_meanwhile, paused_for_a_day]
    [draw] = random.choices(draws, (200, 450, 50, 20, 20, 1))
    return _with_queues_and_hours(draw(random), random)


def _with_queues_and_hours(profile: Profile, random: Random) -> Profile:
    """Two queues in some runs, with or without a reserve, and calling hours in others."""
    urgent_share = random.choice((0.0, 0.1, 0.5))
    most = profile.requests_per_minute
    reserve = random.choice((0, 1, most // 5, most // 2)) if urgent_share or random.random() < 0.1 else 0
    has_hours = random.random() < 0.3
    rates = {**profile.rates, FaultKind.HOURS_CHANGED: 0.2 * random.random()} if has_hours else profile.rates
    return replace(profile, urgent_share=urgent_share, urgent_reserve=reserve, has_hours=has_hours, rates=rates)


def with_faults(random: Random) -> Profile:
    """No faults, faults of one theme, or of several themes; a small run or a large one."""
    [themes] = random.choices(
        [[], [random.choice(sorted(_WORST))], [t for t in _WORST if random.random() < 0.6]], (1, 4, 5)
    )
    rates: dict[FaultKind, float] = {}
    for theme in themes:
        for kind, worst in _WORST[theme].items():
            rates[kind] = worst * random.random()
    small = random.random() < 0.5
    over_body, over_payload = random.choice([(True, True), (True, False), (False, True)])
    traffic_seconds = random.choice([2.0, 60.0, 600.0, _HOUR])
    return Profile(
        name=" ".join(themes) or "calm",
        rates=rates,
        calls=random.randint(5, 50) if small else random.randint(200, 1500),
        max_calls_a_message=random.choice([1, 3, 10]) if small else random.choice([5, 50, 100]),
        traffic_seconds=traffic_seconds,
        fault_seconds=traffic_seconds + random.choice([60.0, 600.0, _HOUR, 6 * _HOUR]),
        batch_size=random.choice([1, 3, 10, 100]) if small else random.choice([10, 100, 1000]),
        concurrency=random.randint(1, 6),
        poll_seconds=random.choice([0.0, 0.01, 1.0]),
        pause_seconds=random.choice([0.01, 0.1, 1.0]),
        pause_chance=random.choice([0.02, 0.1, 0.5]) if small else random.choice([0.0, 0.005, 0.02]),
        limits=Limits(
            max_calls=random.choice([1, 2, 3, 500]) if small else random.choice([50, 500]),
            max_body_bytes=262_144,
            give_up_after=timedelta(seconds=random.choice([120.0, 1200.0, 4 * _HOUR, 24 * _HOUR])),
            max_refusals=random.choice([2, 16]),
        ),
        requests_per_minute=random.choice([10, 60, 500]) if small else random.choice([120, 500, 500]),
        refusal_leaves_checksum=random.random() < 0.5,
        checksum_over_body=over_body,
        checksum_over_payload=over_payload,
        haste=random.choice([1, 1, 8]),
    )


def crowded(random: Random) -> Profile:
    """A few calls that wait, each in several messages, and each of these in several invocations."""
    return Profile(
        name="crowded",
        rates={kind: worst * random.random() for kind, worst in _CROWDED.items()},
        calls=random.randint(2, 15),
        max_calls_a_message=random.choice([1, 3]),
        traffic_seconds=random.choice([2.0, 60.0, 600.0]),
        fault_seconds=random.choice([600.0, _HOUR]),
        batch_size=random.choice([1, 2, 3]),
        concurrency=random.randint(4, 10),
        poll_seconds=random.choice([0.01, 1.0, 10.0]),
        pause_seconds=random.choice([0.1, 1.0, 5.0]),
        pause_chance=random.choice([0.1, 0.5]),
        limits=Limits(
            max_calls=random.choice([1, 3, 500]),
            max_body_bytes=262_144,
            give_up_after=timedelta(seconds=random.choice([120.0, 600.0, _HOUR])),
            max_refusals=random.choice([2, 16]),
        ),
        requests_per_minute=random.choice([60, 500]),
        refusal_leaves_checksum=random.random() < 0.5,
        checksum_over_body=True,
        checksum_over_payload=random.random() < 0.5,
        haste=random.choice([1, 1, 8]),
    )


def copied(random: Random) -> Profile:
    """One call or a few, each in up to 40 messages, of which one batch may hold all."""
    return replace(
        crowded(random),
        name="copied",
        calls=random.randint(1, 3),
        max_copies=random.randint(17, 40),
        batch_size=random.choice([1, 10, 100]),
    )


def saturated(random: Random) -> Profile:
    """A backlog that keeps the rate limit busy for minutes, over clocks that differ as much as it allows for."""
    requests_per_minute = random.choice([10, 20, 60])
    max_calls = random.choice([1, 3])
    return Profile(
        name="saturated",
        rates={
            FaultKind.SKEWED_CLOCK: 0.9,
            FaultKind.SLOW_STEP: random.choice([0.0, 0.02]),
            FaultKind.WRITE_ANSWERED_LATE: random.choice([0.0, 0.05]),
            FaultKind.WRITE_REPEATED: random.choice([0.0, 0.02]),
            FaultKind.KILLED: random.choice([0.0, 0.002]),
        },
        calls=requests_per_minute * max_calls * random.randint(3, 6),
        max_calls_a_message=max_calls,
        traffic_seconds=random.choice([2.0, 120.0]),
        fault_seconds=random.choice([600.0, _HOUR]),
        batch_size=random.choice([1, 5, 20]),
        concurrency=random.randint(3, 10),
        poll_seconds=random.choice([0.01, 0.1, 1.0]),
        pause_seconds=random.choice([0.01, 0.1, 1.0]),
        pause_chance=random.choice([0.02, 0.2]),
        limits=Limits(max_calls=max_calls, max_body_bytes=262_144, give_up_after=timedelta(seconds=4 * _HOUR)),
        requests_per_minute=requests_per_minute,
        refusal_leaves_checksum=random.random() < 0.5,
        checksum_over_body=True,
        checksum_over_payload=random.random() < 0.5,
        is_plain=True,
    )


def paused_meanwhile(random: Random) -> Profile:
    """Pauses begin while invocations are at work: a slow API refuses large requests, which are halved again and again.

    Every step is prompt, so that the judge can look closely.
    """
    return replace(
        with_faults(random),
        name="paused meanwhile",
        rates={FaultKind.PAUSED_BY_HAND: 0.3, FaultKind.EMPTY_ACCOUNT: 0.1},
        calls=random.randint(300, 800),
        max_calls_a_message=50,
        traffic_seconds=600.0,
        fault_seconds=900.0,
        batch_size=100,
        poll_seconds=1.0,
        pause_seconds=0.01,
        limits=Limits(max_calls=100, max_body_bytes=262_144, give_up_after=timedelta(seconds=4 * _HOUR)),
        requests_per_minute=500,
        answer_seconds=random.choice([1.0, 4.0]),
    )


def paused_for_a_day(random: Random) -> Profile:
    """The account is empty, or the flows have wrong security ids, for a day or more. Then it is corrected."""
    fault_seconds = random.uniform(1.0, 1.5) * _DAY
    return Profile(
        name="paused for a day",
        # No lost answers: the stored bytes hold the wrong id, and the API would refuse every resend.
        rates={kind: worst * random.random() for kind, worst in _WORST["queues"].items()},
        calls=random.randint(100, 200),
        max_calls_a_message=5,
        traffic_seconds=random.choice([60.0, _HOUR, 12 * _HOUR]),
        fault_seconds=fault_seconds,
        batch_size=random.choice([10, 100]),
        concurrency=random.randint(1, 6),
        poll_seconds=random.choice([0.01, 1.0]),
        pause_seconds=0.1,
        pause_chance=0.005,
        limits=Limits(
            max_calls=500,
            max_body_bytes=262_144,
            give_up_after=timedelta(seconds=random.choice([2 * _DAY, 4 * _DAY])),
        ),
        requests_per_minute=500,
        refusal_leaves_checksum=random.random() < 0.5,
        checksum_over_body=True,
        checksum_over_payload=random.random() < 0.5,
        is_refused_all_along=True,
        is_plain=True,
    )
