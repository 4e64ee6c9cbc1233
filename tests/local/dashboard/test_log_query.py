"""Tables of log lines, as Logs Insights would make them."""

import json

import pytest

from local.dashboard.log_query import LogLine, fields_in, parse_query, table

QUERY = (
    "SOURCE '/log' | filter ispresent(paused) | stats latest(reason) as why, sum(calls) as calls,"
    " max(@timestamp) as seen by paused | sort seen desc"
)
LINES: list[LogLine] = [
    (10.0, {"paused": "account", "reason": "NO_ANSWER", "calls": 2}),
    (90.0, {"paused": "FLOWAAAA", "reason": "INVALID_GATEWAY_ID", "calls": 3}),
    (70.0, {"paused": "account", "reason": "INSUFFICIENT_BALANCE", "calls": 5}),
    (60.0, {"paused": "account", "reason": "NOT_SENT"}),
    (99.0, {"reason": "SUCCESS", "calls": 7}),
]
NOW = 100.0


def cells(query: str) -> list[list[object]]:
    return table(parse_query(query), LINES, NOW)


def test_table_has_one_row_for_each_value_in_the_order_asked_for() -> None:
    rows: list[list[object]] = [
        ["FLOWAAAA", "INVALID_GATEWAY_ID", 3, "1970-01-01 00:01:30"],
        ["account", "INSUFFICIENT_BALANCE", 7, "1970-01-01 00:01:10"],
    ]
    assert cells(QUERY) == rows
    assert cells(QUERY.replace("desc", "asc")) == rows[::-1]


def test_statistics_without_by_are_one_row() -> None:
    assert cells("stats count(*) as lines, sum(calls) as calls") == [[5, 17]]


def test_filter_after_stats_leaves_out_rows() -> None:
    assert cells('stats latest(reason) as why by paused | filter why = "SUCCESS"') == [["", "SUCCESS"]]


def test_conditions_of_a_filter_must_all_hold() -> None:
    query = 'filter reason in ["NO_ANSWER", "NOT_SENT"] and paused = "account" | fields @timestamp, reason, calls'
    assert cells(query) == [["1970-01-01 00:00:10", "NO_ANSWER", 2], ["1970-01-01 00:01:00", "NOT_SENT", ""]]


def test_filter_by_age_counts_back_from_now() -> None:
    assert cells("filter toMillis(@timestamp) > (now() - 35) * 1000 | fields reason") == [
        ["INSUFFICIENT_BALANCE"],
        ["INVALID_GATEWAY_ID"],
        ["SUCCESS"],
    ]


def test_field_that_no_line_has_gives_an_empty_cell() -> None:
    assert [row[1] for row in cells(QUERY.replace("reason", "since"))] == ["", ""]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (QUERY.replace("ispresent(paused)", "calls > 1"), "the condition calls > 1"),
        (QUERY.replace("latest", "pct"), "the statistics pct"),
        ("parse @message", "the command parse"),
    ],
)
def test_query_that_the_page_cannot_answer_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_query(text)


def test_json_line_gives_its_fields() -> None:
    assert fields_in(json.dumps({"message": "paused", "paused": "account"})) == {
        "message": "paused",
        "paused": "account",
    }


@pytest.mark.parametrize("line", ["START RequestId: x", '{"_aws": {}}', "{half a line", ""])
def test_other_lines_give_no_fields(line: str) -> None:
    assert fields_in(line) is None
