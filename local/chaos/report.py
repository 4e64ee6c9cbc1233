"""What a storm did, and what it cost."""

from rich import box
from rich.console import Console
from rich.table import Table

from local.chaos.storm import Toll
from local.run.accounting import Evidence, duplicated, lost


def show_storm(console: Console, toll: Toll, evidence: Evidence) -> None:
    """Print what happened beside the two figures that count."""
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("The storm")
    table.add_column("", justify="right")
    table.add_row("function processes killed", str(toll.kills))
    table.add_row("invocations that died", str(toll.failed_invocations))
    table.add_row("pauses of the local AWS", str(toll.pauses))
    table.add_row("seconds that it was paused", f"{toll.paused_seconds:.0f}", end_section=True)
    for name, requests in sorted(toll.requests_by_fault.items()):
        table.add_row(f"requests with: {name}", str(requests))
    table.add_section()
    calls = len(evidence.call_ids)
    table.add_row("calls sent", str(calls))
    table.add_row("losses per million calls", per_million(len(lost(evidence)), calls), style="bold")
    table.add_row("duplicates per million calls", per_million(len(duplicated(evidence)), calls), style="bold")
    console.print()
    console.print(table)


def per_million(count: int, calls: int) -> str:
    """How many it would be of a million; rounded up, so that one is never shown as none."""
    return str(-(-count * 1_000_000 // calls)) if calls else "-"
