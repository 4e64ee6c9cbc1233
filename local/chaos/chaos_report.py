"""Prints the injected faults, and the losses and duplicates per million calls."""

from rich import box
from rich.console import Console
from rich.table import Table

from local.chaos.inject_faults import FaultCounts
from local.run.accounting import Evidence, duplicated, lost


def show_fault_counts(console: Console, counts: FaultCounts, evidence: Evidence) -> None:
    """Print the counts of injected faults, and the two figures that matter."""
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("Injected faults")
    table.add_column("", justify="right")
    table.add_row("function processes killed", str(counts.kills))
    table.add_row("invocations that died", str(counts.failed_invocations))
    table.add_row("suspensions of the local AWS", str(counts.suspensions))
    table.add_row("seconds that it was suspended", f"{counts.suspended_seconds:.0f}", end_section=True)
    for name, requests in sorted(counts.requests_by_fault.items()):
        table.add_row(f"requests with: {name}", str(requests))
    table.add_section()
    calls = len(evidence.call_ids)
    table.add_row("calls sent", str(calls))
    table.add_row("losses per million calls", per_million(len(lost(evidence)), calls), style="bold")
    table.add_row("duplicates per million calls", per_million(len(duplicated(evidence)), calls), style="bold")
    console.print()
    console.print(table)


def per_million(count: int, calls: int) -> str:
    """Return the count per million calls, rounded up: one loss is never shown as 0."""
    return str(-(-count * 1_000_000 // calls)) if calls else "-"
