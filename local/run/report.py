"""Prints the relay's and the simulator's accounts side by side, and whether they agree."""

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table

from local.dashboard.store import statistic_of
from local.run.accounting import Audit, Evidence, Failure, contradictions, seconds_to_accepted, unaccounted


def show_accounts(console: Console, evidence: Evidence) -> None:
    """Print the accounts side by side."""
    tables = [_relay_table(evidence)]
    if evidence.audit is not None:
        tables.append(_simulator_table(evidence.audit))
    side_by_side = Table.grid(padding=(0, 1))
    side_by_side.add_row(*tables)
    console.print()
    console.print(side_by_side)
    console.print()
    console.print(_queues_table(evidence))


def show_conclusion(console: Console, evidence: Evidence, left_over: int) -> int:
    """Print that every call is accounted for and all accounts agree, or each fault. Return the exit status, 0 or 1.

    `left_over` is how many more messages the queues hold than before the run.
    """
    faults = [f"{name}: {what}" for name, what in unaccounted(evidence).items()]
    faults += [f"{name}: {what}" for name, sentences in contradictions(evidence).items() for what in sentences]
    if left_over:
        faults.append(f"the queues hold {left_over} messages more than before the run")
    accounts = "the records and the failure queue"
    if evidence.audit is not None:
        accounts = "the records, the failure queue and the simulator's audit"
    if not faults:
        console.print(f"All {len(evidence.call_ids)} calls are accounted for; {accounts} agree on each.", style="green")
        return 0
    console.print(f"{len(faults)} faults in the accounts:", style="bold red")
    for fault in faults:
        console.print(f"  {fault}", style="red", markup=False)  # an id can look like markup
    return 1


def _relay_table(evidence: Evidence) -> Table:
    records = [evidence.records[call_id] for call_id in evidence.call_ids if call_id in evidence.records]
    delivered = [record for record in records if record.status.is_delivered]
    requests = len({record.request_id for record in delivered})
    table = _table("The relay's records")
    for status, count in Counter(record.status for record in records).most_common():
        table.add_row(status, str(count))
    table.add_row("without a record", str(len(evidence.call_ids) - len(records)))
    table.add_row("calls in all", str(len(evidence.call_ids)), style="bold", end_section=True)
    table.add_row("requests that delivered calls", str(requests))
    table.add_row("calls a request", f"{len(delivered) / requests:.1f}" if requests else "-", end_section=True)
    failures = _failures_by_reason(evidence)
    for why, count in sorted(failures.items()):
        table.add_row(why, str(count))
    table.add_row("in the failure queue", str(sum(failures.values())), style="bold")
    return table


def _queues_table(evidence: Evidence) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("Seconds to accepted")
    for column in ("messages", "delivered", "p50", "p95", "p99"):
        table.add_column(column, justify="right")
    messages = Counter(message.queue for message in evidence.sent)
    for queue, seconds in sorted(seconds_to_accepted(evidence).items()):
        percentiles = [f"{statistic_of(seconds, percentile):.2f}" for percentile in ("p50", "p95", "p99")]
        table.add_row(f"{queue} queue", str(messages[queue]), str(len(seconds)), *percentiles)
    return table


def _simulator_table(audit: Audit) -> Table:
    table = _table("The simulator's audit")
    table.add_row("calls accepted", str(len(audit.taken)))
    table.add_row(
        "of them more than once", str(sum(len(uuids) > 1 for uuids in audit.taken.values())), end_section=True
    )
    for answer, count in audit.answers.items():
        table.add_row(answer, str(count))
    table.add_row("requests received", str(sum(audit.answers.values())), style="bold")
    return table


def _table(title: str) -> Table:
    # Two tables with the longest code names fit into 80 columns.
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    table.add_column(title)
    table.add_column("", justify="right", min_width=4)
    return table


def _failures_by_reason(evidence: Evidence) -> dict[str, int]:
    """Count the calls in the failure queue by reason; a message without calls counts as one."""
    failures: dict[str, set[str]] = {}
    for failure in evidence.failures:
        failures.setdefault(_why(failure), set()).update(failure.call_ids or {failure.source_message_id})
    return {why: len(names) for why, names in failures.items()}


def _why(failure: Failure) -> str:
    return failure.reason if failure.code is None else f"{failure.code} {failure.reason}"
