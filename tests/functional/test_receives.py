"""No wait brings a healthy message near the redrive: the worst case of each, for the longest time that is allowed.

Every draw falls as short as it can. `tests/infrastructure` shows that the template's numbers keep the bound in general.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from sealed_relay.admission.rate_limiter import RATE_KEY, RateWindow, window_attributes
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.ports import KEY
from tests.support.compose import LIMITS
from tests.support.scene import Scene

SQS_ALLOWS = 1000
LONGEST = timedelta(hours=96)


class DownError(Exception):
    pass


def receives_until_the_end(scene: Scene, message_id: str) -> int:
    end = scene.clock.now + LONGEST.total_seconds()
    receives = 0
    while message_id in scene.ingress.message_ids and scene.clock.now < end:
        receives = scene.ingress.receive_count(message_id) + 1
        scene.clock.now = max(scene.clock.now, scene.ingress.next_visible_at or 0.0)
        try:
            scene.invoke(replace(scene.dependencies(), draw=lambda: 0.0))
        except DownError:
            continue  # as Lambda does when a batch fails: the messages come back when their visibility timeout ends
    return receives


def a_scene() -> tuple[Scene, str]:
    scene = Scene(replace(LIMITS, give_up_after=LONGEST))
    return scene, scene.send("a")


@pytest.mark.parametrize(
    "fault",
    [
        CodeAnswer(code=212),
        CodeAnswer(code=202),
        ForeignPage(http_status=429),
        ForeignPage(http_status=404),
        DroppedConnection(),
        DroppedConnection(after_accepting=True),
    ],
    ids=repr,
)
def test_call_that_the_api_never_takes_is_received_below_the_limit(fault: CodeAnswer) -> None:
    scene, message_id = a_scene()
    scene.plan(fault, requests=None)

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_message_with_an_unusable_secret_is_received_below_the_limit() -> None:
    scene, message_id = a_scene()
    scene.flows.flows["FLOWAAAA"] = UnusableFlowError("not now")

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_message_that_never_gets_a_permit_is_received_below_the_limit() -> None:
    scene, message_id = a_scene()

    def others_take_all() -> None:
        taken = RateWindow().take(500, int(scene.clock.now * 1000))
        scene.table.put({KEY: RATE_KEY, "revision": 1, **window_attributes(taken)})

    scene.script_table().at_read(others_take_all)

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_message_during_an_outage_of_the_table_is_received_below_the_limit() -> None:
    scene, message_id = a_scene()

    def refuse() -> None:
        raise DownError

    scene.script_table().at_read(refuse)

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_message_of_an_account_paused_by_hand_is_received_below_the_limit() -> None:
    scene, message_id = a_scene()
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS
