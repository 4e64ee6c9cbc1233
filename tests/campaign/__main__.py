"""`python -m tests.campaign [--calls N] [--seed N] [--mutant all|NAME]`: exit status 0 if all runs keep the guarantee.

Without a mutant a campaign must show no violation; with one it must.
"""

import argparse
import sys
from contextlib import closing, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.campaign.mutants import MUTANTS, ONLY_THE_EXPLORER_SHOWS
from tests.campaign.report import Tally, show, show_violations
from tests.campaign.run import run
from tests.campaign.workers import is_clean, results

_MAX_CALLS_FOR_A_MUTANT = 500_000


def main() -> None:
    """Read the command line and run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="The relay under injected faults.")
    parser.add_argument("--calls", type=int, default=1_000_000, help="how many calls to send in all")
    parser.add_argument("--seed", type=int, help="show one run step by step")
    parser.add_argument("--mutant", choices=["all", *MUTANTS], help="break the product so, and see it caught")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    if arguments.seed is not None:
        sys.exit(_replay(console, arguments.seed, arguments.mutant))
    if arguments.mutant:
        names = sorted(MUTANTS.keys() - ONLY_THE_EXPLORER_SHOWS) if arguments.mutant == "all" else [arguments.mutant]
        survivors = [name for name in names if not _is_caught(console, name)]
        sys.exit(f"survived: {', '.join(survivors)}" if survivors else 0)
    sys.exit(_campaign(console, arguments.calls))


def _campaign(console: Console, calls: int) -> int:
    tally = Tally()
    columns = (TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with closing(results()) as runs, Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=calls)
        for result in runs:
            tally.add(result)
            progress.update(bar, completed=tally.calls)
            if result.violations:
                show_violations(progress.console, result)
            if tally.calls >= calls:
                break
    show(console, tally)
    return 1 if tally.failed else 0


def _is_caught(console: Console, name: str) -> bool:
    """Return whether a seed shows a violation that it does not show with the unchanged product."""
    calls = 0
    with closing(results(mutant=name)) as runs:
        for result in runs:
            calls += result.calls
            if result.violations and is_clean(result.seed):
                invariants = sorted({violation.invariant for violation in result.violations})
                console.print(f"{name}: caught after {calls} calls: {MUTANTS[name].what}", style="green")
                console.print(f"    not so: {'; '.join(invariants)}   make campaign SEED={result.seed} MUTANT={name}")
                return True
            if calls >= _MAX_CALLS_FOR_A_MUTANT:
                break
    console.print(f"{name}: SURVIVED {calls} calls: {MUTANTS[name].what}", style="bold red")
    return False


def _replay(console: Console, seed: int, mutant: str | None) -> int:
    with MUTANTS[mutant].applied() if mutant else nullcontext():
        result = run(seed, lambda line: console.out(line, highlight=False))
    tally = Tally()
    tally.add(result)
    show(console, tally)
    if result.violations:
        show_violations(console, result, mutant)
    return 1 if result.violations else 0


if __name__ == "__main__":
    main()
