"""One run: one seed, one profile, from its first message until all is at rest, and the verdict on it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

from sealed_relay.admission import control
from sealed_relay.batch import process_batch
from tests.campaign.drawing import drawn
from tests.campaign.event_source import EventSource
from tests.campaign.evidence import Evidence, Invariant, Violation
from tests.campaign.executor import CoroutineLock, wait
from tests.campaign.judge import judge
from tests.campaign.luck import Trouble
from tests.campaign.profile import Profile
from tests.campaign.surroundings import START, Surroundings
from tests.campaign.traffic import Traffic
from tests.campaign.weather import Weather

_TIME_TO_COME_TO_REST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to. `undecidable` counts calls whose record nobody could have made more precise."""

    seed: int
    profile: str
    calls: int
    messages: int
    invocations: int
    requests: int
    troubles: Counter[Trouble]
    codes: Counter[int]
    statuses: Counter[str]
    max_receives: int
    undecidable: int
    violations: list[Violation]


def run(
    seed: int, write_line: Callable[[str], None] | None = None, *, draw: Callable[[Random], Profile] = drawn
) -> Result:
    """Everything that one seed stands for. `write_line` takes the trace."""
    random = Random(seed)
    profile = draw(random)
    around = Surroundings(profile, random, write_line)
    around.tell("{}", profile)
    source = EventSource(around)
    traffic = Traffic(around, source)
    Weather(around)
    locks = SimpleNamespace(RLock=lambda: CoroutineLock(around.schedule))
    with (
        patch.object(process_batch, "wait", wait),
        patch.object(control, "threading", locks),
    ):
        until = START + profile.storm_seconds + (profile.limits.give_up_after + _TIME_TO_COME_TO_REST).total_seconds()
        is_at_rest = around.schedule.run(until)
    evidence = around.witness.evidence
    evidence.items = around.table.items
    evidence.redriven = around.ingress.redriven
    if is_at_rest:
        around.witness.violations += judge(evidence)
    else:
        around.witness.breach(Invariant.ENDS, f"the queue still holds {around.ingress.message_ids}")
    return Result(
        seed=seed,
        profile=profile.name,
        calls=traffic.calls,
        messages=traffic.messages,
        invocations=source.invocations,
        requests=source.requests,
        troubles=around.luck.struck,
        codes=around.codes,
        statuses=Counter(str(record["status"]) for record in evidence.records.values()),
        max_receives=around.ingress.highest_receive_count,
        undecidable=_undecidable(evidence),
        violations=around.witness.violations,
    )


def _undecidable(evidence: Evidence) -> int:
    return sum(
        record["status"] == "PRESUMED_ACCEPTED" and not evidence.acceptances.get(call_id)
        for call_id, record in evidence.records.items()
    )
