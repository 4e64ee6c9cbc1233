"""`python -m tests.explore`: exit status 0 if all schedules keep the guarantee.

Without a mutant no schedule may show a violation; with one, a schedule must.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.campaign.evidence import Violation
from tests.campaign.mutants import MUTANTS
from tests.campaign.workers import start_processes
from tests.explore.run import run_schedule
from tests.explore.scenarios import SCENARIOS
from tests.explore.scheduled_faults import Decisions
from tests.explore.shown_mutants import SHOWN_BY
from tests.explore.workers import Explored, explore


def main() -> None:
    """Read the command line and explore."""
    parser = argparse.ArgumentParser(prog="python -m tests.explore", description="The relay under every schedule.")
    parser.add_argument("--deviations", type=int, help="how many deviations a schedule may have, instead of 2 or more")
    parser.add_argument("--scenario", choices=SCENARIOS, help="explore this scenario alone")
    parser.add_argument("--schedule", help="show one schedule of the scenario step by step")
    parser.add_argument("--mutant", choices=["all", *MUTANTS], help="break the product so, and see it caught")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    names = [arguments.scenario] if arguments.scenario else list(SCENARIOS)
    if arguments.schedule is not None:
        if not arguments.scenario:
            parser.error("a schedule belongs to a scenario: name both")
        sys.exit(_show(console, arguments.scenario, arguments.schedule, arguments.mutant))
    with start_processes() as processes:
        if arguments.mutant:
            mutants = list(SHOWN_BY) if arguments.mutant == "all" else [arguments.mutant]
            survivors = [
                mutant
                for mutant in mutants
                if not _is_caught(console, processes, mutant, _likely_first(mutant, names), arguments.deviations)
            ]
            sys.exit(f"survived: {', '.join(survivors)}" if survivors else 0)
        sys.exit(_explore_all(console, processes, names, arguments.deviations))


def _explore_all(console: Console, processes: ProcessPoolExecutor, names: list[str], asked: int | None) -> int:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("scenario")
    for title in ("deviations", "schedules", "violations", "seconds"):
        table.add_column(title, justify="right")
    total = Explored()
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    for name in names:
        deviations = SCENARIOS[name].max_deviations if asked is None else asked
        scenario_began, explored = time.monotonic(), Explored()
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task(name, total=None)
            for left, part in explore(processes, name, deviations):
                if not explored.schedules:
                    progress.update(bar, total=left)
                else:
                    progress.advance(bar)
                explored.add(part)
        for decisions, violations in explored.violating:
            _print_violations(console, name, decisions, violations)
        _add_row(table, name, deviations, explored, time.monotonic() - scenario_began)
        total.add(explored)
    _add_row(table, "all", "", total, time.monotonic() - began)
    console.print(table)
    return 1 if total.violations else 0


def _likely_first(mutant: str, names: list[str]) -> list[str]:
    shown = SHOWN_BY.get(mutant)
    return sorted(names, key=lambda name: shown is None or name != shown.scenario)


def _is_caught(
    console: Console, processes: ProcessPoolExecutor, mutant: str, names: list[str], asked: int | None
) -> bool:
    """Return whether a schedule shows a violation that it does not show with the unchanged product."""
    schedules = 0
    for name in names:
        for _, part in explore(processes, name, SCENARIOS[name].max_deviations if asked is None else asked, mutant):
            schedules += part.schedules
            for decisions, violations in part.violating:
                if run_schedule(SCENARIOS[name], decisions).violations:
                    continue
                console.print(f"{mutant}: caught by {schedules} schedules: {MUTANTS[mutant].what}", style="green")
                _print_violations(console, name, decisions, violations, mutant)
                return True
    console.print(f"{mutant}: SURVIVED {schedules} schedules: {MUTANTS[mutant].what}", style="bold red")
    return False


def _show(console: Console, name: str, schedule: str, mutant: str | None) -> int:
    decisions = _decisions(schedule)
    with _broken(mutant):
        result = run_schedule(SCENARIOS[name], decisions, lambda line: console.out(line, highlight=False))
    points = dict(enumerate(result.points))
    for number, alternative in decisions.items():
        if number not in points or alternative > points[number].alternatives:
            console.print(f"This run has no choice {number}:{alternative}.", style="red")
            return 2
    for violation in result.violations:
        console.print(f"{violation.invariant}: not so: {violation.detail}", style="red", markup=False)
    return 1 if result.violations else 0


def _print_violations(
    console: Console, name: str, decisions: Decisions, violations: list[Violation], mutant: str | None = None
) -> None:
    lines: list[str] = []
    with _broken(mutant):
        run_schedule(SCENARIOS[name], decisions, lines.append)
    for line in lines:
        if ">>>" in line:
            console.print(line, markup=False)
    for violation in violations[:3]:
        console.print(f"  {violation.invariant}: not so: {violation.detail}", style="red", markup=False)
    suffix = f" MUTANT={mutant}" if mutant else ""
    console.print(f'  make explore SCENARIO={name} SCHEDULE="{_schedule(decisions)}"{suffix}')


def _add_row(table: Table, name: str, deviations: int | str, explored: Explored, seconds: float) -> None:
    table.add_row(name, str(deviations), f"{explored.schedules:,}", str(explored.violations), f"{seconds:.1f}")


def _broken(mutant: str | None) -> AbstractContextManager[None]:
    return MUTANTS[mutant].applied() if mutant else nullcontext()


def _schedule(decisions: Decisions) -> str:
    """Decisions as the command line takes them; "undisturbed" for none."""
    return " ".join(f"{number}:{alternative}" for number, alternative in decisions.items()) or "undisturbed"


def _decisions(schedule: str) -> Decisions:
    pairs = [] if schedule == "undisturbed" else [pair.split(":") for pair in schedule.split()]
    return {int(number): int(alternative) for number, alternative in pairs}


if __name__ == "__main__":
    main()
