"""Profiles drawn from a run's seed: troubled in many ways, crowded with copies, or paused for a day."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random

from sealed_relay.dependencies import Limits
from tests.campaign.luck import Trouble
from tests.campaign.profile import Profile

_HOUR = 3600.0
_DAY = 24 * _HOUR

# How often each trouble strikes at its worst, at each opportunity: a single write, a message, a request, a look at the
# weather. Troubles of one theme come together where a run has one heavy trouble only.
_WORST: Mapping[str, Mapping[Trouble, float]] = {
    "crashes": {Trouble.KILLED: 0.004, Trouble.ACKNOWLEDGEMENT_LOST: 0.05, Trouble.OUTLIVED: 0.05},
    "table": {
        Trouble.WRITE_FAILED: 0.004,
        Trouble.WRITE_ANSWER_LOST: 0.004,
        Trouble.WRITE_REPEATED: 0.02,
        Trouble.WRITE_LATE: 0.003,
        Trouble.READ_FAILED: 0.003,
    },
    "queues": {
        Trouble.ACKNOWLEDGEMENT_LOST: 0.2,
        Trouble.PUBLISH_FAILED: 0.05,
        Trouble.PUBLISH_ANSWER_LOST: 0.05,
        Trouble.HAND_BACK_FAILED: 0.1,
        Trouble.DELIVERED_TWICE: 0.3,
        Trouble.TWICE_IN_ONE_BATCH: 0.02,
        Trouble.CAME_BACK: 0.02,
        Trouble.DELIVERED_LATE: 0.03,
    },
    "producers": {
        Trouble.REPEATED: 0.15,
        Trouble.CALL_REPEATED: 0.15,
        Trouble.CONTENT_CHANGED: 0.3,
        Trouble.RETRIED: 0.3,
        Trouble.REPLAYED: 0.3,
    },
    "answers": {Trouble.API_FAULT: 0.2, Trouble.NOT_CONNECTED: 0.05, Trouble.TOO_SLOW: 0.04},
    "outages": {Trouble.OUTAGE: 0.08, Trouble.EMPTY_ACCOUNT: 0.04},
    "rotations": {Trouble.SECURITY_ID_ROTATED: 0.08, Trouble.KEY_ROTATED: 0.05, Trouble.SECRET_UNAVAILABLE: 0.1},
    "time": {Trouble.SLOW_STEP: 0.01, Trouble.SKEWED_CLOCK: 0.7, Trouble.TOO_SLOW: 0.05},
}

# What it takes to bring several invocations to one call at once, each with a message that may be gone any moment.
_CROWDING: Mapping[Trouble, float] = {
    Trouble.REPEATED: 0.9,
    Trouble.CALL_REPEATED: 0.7,
    Trouble.RETRIED: 0.5,
    Trouble.DELIVERED_TWICE: 0.5,
    Trouble.CAME_BACK: 0.3,
    Trouble.DELIVERED_LATE: 0.8,
    Trouble.ACKNOWLEDGEMENT_LOST: 0.1,
    Trouble.CONTENT_CHANGED: 0.1,
    Trouble.PUT_OFF: 1.0,
    Trouble.API_FAULT: 0.3,
    Trouble.OUTAGE: 0.1,
    Trouble.WRITE_FAILED: 0.01,
    Trouble.WRITE_ANSWER_LOST: 0.01,
    Trouble.WRITE_LATE: 0.02,
    Trouble.WRITE_REPEATED: 0.1,
    Trouble.READ_FAILED: 0.01,
    Trouble.KILLED: 0.01,
    Trouble.OUTLIVED: 0.1,
    Trouble.TOO_SLOW: 0.2,
    Trouble.SLOW_STEP: 0.05,
}


def drawn(random: Random) -> Profile:
    """Any profile."""
    [draw] = random.choices([troubled, crowded, paused_for_a_day], (200, 500, 1))  # a crowded one has few calls
    return draw(random)


def troubled(random: Random) -> Profile:
    """Calm, with one theme of trouble, or with many; small or large."""
    [themes] = random.choices(
        [[], [random.choice(sorted(_WORST))], [t for t in _WORST if random.random() < 0.6]], (1, 4, 5)
    )
    rates: dict[Trouble, float] = {}
    for theme in themes:
        for trouble, worst in _WORST[theme].items():
            rates[trouble] = worst * random.random()
    small = random.random() < 0.5
    over_body, over_payload = random.choice([(True, True), (True, False), (False, True)])
    traffic_seconds = random.choice([2.0, 60.0, 600.0, _HOUR])
    return Profile(
        name=" ".join(themes) or "calm",
        rates=rates,
        calls=random.randint(5, 50) if small else random.randint(200, 1500),
        max_calls_a_message=random.choice([1, 3, 10]) if small else random.choice([5, 50, 100]),
        traffic_seconds=traffic_seconds,
        storm_seconds=traffic_seconds + random.choice([60.0, 600.0, _HOUR, 6 * _HOUR]),
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
        rates={trouble: worst * random.random() for trouble, worst in _CROWDING.items()},
        calls=random.randint(2, 15),
        max_calls_a_message=random.choice([1, 3]),
        traffic_seconds=random.choice([2.0, 60.0, 600.0]),
        storm_seconds=random.choice([600.0, _HOUR]),
        batch_size=random.choice([1, 2, 3]),
        concurrency=random.randint(4, 10),
        poll_seconds=random.choice([0.01, 1.0, 10.0]),
        pause_seconds=random.choice([0.1, 1.0, 5.0]),
        pause_chance=random.choice([0.1, 0.5]),
        limits=Limits(
            max_calls=random.choice([1, 3, 500]),
            max_body_bytes=262_144,
            give_up_after=timedelta(seconds=random.choice([120.0, 600.0, _HOUR])),
        ),
        requests_per_minute=random.choice([60, 500]),
        refusal_leaves_checksum=random.random() < 0.5,
        checksum_over_body=True,
        checksum_over_payload=random.random() < 0.5,
        haste=random.choice([1, 1, 8]),
    )


def paused_for_a_day(random: Random) -> Profile:
    """An account that is empty, or flows whose security ids are wrong, for a day or more; then it is mended."""
    storm_seconds = random.uniform(1.0, 1.5) * _DAY
    return Profile(
        name="paused for a day",
        # Nothing that leaves a request without an answer: its bytes hold the wrong id, and are refused for good.
        rates={trouble: worst * random.random() for trouble, worst in _WORST["queues"].items()},
        calls=random.randint(100, 200),
        max_calls_a_message=5,
        traffic_seconds=random.choice([60.0, _HOUR, 12 * _HOUR]),
        storm_seconds=storm_seconds,
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
