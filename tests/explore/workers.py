"""Explores a scenario in two processes: each task is one schedule with one decision, and all that go on from it."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field

from tests.campaign.evidence import Violation
from tests.campaign.mutants import MUTANTS
from tests.explore.run import run_schedule
from tests.explore.scenarios import SCENARIOS
from tests.explore.scheduled_faults import Decisions
from tests.explore.search import continuations, search

_MAX_KEPT = 3


@dataclass(slots=True)
class Explored:
    """What so many `schedules` showed. `violations` counts those with a violation; `violating` keeps a few of them."""

    schedules: int = 0
    violations: int = 0
    violating: list[tuple[Decisions, list[Violation]]] = field(default_factory=list)

    def add(self, other: "Explored") -> None:
        """Add what other schedules showed."""
        self.schedules += other.schedules
        self.violations += other.violations
        self.violating = (self.violating + other.violating)[:_MAX_KEPT]


def explore(
    processes: ProcessPoolExecutor, name: str, max_deviations: int, mutant: str | None = None
) -> Iterator[tuple[int, Explored]]:
    """Explore a scenario completely; give what each task showed as it ends, after the number of tasks that are left."""
    with MUTANTS[mutant].applied() if mutant else nullcontext():
        undisturbed = run_schedule(SCENARIOS[name], {})
    starts = continuations(undisturbed.points, {}, max_deviations)
    tasks = [processes.submit(_explore_from, name, start, max_deviations, mutant) for start in starts]
    yield len(tasks), _explored({}, undisturbed.violations)
    try:
        for left, task in zip(range(len(tasks) - 1, -1, -1), as_completed(tasks), strict=True):
            yield left, task.result()
    finally:
        for task in tasks:
            task.cancel()


def _explore_from(name: str, start: Decisions, max_deviations: int, mutant: str | None) -> Explored:
    explored = Explored()
    with MUTANTS[mutant].applied() if mutant else nullcontext():
        for decisions, violations in search(SCENARIOS[name], start, max_deviations):
            explored.add(_explored(decisions, violations))
    return explored


def _explored(decisions: Decisions, violations: list[Violation]) -> Explored:
    return Explored(1, 1, [(decisions, violations)]) if violations else Explored(1)
