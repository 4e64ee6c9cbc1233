"""Prints the results of a campaign as a table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table

from sealed_relay.kairos.codes import code_of
from tests.campaign.evidence import Invariant
from tests.campaign.fault_chance import FaultKind
from tests.campaign.run import Result

_LOSSES = (Invariant.ACCOUNTED, Invariant.FAILURE_QUEUE)
_MILLION = 1_000_000


@dataclass(slots=True)
class Tally:
    """The sums over all runs. `failed` keeps the runs with violations."""

    runs: int = 0
    calls: int = 0
    messages: int = 0
    urgent_messages: int = 0
    invocations: int = 0
    requests: int = 0
    starts_moved: int = 0
    undecidable: int = 0
    faults: Counter[FaultKind] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    invariants: Counter[Invariant] = field(default_factory=Counter)
    failed: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Add a run."""
        self.runs += 1
        self.calls += result.calls
        self.messages += result.messages
        self.urgent_messages += result.urgent_messages
        self.invocations += result.invocations
        self.requests += result.requests
        self.starts_moved += result.starts_moved
        self.undecidable += result.undecidable
        self.faults += result.faults
        self.codes += result.codes
        self.statuses += result.statuses
        self.invariants.update(violation.invariant for violation in result.violations)
        if result.violations:
            self.failed.append(result)

    @property
    def losses(self) -> int:
        """Calls that were lost, or might be."""
        return sum(self.invariants[invariant] for invariant in _LOSSES)

    @property
    def duplicates(self) -> int:
        """Calls that the API accepted once too often."""
        return self.invariants[Invariant.ONCE]


def show(console: Console, tally: Tally) -> None:
    """Print all tables."""
    side_by_side = Table.grid(padding=(0, 2))
    answers = ((f"{code} {code_of(code).name}", number) for code, number in sorted(tally.codes.items()))
    side_by_side.add_row(_table("The campaign", _sums(tally)), _table("The API's answers", answers))
    console.print(side_by_side)
    console.print()
    console.print(_table("Faults injected", ((kind.value, tally.faults[kind]) for kind in FaultKind)))


def show_violations(console: Console, result: Result, mutant: str | None = None) -> None:
    """Print the violations of a run, and the command that shows it step by step."""
    console.print(f"seed {result.seed} ({result.profile}):", style="bold red")
    for violation in result.violations[:5]:
        console.print(f"  {violation.invariant}: not so: {violation.detail}", style="red", markup=False)
    if len(result.violations) > 5:
        console.print(f"  and {len(result.violations) - 5} more", style="red")
    console.print(f"  make campaign SEED={result.seed}{f' MUTANT={mutant}' if mutant else ''}")


def _sums(tally: Tally) -> Iterator[tuple[str, object]]:
    yield from (("runs", tally.runs), ("calls", tally.calls), ("messages", tally.messages))
    yield from (("of them urgent", tally.urgent_messages), ("invocations", tally.invocations))
    yield from (("requests sent", tally.requests), ("starts moved into calling hours", tally.starts_moved), ("", ""))
    yield from tally.statuses.most_common()
    yield from (("presumed, and undecidable", tally.undecidable), ("", ""))
    yield "losses per million calls", f"{tally.losses * _MILLION / max(1, tally.calls):.1f}"
    yield "duplicates per million calls", f"{tally.duplicates * _MILLION / max(1, tally.calls):.1f}"
    yield "violations of any kind", sum(tally.invariants.values())


def _table(title: str, rows: Iterator[tuple[str, object]]) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column(title)
    table.add_column("", justify="right")
    for name, value in rows:
        table.add_row(name, str(value))
    return table
