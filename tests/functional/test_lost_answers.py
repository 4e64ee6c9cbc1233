"""A request whose answer was lost, while something keeps it from being resent or from telling anything."""

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import CallsWaiting
from tests.support.scene import Scene

EMPTY = CodeAnswer(code=212)
SOON = "2026-11-23T04:30:10Z"


def lose_answers(scene: Scene, *names: str) -> None:
    for name in names:
        scene.plan(DroppedConnection(after_accepting=True))
        scene.send(name)
        scene.invoke()


def pause_an_account_in_which_only_lost_requests_wait(scene: Scene) -> None:
    scene.plan(EMPTY)
    scene.send("refused", not_after=SOON)
    scene.invoke()


@pytest.mark.parametrize("trouble", ["not sent", "paused", "refused", "another page"])
def test_calls_of_a_lost_request_stay_open_after_failed_resends(trouble: str) -> None:
    scene = Scene()
    lose_answers(scene, "lost")
    written = scene.record("lost")["updated_at"]
    match trouble:
        case "not sent":
            scene.gateway.refused_connections = 1
        case "paused":
            pause_an_account_in_which_only_lost_requests_wait(scene)
        case "refused":
            scene.plan(EMPTY)
        case "another page":
            scene.plan(ForeignPage(http_status=404))
    while scene.record("lost")["updated_at"] == written:
        scene.run_for(1)

    assert scene.record("lost")["status"] == "WAITING"
    assert scene.record("lost")["reason"] == "NO_ANSWER"


def test_log_names_the_pause_and_not_the_lost_answer_while_a_pause_stops_the_resend() -> None:
    scene = Scene()
    lose_answers(scene, "lost")
    pause_an_account_in_which_only_lost_requests_wait(scene)

    scene.run_for(1500)

    last = [each for each in scene.observed if isinstance(each, CallsWaiting)][-1]
    assert (last.reason, last.scope) == ("INSUFFICIENT_BALANCE", Scope.ACCOUNT)


def test_lost_requests_wait_until_a_new_request_ends_the_refusal() -> None:
    scene = Scene()
    lose_answers(scene, "lost-1", "lost-2", "lost-3", "lost-4")
    pause_an_account_in_which_only_lost_requests_wait(scene)
    scene.run_for(3600)
    assert scene.statuses() == {"WAITING": 4, "EXPIRED": 1}

    scene.send("new")
    scene.run_for(1800)

    assert scene.statuses() == {"PRESUMED_ACCEPTED": 4, "EXPIRED": 1, "ACCEPTED": 1}


def test_record_of_a_paused_request_is_written_at_most_every_45_seconds() -> None:
    scene = Scene()
    lose_answers(scene, "lost")
    pause_an_account_in_which_only_lost_requests_wait(scene)

    scene.run_for(1500)

    assert sum(isinstance(each, CallsWaiting) for each in scene.observed) < 1500 / 45 + 4
