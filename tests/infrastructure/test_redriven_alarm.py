"""The alarm `redriven`, evaluated on simulated samples of the failure queue: one a minute, as SQS reports them."""

import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.infrastructure.expansion import deployed_with

ALARM: dict[str, Any] = deployed_with()["Resources"]["RedrivenAlarm"]["Properties"]
MINUTES_IN_A_PERIOD = 5
Samples = Sequence[float | None]


class Series:
    """A value for each period, with CloudWatch's operators. None: no data."""

    def __init__(self, values: Sequence[float | None]) -> None:
        self.values = list(values)

    def _with(self, other: "Series | float", operation: Callable[[Any, Any], float]) -> "Series":
        others = other.values if isinstance(other, Series) else [other] * len(self.values)
        pairs = zip(self.values, others, strict=True)
        return Series([None if None in (a, b) else float(operation(a, b)) for a, b in pairs])

    def __add__(self, other: "Series | float") -> "Series":
        return self._with(other, operator.add)

    def __eq__(self, other: object) -> "Series":  # type: ignore[override]
        assert isinstance(other, int | float)
        return self._with(other, operator.eq)

    def __and__(self, other: "Series") -> "Series":
        return self._with(other, lambda a, b: a and b)

    __hash__ = object.__hash__


def filled(series: Series, value: float) -> Series:
    return Series([value if each is None else each for each in series.values])


def differences(series: Series) -> Series:
    return Series([None, *(None if a is None or b is None else b - a for a, b in pairwise(series.values))])


def either(condition: Series, yes: Series, no: float) -> Series:
    # No data in the condition counts as false.
    return Series([y if c else no for c, y in zip(condition.values, yes.values, strict=True)])


def statistic(samples: Samples, name: str) -> Series:
    periods = [samples[start : start + MINUTES_IN_A_PERIOD] for start in range(0, len(samples), MINUTES_IN_A_PERIOD)]
    known = [[sample for sample in period if sample is not None] for period in periods]
    of: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Average": lambda s: sum(s) / len(s), "Maximum": max}
    return Series([of[name](period) if period else None for period in known])


def rings(**samples: Samples) -> bool:
    """Whether the alarm goes off. `published`, `waiting` and `taken` are given for each minute."""
    metrics = {metric["Id"]: metric for metric in ALARM["Metrics"]}
    assert {metric["MetricStat"]["Period"] for name, metric in metrics.items() if name in samples} == {300}
    series = {name: statistic(samples[name], metrics[name]["MetricStat"]["Stat"]) for name in samples}
    expression = metrics["redriven"]["Expression"].replace(" AND ", " & ")
    functions = {"FILL": filled, "DIFF": differences, "IF": either}
    values: Series = eval(expression, {"__builtins__": {}}, {**functions, **series})  # noqa: S307 - our own template
    return any(value is not None and value >= ALARM["Threshold"] for value in values.values)


def quiet(minutes: int) -> list[float]:
    return [0.0] * minutes


@pytest.mark.parametrize("minute", range(10, 20))
@pytest.mark.parametrize("before", [0, 40])
def test_one_message_moved_by_sqs_rings_at_any_minute(minute: int, before: int) -> None:
    waiting = [before + float(m >= minute) for m in range(30)]
    assert rings(published=quiet(30), waiting=waiting, taken=quiet(30))


def test_message_moved_into_an_unused_queue_without_data_rings() -> None:
    waiting: Samples = [*[None] * 12, *[1.0] * 18]
    assert rings(published=[None] * 30, waiting=waiting, taken=[None] * 12 + [0.0] * 18)


@pytest.mark.parametrize("minute", range(10, 20))
@pytest.mark.parametrize("received", [1, 10])
def test_message_that_a_person_receives_by_hand_does_not_ring(minute: int, received: int) -> None:
    # Taken for half a minute: one sample sees it. The message is then visible again.
    taken = [float(received) if m == minute else 0.0 for m in range(30)]
    assert not rings(published=quiet(30), waiting=[40 - t for t in taken], taken=taken)


@pytest.mark.parametrize("minute", range(10, 15))
def test_dry_run_of_a_replay_does_not_ring(minute: int) -> None:
    # It takes all entries for up to five minutes, and gives them back.
    taken = [40.0 if minute <= m < minute + 5 else 0.0 for m in range(30)]
    assert not rings(published=quiet(30), waiting=[40 - t for t in taken], taken=taken)


@pytest.mark.parametrize("minute", range(10, 15))
def test_replay_that_empties_the_queue_does_not_ring(minute: int) -> None:
    left = [40.0 if m < minute else max(0.0, 40 - 10 * (m - minute + 1)) for m in range(30)]
    taken = [min(10.0, count) if m >= minute else 0.0 for m, count in enumerate(left)]
    waiting = [count - t for count, t in zip(left, taken, strict=True)]
    assert not rings(published=quiet(30), waiting=waiting, taken=taken)


@pytest.mark.parametrize("minute", range(10, 20))
@pytest.mark.parametrize("late_minutes", [0, 1, 4])
def test_failures_that_the_relay_publishes_do_not_ring(minute: int, late_minutes: int) -> None:
    published = [3.0 if m == minute else 0.0 for m in range(30)]
    waiting = [3.0 if m >= minute + late_minutes else 0.0 for m in range(30)]
    assert not rings(published=published, waiting=waiting, taken=quiet(30))
