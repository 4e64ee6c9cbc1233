"""The decision tables of the product as Markdown, as `docs/guarantee.md` prints them.

`python -m tests.support.printed_tables "claim rules"` prints the text to paste between the markers of that name.
`functions/relay` must be on PYTHONPATH.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sealed_relay.kairos import conclusive
from sealed_relay.ledger import claim_rules

Rows = Sequence[tuple[Sequence[Callable[..., bool]], StrEnum]]

TABLES: Mapping[str, Rows] = {"claim rules": claim_rules.TABLE, "conclusive answers": conclusive.TABLE}
"""The tables by the markers that enclose them on the page."""


def markdown_of(rows: Rows) -> str:
    """A row for each row of the table, in its order; then what each condition means, in the order of first use."""
    lines = [f"| {', and '.join(map(_words, conditions))} | {result} |" for conditions, result in rows]
    conditions = dict.fromkeys(condition for conditions, _ in rows for condition in conditions)
    meanings = [f"- *{_words(condition)}*: {condition.__doc__}" for condition in conditions]
    return "\n".join(["| conditions | then |", "|---|---|", *lines, "", *meanings])


def _words(condition: Callable[..., Any]) -> str:
    return condition.__name__.replace("_", " ")


if __name__ == "__main__":
    sys.stdout.write(markdown_of(TABLES[sys.argv[1]]) + "\n")
