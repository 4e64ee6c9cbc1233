"""One run: one seed, one profile, from its first message until nothing is left to do, and the check of its evidence."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

from sealed_relay.admission import control
from sealed_relay.batch import process_batch
from sealed_relay.calls.message import Lane
from tests.campaign.answer_faults import answer_fault
from tests.campaign.check_guarantee import check_guarantee
from tests.campaign.coroutine_executor import CoroutineLock, wait
from tests.campaign.draw_profile import draw_profile
from tests.campaign.event_source import EventSource
from tests.campaign.evidence import Evidence, Invariant, Violation
from tests.campaign.fault_chance import FaultChance, FaultKind
from tests.campaign.operator_pauses import OperatorPauses
from tests.campaign.outages_and_rotations import OutagesAndRotations
from tests.campaign.producers import Producers
from tests.campaign.profile import Profile
from tests.campaign.replay_runs import ReplayRuns
from tests.campaign.services import FLOW_IDS, START, Services

_TIME_TO_COME_TO_REST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run. `undecidable` counts calls whose records could not be more precise.

    `starts_moved` counts start times in requests that calling hours had moved.
    """

    seed: int
    profile: str
    calls: int
    messages: int
    urgent_messages: int
    invocations: int
    requests: int
    starts_moved: int
    faults: Counter[FaultKind]
    codes: Counter[int]
    statuses: Counter[str]
    max_receives: int
    undecidable: int
    violations: list[Violation]


def run(
    seed: int, write_line: Callable[[str], None] | None = None, *, draw: Callable[[Random], Profile] = draw_profile
) -> Result:
    """Run what one seed stands for. `write_line` takes the lines of the trace."""
    random = Random(seed)
    profile = draw(random)
    services = Services(profile, FaultChance(random, profile.rates), answer_fault, write_line)
    services.trace("{}", profile)
    sources = {lane: EventSource(services, lane) for lane in Lane}
    traffic = Producers(services, sources)
    OutagesAndRotations(services)
    OperatorPauses(services)
    ReplayRuns(services, traffic.send)
    violations = run_and_judge(services)
    evidence = services.monitor.evidence
    return Result(
        seed=seed,
        profile=profile.name,
        calls=traffic.calls,
        messages=traffic.messages,
        urgent_messages=traffic.urgent_messages,
        invocations=sum(source.invocations for source in sources.values()),
        requests=sum(source.requests for source in sources.values()),
        starts_moved=sum(source.starts_moved for source in sources.values()),
        faults=services.chance.counts,
        codes=services.codes,
        statuses=Counter(str(record["status"]) for record in evidence.records.values()),
        max_receives=max(queue.highest_receive_count for queue in services.queues.values()),
        undecidable=_undecidable(evidence),
        violations=violations,
    )


def run_and_judge(services: Services) -> list[Violation]:
    """Run what is planned until nothing is left to do, and return every violation."""
    profile = services.profile
    locks = SimpleNamespace(RLock=lambda: CoroutineLock(services.schedule))
    with (
        patch.object(process_batch, "wait", wait),
        patch.object(control, "threading", locks),
    ):
        until = START + profile.fault_seconds + (profile.limits.give_up_after + _TIME_TO_COME_TO_REST).total_seconds()
        is_at_rest = services.schedule.run(until)
    evidence = services.monitor.evidence
    evidence.items = services.table.items
    evidence.redriven = [message_id for queue in services.queues.values() for message_id in queue.redriven]
    evidence.hours = {flow_id: services.monitor.hours.all_of(flow_id) for flow_id in FLOW_IDS}
    if is_at_rest:
        services.monitor.violations += check_guarantee(evidence)
    else:
        held = [message_id for queue in services.queues.values() for message_id in queue.message_ids]
        services.monitor.breach(Invariant.ENDS, f"the queues still hold {held}")
    return services.monitor.violations


def _undecidable(evidence: Evidence) -> int:
    return sum(
        record["status"] == "PRESUMED_ACCEPTED" and not evidence.acceptances.get(call_id)
        for call_id, record in evidence.records.items()
    )
