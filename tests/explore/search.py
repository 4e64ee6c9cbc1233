"""Depth-first search over all schedules with a bounded number of deviations."""

from collections.abc import Iterator

from tests.campaign.evidence import Violation
from tests.explore.run import run_schedule
from tests.explore.scenarios import Scenario
from tests.explore.scheduled_faults import ChoicePoint, Decisions


def search(scenario: Scenario, start: Decisions, max_deviations: int) -> Iterator[tuple[Decisions, list[Violation]]]:
    """Run `start` and each schedule that goes on from it, with up to `max_deviations` in all; give what each showed.

    A run is determined by its decisions, so a schedule's choice points up to its last decision are those of the
    schedule that it goes on from.
    """
    pending = [start]
    while pending:
        decisions = pending.pop()
        result = run_schedule(scenario, decisions)
        yield decisions, result.violations
        pending += continuations(result.points, decisions, max_deviations)


def continuations(points: list[ChoicePoint], decisions: Decisions, max_deviations: int) -> list[Decisions]:
    """The schedules with one decision more, after the last one."""
    left = max_deviations - sum(points[number].deviations for number in decisions)
    return [
        {**decisions, number: alternative}
        for number in range(max(decisions, default=-1) + 1, len(points))
        if points[number].deviations <= left
        for alternative in range(1, points[number].alternatives + 1)
    ]
