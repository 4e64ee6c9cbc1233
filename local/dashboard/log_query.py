"""Runs the Logs Insights queries of the template's log widgets over log lines. Pure.

MiniStack 1.5.33 supports no `stats` and no fields of JSON lines.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LogLine = tuple[float, Mapping[str, Any]]
"""Seconds since 1970, and the fields of the line's JSON."""
Row = Mapping[str, Any]
Command = Callable[[Sequence[Row], float], Sequence[Row]]
"""Makes rows from rows and the time of the query, in seconds since 1970."""

TIME = "@timestamp"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A query without its SOURCE, the columns of its table, and its commands, to run one after the other."""

    text: str
    columns: tuple[str, ...]
    commands: tuple[Command, ...] = field(compare=False, repr=False)


def parse_query(text: str) -> LogQuery:
    """Read a log widget's query. Raises ValueError if the query uses what the template's queries do not use."""
    commands: list[Command] = []
    columns: tuple[str, ...] = ()
    parts = [part for part in text.split(" | ") if not part.startswith("SOURCE ")]
    for part in parts:
        name, _, rest = part.partition(" ")
        match name:
            case "fields":
                columns = tuple(rest.split(", "))
            case "filter":
                commands.append(_filter(rest))
            case "stats":
                command, columns = _stats(rest)
                commands.append(command)
            case "sort":
                commands.append(_sort(rest))
            case _:
                raise ValueError(f"the command {part}")
    return LogQuery(" | ".join(parts), columns, tuple(commands))


def table(query: LogQuery, lines: Sequence[LogLine], now: float) -> list[list[Any]]:
    """The cells of the table at `now`, in seconds since 1970. A cell is "" if there is no value."""
    found: Sequence[Row] = [{**fields, TIME: _text_of(at)} for at, fields in sorted(lines, key=lambda line: line[0])]
    for command in query.commands:
        found = command(found, now)
    return [["" if row.get(column) is None else row[column] for column in query.columns] for row in found]


def fields_in(line: str) -> Mapping[str, Any] | None:
    """The fields of a log line in JSON. None for an EMF line, and for a line that is not JSON."""
    if not line.startswith("{") or '"_aws"' in line:
        return None
    try:
        fields: Mapping[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return fields


def _text_of(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


_CONDITIONS: Mapping[str, Callable[[re.Match[str]], Callable[[Row, float], bool]]] = {
    r"ispresent\((\w+)\)": lambda m: lambda row, _: row.get(m[1]) is not None,
    r'(\w+) = "([^"]*)"': lambda m: lambda row, _: row.get(m[1]) == m[2],
    r"(\w+) in (\[[^]]+])": lambda m: lambda row, _: row.get(m[1]) in json.loads(m[2]),
    r"toMillis\(@timestamp\) > \(now\(\) - (\d+)\) \* 1000": (
        lambda m: lambda row, now: str(row[TIME]) > _text_of(now - int(m[1]))
    ),
}


def _filter(text: str) -> Command:
    conditions = [_condition(each) for each in text.split(" and ")]
    return lambda rows, now: [row for row in rows if all(condition(row, now) for condition in conditions)]


def _condition(text: str) -> Callable[[Row, float], bool]:
    for pattern, make in _CONDITIONS.items():
        if found := re.fullmatch(pattern, text):
            return make(found)
    raise ValueError(f"the condition {text}")


_STATISTICS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "latest": lambda values: values[-1],
    "max": max,
    "sum": sum,
    "count": len,
}


def _stats(text: str) -> tuple[Command, tuple[str, ...]]:
    made, _, by = text.partition(" by ")
    found = [re.fullmatch(r"(\w+)\((@?\w+|\*)\) as (\w+)", column) for column in made.split(", ")]
    columns = [column.groups() for column in found if column and column[1] in _STATISTICS]
    if len(columns) < len(found):
        raise ValueError(f"the statistics {made}")

    def command(rows: Sequence[Row], _: float) -> list[Row]:
        groups: dict[Any, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.get(by, ""), []).append(row)
        return [
            {by: value} | {name: _statistic(statistic, of, group) for statistic, of, name in columns}
            for value, group in groups.items()
        ]

    return command, (*([by] if by else []), *(name for *_, name in columns))


def _statistic(statistic: str, of: str, rows: Sequence[Row]) -> Any:  # noqa: ANN401 - what a line holds
    values = [row.get(of, row) for row in rows if of == "*" or row.get(of) is not None]
    return _STATISTICS[statistic](values) if values else None


def _sort(text: str) -> Command:
    by, order = text.split(" ")
    return lambda rows, _: sorted(rows, key=lambda row: row[by], reverse=order == "desc")
