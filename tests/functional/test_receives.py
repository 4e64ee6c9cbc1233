"""No wait brings a healthy message near the redrive: the worst case of each, for the longest time that is allowed.

Every draw falls as short as it can. `tests/infrastructure` shows that the template's numbers keep the bound in general.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from sealed_relay.admission.rate_limiter import RATE_KEY, RateWindow, window_attributes
from sealed_relay.kairos.flow import UnusableFlowError
from sealed_relay.ports import KEY, Item
from tests.support.compose import LIMITS
from tests.support.scene import Scene
from tests.support.table import InMemoryTable

SQS_ALLOWS = 1000
LONGEST = timedelta(hours=96)


class DownError(Exception):
    pass


class TableThatIsDown(InMemoryTable):
    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        raise DownError(keys)


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
def test_an_api_that_never_takes_the_call(fault: CodeAnswer) -> None:
    scene, message_id = a_scene()
    scene.plan(fault, requests=None)

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_a_secret_that_cannot_be_used() -> None:
    scene, message_id = a_scene()
    scene.flows.flows["FLOWAAAA"] = UnusableFlowError("not now")

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_a_budget_that_others_always_use_up() -> None:
    scene, message_id = a_scene()

    class TableOfTheOthers(InMemoryTable):
        def read(self, keys: Sequence[str]) -> dict[str, Item]:
            taken = RateWindow().take(500, int(scene.clock.now * 1000))
            self.put({KEY: RATE_KEY, "revision": 1, **window_attributes(taken)})
            return super().read(keys)

    scene.table = TableOfTheOthers()

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_a_table_that_is_down() -> None:
    scene, message_id = a_scene()
    scene.table = TableThatIsDown()

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS


def test_an_account_that_an_operator_paused() -> None:
    scene, message_id = a_scene()
    scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})

    assert 100 < receives_until_the_end(scene, message_id) < SQS_ALLOWS
