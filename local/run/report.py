"""Prints the relay's and the simulator's accounts side by side, and whether they agree."""

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table

from local.dashboard.store import statistic_of
from local.run.accounting import (
    Audit,
    Evidence,
    Failure,
    Record,
    answer_name,
    contradictions,
    seconds_to_accepted,
    unaccounted,
)


def show_accounts(console: Console, evidence: Evidence) -> None:
    """Print the accounts side by side: the calls on top, below them the failures and the API's answers."""
    rows = [[_records_table(evidence)], [_failures_table(evidence)]]
    if evidence.audit is not None:
        rows[0].append(_accepted_table(evidence.audit))
        rows[1].append(_answers_table(evidence.audit))
    side_by_side = Table.grid(padding=(0, 1))
    for row in rows:
        side_by_side.add_row(*row)
        side_by_side.add_row()
    console.print()
    console.print(side_by_side)
    console.print(_queues_table(evidence))
    console.print()
    _explain(console, evidence)


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


def _explain(console: Console, evidence: Evidence) -> None:
    delivered = _delivered(evidence)
    if requests := len({record.request_id for record in delivered}):
        console.print(
            f"{requests} requests delivered {len(delivered)} calls: {len(delivered) / requests:.1f} calls a request."
        )
    if evidence.audit is not None and evidence.failures:
        console.print(
            "One bad call refuses its whole request. The relay halves the request until that call is alone,\n"
            "so one failed call causes several answers with its code."
        )


def _delivered(evidence: Evidence) -> list[Record]:
    records = [evidence.records[call_id] for call_id in evidence.call_ids if call_id in evidence.records]
    return [record for record in records if record.status.is_delivered]


def _records_table(evidence: Evidence) -> Table:
    statuses = Counter(evidence.records[call_id].status for call_id in evidence.call_ids if call_id in evidence.records)
    table = _table("The relay's records", "calls")
    for status, count in statuses.most_common():
        table.add_row(status, str(count))
    table.add_row("without a record", str(len(evidence.call_ids) - statuses.total()))
    table.add_row("in all", str(len(evidence.call_ids)), style="bold")
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


def _failures_table(evidence: Evidence) -> Table:
    failures = _failures_by_reason(evidence)
    table = _table("The failure queue", "calls")
    for why, count in sorted(failures.items()):
        table.add_row(why, str(count))
    table.add_row("in all", str(sum(failures.values())), style="bold")
    return table


def _accepted_table(audit: Audit) -> Table:
    table = _table("The simulator's audit", "calls")
    table.add_row("accepted", str(len(audit.taken)))
    table.add_row("accepted more than once", str(sum(len(uuids) > 1 for uuids in audit.taken.values())))
    return table


def _answers_table(audit: Audit) -> Table:
    table = _table("The simulator's answers", "times")
    for answer, count in audit.answers.items():
        table.add_row(answer, str(count))
    table.add_row("requests received", str(sum(audit.answers.values())), style="bold")
    return table


def _table(title: str, unit: str) -> Table:
    # Two tables with the longest code names fit into 80 columns.
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(title, min_width=32)
    table.add_column(unit, justify="right", min_width=5)
    return table


def _failures_by_reason(evidence: Evidence) -> dict[str, int]:
    """Count the calls in the failure queue by reason; a message without calls counts as one."""
    failures: dict[str, set[str]] = {}
    for failure in evidence.failures:
        failures.setdefault(_why(failure), set()).update(failure.call_ids or {failure.source_message_id})
    return {why: len(names) for why, names in failures.items()}


def _why(failure: Failure) -> str:
    # With a code, the reason's name is the code's, or UNRESOLVED. The answers on the other side show codes.
    return failure.reason if failure.code is None else answer_name(failure.code)
