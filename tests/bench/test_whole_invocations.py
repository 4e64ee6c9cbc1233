"""Medians, ratios and goals, over rounds that are made up."""

import pytest

from tests.bench.invocations import ColdStart
from tests.bench.measure_instance import Batches, InstanceMeasurement
from tests.bench.rounds import Measured
from tests.bench.subjects import CANONICAL, FLOOR, OURS, PEERS
from tests.bench.table import MEGABYTE
from tests.bench.whole_invocations import (
    cold_start_rows,
    cpu_row,
    memory_row,
    rows_beside_all_peers,
    ten_flows_row,
)


def instances(milliseconds: list[float], ten_flows: float = 0.25, megabytes: int = 100) -> list[InstanceMeasurement]:
    """An instance for each CPU time of a call; a batch of ten costs double."""
    return [
        InstanceMeasurement(
            ColdStart(0.5, 0.1),
            {10: Batches(each / 500, 0.01), 1000: Batches(each / 1000, 1.0)},
            ten_flows,
            megabytes * MEGABYTE,
        )
        for each in milliseconds
    ]


@pytest.fixture
def measured() -> Measured:
    return Measured(
        instances={
            OURS: instances([0.2, 9.0, 0.19]),
            **{peer: instances([2.5, 2.4, 2.6], ten_flows=2.0, megabytes=80) for peer in PEERS},
        },
        cold_starts={
            OURS: [ColdStart(0.6, 0.1), ColdStart(0.6, 0.1), ColdStart(3, 1)],
            FLOOR: [ColdStart(0.5, 0)] * 3,
        },
        round_trips_seconds=[0.2, 0.5, 0.2],
    )


def test_one_disturbed_round_does_not_change_the_median(measured: Measured) -> None:
    assert cpu_row(measured).cells()[1:] == ("0.20 ms", "2.50 ms canonical", "0.080", "at most 0.1", "yes")


def test_ten_flows_are_compared_with_a_round_trip(measured: Measured) -> None:
    assert ten_flows_row(measured).cells()[1:] == ("0.250 s", "0.200 s one round trip", "1.25", "at most 1.3", "yes")


def test_late_clients_count_in_the_second_row_of_the_cold_start(measured: Measured) -> None:
    assert [row.cells()[1:] for row in cold_start_rows(measured)] == [
        ("0.600 s", "0.500 s floor", "1.20", "at most 1.25", "yes"),
        ("0.700 s", "0.500 s floor", "1.40", "at most 1.25", "no"),
    ]


def test_memory_has_a_goal_of_its_own(measured: Measured) -> None:
    assert memory_row(measured).cells()[1:] == ("100 MB", "80 MB canonical", "1.25", "under 160 MB", "yes")
    measured.instances[OURS] = instances([0.2], megabytes=160)
    assert memory_row(measured).met is False


def test_every_peer_has_a_row_for_every_size(measured: Measured) -> None:
    rows = rows_beside_all_peers(measured)
    assert len(rows) == len(PEERS) * (2 + 2)
    assert rows[0].figure == "CPU per call, batch of 10"
    assert rows[0].beside == f"5.00 ms {CANONICAL}"
