"""Tables of log lines, as Logs Insights would make them."""

import json

import pytest

from local.dashboard.log_query import LogLine, fields_in, parse_query, rows

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


def test_table_has_one_row_for_each_value_latest_first() -> None:
    assert rows(parse_query(QUERY), LINES) == [
        ["FLOWAAAA", "INVALID_GATEWAY_ID", 3, "1970-01-01 00:01:30"],
        ["account", "INSUFFICIENT_BALANCE", 7, "1970-01-01 00:01:10"],
    ]


def test_field_that_no_line_has_gives_an_empty_cell() -> None:
    query = parse_query(QUERY.replace("reason", "since"))
    assert [row[1] for row in rows(query, LINES)] == ["", ""]


@pytest.mark.parametrize(
    "text", [QUERY.replace("ispresent(paused)", "calls > 1"), QUERY.replace("latest", "pct"), "fields @message"]
)
def test_query_that_the_page_cannot_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the query"):
        parse_query(text)


def test_json_line_gives_its_fields() -> None:
    assert fields_in(json.dumps({"message": "paused", "paused": "account"})) == {
        "message": "paused",
        "paused": "account",
    }


@pytest.mark.parametrize("line", ["START RequestId: x", '{"_aws": {}}', "{half a line", ""])
def test_other_lines_give_no_fields(line: str) -> None:
    assert fields_in(line) is None
