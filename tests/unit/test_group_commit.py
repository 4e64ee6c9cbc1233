"""Threads that write at the same time share round trips, and each gets its own answers and its own errors."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from sealed_relay.group_commit import GroupCommit


@dataclass(frozen=True)
class Write:
    key: str
    size_bytes: int = 1


class RoundTrips:
    """Holds the first round trip up until it is told to go on, so that others come to wait behind it."""

    def __init__(self, most_writes: int = 25, most_bytes: int = 1000) -> None:
        self.groups: list[list[str]] = []
        self.failing: set[str] = set()
        self.go_on = threading.Event()
        self._is_first_under_way = threading.Event()
        self._executor = ThreadPoolExecutor(16)
        self.group_commit = GroupCommit(self._make, most_writes=most_writes, most_bytes=most_bytes)

    def write(self, *writes: Write) -> Future[list[str]]:
        return self._executor.submit(self.group_commit.write, writes)

    def write_behind_another(self, *writes: Sequence[Write]) -> list[Future[list[str]]]:
        """Write these while another round trip is under way, which then ends."""
        first = self.write(Write("first"))
        assert self._is_first_under_way.wait(10)
        futures = []
        for count, own in enumerate(writes, start=1):
            futures.append(self.write(*own))
            self._wait_for_line(sum(map(len, writes[:count])))
        self.go_on.set()
        assert first.result(10) == ["first done"]
        return futures

    def _wait_for_line(self, length: int) -> None:
        deadline = threading.Event()
        timer = threading.Timer(10, deadline.set)
        timer.start()
        while len(vars(self.group_commit)["_line"]) < length:
            assert not deadline.is_set()
        timer.cancel()

    def _make(self, writes: Sequence[Write]) -> list[str]:
        self.groups.append([write.key for write in writes])
        if len(self.groups) == 1:
            self._is_first_under_way.set()
            assert self.go_on.wait(10)
        if self.failing & {write.key for write in writes}:
            raise ConnectionError("refused")
        return [f"{write.key} done" for write in writes]


def test_what_comes_while_a_round_trip_is_under_way_leaves_together_in_the_next_one() -> None:
    trips = RoundTrips()

    futures = trips.write_behind_another([Write("a"), Write("b")], [Write("c")], [Write("d")])

    assert [future.result(10) for future in futures] == [["a done", "b done"], ["c done"], ["d done"]]
    assert trips.groups == [["first"], ["a", "b", "c", "d"]]


def test_a_round_trip_takes_so_many_writes_and_the_rest_leave_after_it() -> None:
    trips = RoundTrips(most_writes=2)

    [one, other] = trips.write_behind_another([Write("a"), Write("b"), Write("c")], [Write("d")])

    assert one.result(10) == ["a done", "b done", "c done"]
    assert other.result(10) == ["d done"]
    assert trips.groups == [["first"], ["a", "b"], ["c", "d"]]


def test_a_round_trip_takes_so_many_bytes_or_one_write_that_has_more() -> None:
    trips = RoundTrips(most_bytes=10)

    futures = trips.write_behind_another([Write("a", 6)], [Write("b", 6)], [Write("huge", 60)], [Write("c", 4)])

    assert [future.result(10) for future in futures] == [["a done"], ["b done"], ["huge done"], ["c done"]]
    assert trips.groups == [["first"], ["a", "c"], ["b"], ["huge"]]


def test_a_round_trip_writes_to_each_key_once() -> None:
    trips = RoundTrips()

    futures = trips.write_behind_another([Write("a")], [Write("a")], [Write("b")])

    assert [future.result(10) for future in futures] == [["a done"], ["a done"], ["b done"]]
    assert trips.groups == [["first"], ["a", "b"], ["a"]]


def test_an_error_reaches_all_whose_writes_were_in_the_round_trip_and_nobody_else() -> None:
    trips = RoundTrips(most_writes=2)
    trips.failing = {"b"}

    [one, other, last] = trips.write_behind_another([Write("a")], [Write("b")], [Write("c")])

    for future in (one, other):
        with pytest.raises(ConnectionError):
            future.result(10)
    assert last.result(10) == ["c done"]


def test_nothing_to_write_is_no_round_trip() -> None:
    trips = RoundTrips()

    assert trips.write().result(10) == []
    assert trips.groups == []
