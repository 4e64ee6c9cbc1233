from collections import Counter
from random import Random

import pytest

from local.chaos.fault_schedule import GatewayFault, KillProcess, SuspendAws, draw_fault_schedule
from local.simulator.faults import CodeAnswer
from sealed_relay.kairos.codes import Scope, Verdict, code_of

SEEDS = range(20)


def test_same_seed_gives_same_faults_and_another_seed_others() -> None:
    assert draw_fault_schedule(Random(1), 60) == draw_fault_schedule(Random(1), 60)
    assert draw_fault_schedule(Random(1), 60) != draw_fault_schedule(Random(2), 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_are_in_order_and_end_in_time(seed: int) -> None:
    times = [event.at_seconds for event in draw_fault_schedule(Random(seed), 60)]
    assert times == sorted(times)
    assert all(0 <= at < 60 for at in times)


@pytest.mark.parametrize("seed", SEEDS)
def test_five_minutes_have_every_kind_of_fault_several_times(seed: int) -> None:
    events = draw_fault_schedule(Random(seed), 300)
    kinds = Counter(type(event) for event in events)
    assert kinds[KillProcess] > 30
    assert kinds[SuspendAws] >= 3
    assert min(Counter(event.name for event in events if isinstance(event, GatewayFault)).values()) > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_gateway_fault_ends_after_at_most_three_requests(seed: int) -> None:
    assert all(
        1 <= event.requests <= 3 for event in draw_fault_schedule(Random(seed), 300) if isinstance(event, GatewayFault)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_no_planned_answer_refuses_calls_that_the_api_accepted(seed: int) -> None:
    faults = [event.fault for event in draw_fault_schedule(Random(seed), 300) if isinstance(event, GatewayFault)]
    codes = {code_of(fault.code) for fault in faults if isinstance(fault, CodeAnswer)}
    assert codes
    assert all(code.scope is Scope.REQUEST and code.verdict is Verdict.RETRY_FRESH for code in codes)
