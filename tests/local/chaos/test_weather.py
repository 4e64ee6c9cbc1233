from collections import Counter
from random import Random

import pytest

from local.chaos.weather import Kill, Pause, Squall, weather
from local.simulator.faults import CodeAnswer
from sealed_relay.kairos.codes import Scope, Verdict, code_of

SEEDS = range(20)


def test_the_same_seed_makes_the_same_weather_and_another_one_does_not() -> None:
    assert weather(Random(1), 60) == weather(Random(1), 60)
    assert weather(Random(1), 60) != weather(Random(2), 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_weather_comes_in_order_and_ends_in_time(seed: int) -> None:
    times = [event.at_seconds for event in weather(Random(seed), 60)]
    assert times == sorted(times)
    assert all(0 <= at < 60 for at in times)


@pytest.mark.parametrize("seed", SEEDS)
def test_five_minutes_bring_everything_again_and_again(seed: int) -> None:
    events = weather(Random(seed), 300)
    kinds = Counter(type(event) for event in events)
    assert kinds[Kill] > 30
    assert kinds[Pause] >= 3
    assert min(Counter(event.name for event in events if isinstance(event, Squall)).values()) > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_squall_is_over_after_a_few_requests(seed: int) -> None:
    assert all(1 <= event.requests <= 3 for event in weather(Random(seed), 300) if isinstance(event, Squall))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_planned_answer_denies_calls_that_the_api_has(seed: int) -> None:
    faults = [event.fault for event in weather(Random(seed), 300) if isinstance(event, Squall)]
    codes = {code_of(fault.code) for fault in faults if isinstance(fault, CodeAnswer)}
    assert codes
    assert all(code.scope is Scope.REQUEST and code.verdict is Verdict.RETRY_FRESH for code in codes)
