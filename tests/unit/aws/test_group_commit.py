"""Threads that write at the same time share round trips. Each gets its own answers and errors."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from sealed_relay.aws.group_commit import GroupCommit

HELD_UP = ("first", "second")


@dataclass(frozen=True)
class Write:
    key: str
    size_bytes: int = 1


class RoundTrips:
    """Holds up as many round trips as may be under way, until it is told to go on, so that others wait behind them."""

    def __init__(self, max_writes: int = 25, max_bytes: int = 1000) -> None:
        self.groups: list[list[str]] = []
        self.failing: set[str] = set()
        self._go_on = threading.Event()
        self._executor = ThreadPoolExecutor(16)
        self.group_commit = GroupCommit(self._make, max_writes=max_writes, max_bytes=max_bytes)

    def write(self, *writes: Write) -> Future[list[str]]:
        return self._executor.submit(self.group_commit.write, writes)

    def write_behind_others(self, *writes: Sequence[Write]) -> list[Future[list[str]]]:
        """Write these while two round trips are under way, of which one ends before the other."""
        held_up = [self.hold_up(key) for key in HELD_UP]
        futures = []
        for count, own in enumerate(writes, start=1):
            futures.append(self.write(*own))
            _wait_until(partial(self._are_waiting, sum(map(len, writes[:count]))))
        self.go_on()
        assert [future.result(10) for future in held_up] == [[f"{key} done"] for key in HELD_UP]
        return futures

    def go_on(self) -> None:
        self._go_on.set()

    @property
    def later_groups(self) -> list[list[str]]:
        """Without the two that were held up."""
        return self.groups[len(HELD_UP) :]

    def _are_waiting(self, count: int) -> bool:
        return len(vars(self.group_commit)["_queue"]) == count

    def hold_up(self, key: str) -> Future[list[str]]:
        future = self.write(Write(key))
        _wait_until(lambda: [key] in self.groups)
        return future

    def _make(self, writes: Sequence[Write]) -> list[str]:
        self.groups.append([write.key for write in writes])
        assert self._go_on.wait(10)
        if self.failing & {write.key for write in writes}:
            raise ConnectionError("refused")
        return [f"{write.key} done" for write in writes]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_what_comes_while_a_round_trip_is_under_way_leaves_together_in_the_next_one() -> None:
    trips = RoundTrips()

    futures = trips.write_behind_others([Write("a"), Write("b")], [Write("c")], [Write("d")])

    assert [future.result(10) for future in futures] == [["a done", "b done"], ["c done"], ["d done"]]
    assert sorted(trips.later_groups) == [["a", "b", "c", "d"]]


def test_a_round_trip_takes_so_many_writes_and_the_rest_leave_after_it() -> None:
    trips = RoundTrips(max_writes=2)

    [one, other] = trips.write_behind_others([Write("a"), Write("b"), Write("c")], [Write("d")])

    assert one.result(10) == ["a done", "b done", "c done"]
    assert other.result(10) == ["d done"]
    assert sorted(trips.later_groups) == [["a", "b"], ["c", "d"]]


def test_a_round_trip_takes_so_many_bytes_or_one_write_that_has_more() -> None:
    trips = RoundTrips(max_bytes=10)

    futures = trips.write_behind_others([Write("a", 6)], [Write("b", 6)], [Write("huge", 60)], [Write("c", 4)])

    assert [future.result(10) for future in futures] == [["a done"], ["b done"], ["huge done"], ["c done"]]
    assert sorted(trips.later_groups) == [["a", "c"], ["b"], ["huge"]]


def test_a_round_trip_writes_to_each_key_once() -> None:
    trips = RoundTrips()

    futures = trips.write_behind_others([Write("a")], [Write("a")], [Write("b")], [Write("first")])

    assert [future.result(10) for future in futures] == [["a done"], ["a done"], ["b done"], ["first done"]]
    assert all(len(set(group)) == len(group) for group in trips.groups)
    assert sum(group.count("a") for group in trips.groups) == 2


def test_an_error_reaches_all_whose_writes_were_in_the_round_trip_and_nobody_else() -> None:
    trips = RoundTrips(max_writes=2)
    trips.failing = {"b"}

    [one, other, last] = trips.write_behind_others([Write("a")], [Write("b")], [Write("c")])

    for future in (one, other):
        with pytest.raises(ConnectionError):
            future.result(10)
    assert last.result(10) == ["c done"]


def test_nothing_to_write_is_no_round_trip() -> None:
    trips = RoundTrips()

    assert trips.write().result(10) == []
    assert trips.groups == []


def test_a_key_that_is_being_written_to_is_left_alone_by_the_other_round_trip() -> None:
    trips = RoundTrips()
    first = trips.hold_up("first")

    again, other = trips.write(Write("first")), trips.write(Write("b"))
    _wait_until(lambda: ["b"] in trips.groups)

    assert trips.groups == [["first"], ["b"]]
    trips.go_on()
    assert [future.result(10) for future in (first, again, other)] == [["first done"], ["first done"], ["b done"]]
