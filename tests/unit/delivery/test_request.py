"""Results add up, and an invocation keeps time for settling."""

import pytest

from sealed_relay.delivery.request import Request, WorkResult
from sealed_relay.delivery.send import seconds_to_send
from tests.support.messages import make_call
from tests.support.scene import Scene
from tests.unit.delivery.claimed import invocation_in

A, B = make_call("a"), make_call("b")
FIRST, SECOND = Request("r-1", "FLOWAAAA", ()), Request("r-2", "FLOWAAAA", ())


def test_sum_of_results_holds_what_both_did() -> None:
    one = WorkResult([A], ["m-1"], {"m-2": 5.0}, [FIRST])
    other = WorkResult([B], ["m-3"], {"m-4": 7.0}, [SECOND])

    both = WorkResult([A, B], ["m-1", "m-3"], {"m-2": 5.0, "m-4": 7.0}, [FIRST, SECOND])
    assert one + other == both


@pytest.mark.parametrize(("one", "other"), [(5.0, 60.0), (60.0, 5.0)])
def test_longer_of_two_delays_of_a_message_holds(one: float, other: float) -> None:
    result = WorkResult(delays_seconds={"m-1": one}) + WorkResult(delays_seconds={"m-1": other})

    assert result.delays_seconds == {"m-1": 60.0}


def test_last_eight_seconds_of_an_invocation_are_not_for_sending() -> None:
    scene = Scene()
    invocation = invocation_in(scene, seconds_left=60.0)
    scene.clock.now += 50.0

    assert seconds_to_send(invocation) == 2.0
