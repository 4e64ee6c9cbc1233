"""Goals of the figures that need no emulator."""

from collections import Counter

import pytest

from tests.bench.in_process.dynamodb_cost import TableUse
from tests.bench.in_process.path import CodePath
from tests.bench.in_process.rate_use import Minutes
from tests.bench.in_process.request_fill import Requests
from tests.bench.in_process.sealing_cost import Sealing
from tests.bench.in_process.urgent_calls import UrgentCalls
from tests.bench.in_process_rows import minutes_row, path_row, requests_row, sealing_rows, table_rows, urgent_row


@pytest.mark.parametrize(("requests", "met"), [(20, "yes"), (21, "no")])
def test_requests_with_490_calls_meet_the_goal(requests: int, met: str) -> None:
    cells = requests_row(Requests(calls=10_000, requests=requests)).cells()
    assert cells[0] == "calls per API request, backlog of 10,000"
    assert cells[-1] == met


def test_minutes_are_compared_with_the_peers() -> None:
    row = minutes_row(Minutes(calls=(240_000, 250_000), requests=(500, 500), refused_requests=0, max_requests=500))
    assert row.cells()[1:] == ("245,000", "500 peers", "490", "at least 240,000", "yes")


@pytest.mark.parametrize(("slowest", "met"), [(2.2, "yes"), (2.3, "no")])
def test_urgent_calls_of_2_seconds_and_the_apis_latency_meet_the_goal(slowest: float, met: str) -> None:
    row = urgent_row(UrgentCalls([0.5, slowest], 130.0, 495, 495), UrgentCalls([60.0, 110.0], 130.0, 500, 500))
    assert row.cells()[1:3] == (f"0.50 s; {slowest:.2f} s", "60 s; 110 s in the same queue")
    assert row.cells()[-2:] == ("p99 at most 2.2 s", met)


def test_units_and_round_trips_each_have_a_goal() -> None:
    rows = table_rows(TableUse(write_units=2.4, read_units=0.0, round_trips=0.2), 1000)
    assert [(row.figure, row.met) for row in rows] == [
        ("DynamoDB write units per call, batch of 1,000", True),
        ("DynamoDB round trips per call, batch of 1,000", False),
    ]


def test_sealing_one_call_has_a_tighter_goal_than_many() -> None:
    rows = sealing_rows(Sealing(0.0014, 0.001), Sealing(0.0014, 0.001), 500)
    assert [row.met for row in rows] == [False, True]


@pytest.mark.parametrize(("files", "switches", "met"), [(25, 110, "yes"), (26, 110, "no"), (25, 111, "no")])
def test_path_with_25_files_and_110_switches_meets_the_goal(files: int, switches: int, met: str) -> None:
    path = CodePath(frozenset(map(str, range(files))), Counter({("a", "b"): switches}))
    cells = path_row(path).cells()
    assert cells == (
        "path of one accepted call",
        f"{files} files, {switches} switches",
        "",
        "",
        "at most 25 files, 110 switches",
        met,
    )
