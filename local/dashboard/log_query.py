"""Runs the Logs Insights queries of the template's log widgets over log lines. Pure.

MiniStack 1.5.33 supports no `stats` and no fields of JSON lines.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LogLine = tuple[float, Mapping[str, Any]]
"""Seconds since 1970, and the fields of the line's JSON."""

_QUERY = re.compile(
    r"SOURCE '[^']+' \| filter ispresent\((?P<present>\w+)\) \| stats (?P<columns>.+) by (?P<by>\w+)"
    r" \| sort (?P<sort>\w+) desc"
)
_COLUMN = re.compile(r"(latest|max|sum)\((@?\w+)\) as (\w+)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: a statistic of a field, and the column's name."""

    statistic: str
    field: str
    name: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """One row for each value of `by`, from the lines that have the field `present`. The highest `sort` comes first."""

    present: str
    columns: tuple[Column, ...]
    by: str
    sort: str


def parse_query(text: str) -> LogQuery:
    """Read a log widget's query. Raises ValueError if the query uses what the template's queries do not use."""
    found = _QUERY.fullmatch(text)
    columns = [_COLUMN.fullmatch(column) for column in found["columns"].split(", ")] if found else [None]
    if found is None or None in columns:
        raise ValueError(f"the query {text}")
    return LogQuery(
        found["present"], tuple(Column(*column.groups()) for column in columns if column), found["by"], found["sort"]
    )


def rows(query: LogQuery, lines: Sequence[LogLine]) -> list[list[str | float]]:
    """The rows of the table: the value of `by`, then the columns. A cell is "" if no line has the field."""
    groups: dict[str, list[LogLine]] = {}
    for line in lines:
        if query.present in line[1]:
            groups.setdefault(str(line[1].get(query.by, "")), []).append(line)
    made = [[by, *(_value(column, group) for column in query.columns)] for by, group in groups.items()]
    position = 1 + [column.name for column in query.columns].index(query.sort)
    return sorted(made, key=lambda row: row[position], reverse=True)


def fields_in(line: str) -> Mapping[str, Any] | None:
    """The fields of a log line in JSON. None for an EMF line, and for a line that is not JSON."""
    if not line.startswith("{") or '"_aws"' in line:
        return None
    try:
        fields: Mapping[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return fields


def _value(column: Column, lines: Sequence[LogLine]) -> str | float:
    if column.field == "@timestamp":
        times = [(at, datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")[:19]) for at, _ in lines]
    else:
        times = [(at, fields[column.field]) for at, fields in lines if column.field in fields]
    value: str | float = _STATISTICS[column.statistic](times) if times else ""
    return value


_STATISTICS: Mapping[str, Callable[[Sequence[tuple[float, Any]]], Any]] = {
    "latest": lambda times: max(times, key=lambda each: each[0])[1],
    "max": lambda times: max(value for _, value in times),
    "sum": lambda times: sum(value for _, value in times),
}
