"""The function dies between any two steps, and SQS redelivers: nothing is lost, nothing is sent twice."""

import itertools
from collections.abc import Callable, Iterator

import msgspec
import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from tests.support.crash_at_step import Killed, Steps
from tests.support.scene import Scene

GOOD = {"FLOWAAAA/a", "FLOWAAAA/b", "FLOWAAAA/c", "FLOWAAAA/d", "FLOWBBBB/e"}
BAD = {"bad-1", "bad-2", "no JSON"}

Story = Callable[[Scene], None]


def _plain(scene: Scene) -> None:
    """Two flows, a message of several calls, single ones, and one that repeats another."""
    scene.send("a", "b", "c")
    scene.send("d")
    scene.send("e", flow_id="FLOWBBBB")
    scene.send("d")


def _lost_answer(scene: Scene) -> None:
    _plain(scene)
    scene.plan(DroppedConnection(after_accepting=True))


def _never_received(scene: Scene) -> None:
    _plain(scene)
    scene.plan(ForeignPage(http_status=502))


def _not_sent(scene: Scene) -> None:
    _plain(scene)
    scene.gateway.refused_connections = 2


def _some_refused(scene: Scene) -> None:
    """Calls at fault among good ones, an unknown flow, a message that is none."""
    # A request that was refused and then forgotten by a crash is resent. Were its checksum kept, the API would answer
    # as if it had been accepted, and nobody could tell: the limit that the README names, and the last test here shows.
    scene.simulator.settings = msgspec.structs.replace(scene.simulator.settings, refusal_leaves_checksum=False)
    _plain(scene)
    scene.send("bad-1", contact_numbers=["910000000205"])
    scene.send("bad-2", flow_id="NOFLOW00")
    scene.ingress.send("no JSON")


def _passing_failure(scene: Scene) -> None:
    _some_refused(scene)
    scene.plan(CodeAnswer(code=500))


STORIES: dict[Story, set[str]] = {
    _plain: set(),
    _lost_answer: set(),
    _never_received: set(),
    _not_sent: set(),
    _some_refused: BAD,
    _passing_failure: BAD,
}


def _tell(story: Story, *fatal_steps: int) -> tuple[Scene, bool]:
    """The scene at the story's end, after a crash at each of these steps in turn, and whether all of them struck."""
    scene = Scene()
    story(scene)
    for fatal in fatal_steps:
        try:
            scene.run(steps=Steps(fatal))
        except Killed:
            continue
        return scene, False
    scene.run()
    return scene, True


def _crashes(story: Story, *earlier: int) -> Iterator[Scene]:
    """The scene at the story's end for a crash at each of its steps, one after the other."""
    for fatal in itertools.count(1):
        scene, struck = _tell(story, *earlier, fatal)
        if not struck:
            return
        yield scene


def _assert_kept(scene: Scene, failed: set[str]) -> None:
    assert scene.accepted() == dict.fromkeys(GOOD, 1)
    assert set(scene.failed_names()) == failed
    records = {key: str(item["status"]) for key, item in scene.table.items.items() if not key.startswith("#")}
    assert set(records) >= GOOD
    for call_id, status in records.items():
        delivered = status in {"ACCEPTED", "PRESUMED_ACCEPTED"}
        assert delivered or status == "REJECTED"
        assert delivered == (call_id in GOOD)


@pytest.mark.parametrize(("story", "failed"), STORIES.items())
def test_crash_at_any_step_loses_no_call_and_sends_none_twice(story: Story, failed: set[str]) -> None:
    scenes = list(_crashes(story))
    assert len(scenes) > 20
    for scene in scenes:
        _assert_kept(scene, failed)


@pytest.mark.parametrize("first", range(1, 40, 3))
def test_second_crash_during_recovery_loses_no_call_and_sends_none_twice(first: int) -> None:
    scenes = list(_crashes(_lost_answer, first))
    assert scenes
    for scene in scenes:
        _assert_kept(scene, set())


@pytest.mark.parametrize("story", [_plain, _some_refused])
def test_run_without_a_crash_presumes_nothing_and_publishes_nothing_twice(story: Story) -> None:
    scene = Scene()
    story(scene)
    scene.run()
    assert "PRESUMED_ACCEPTED" not in scene.statuses()
    assert len(scene.failed_names()) == len(set(scene.failed_names()))


def test_refusal_forgotten_by_a_crash_reads_as_presumed_if_its_checksum_is_kept() -> None:
    scene = Scene()
    scene.send("bad", contact_numbers=["910000000205"])
    messages = scene.ingress.receive(1)
    refused_and_not_recorded = next(
        fatal for fatal in itertools.count(1) if _dies_with_one_request_received(Steps(fatal))
    )
    with pytest.raises(Killed):
        scene.deliver(messages, scene.dependencies(Steps(refused_and_not_recorded)))
    scene.run()
    assert scene.accepted() == {}
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}


def _dies_with_one_request_received(steps: Steps) -> bool:
    scene = Scene()
    scene.send("bad", contact_numbers=["910000000205"])
    try:
        scene.run(steps)
    except Killed:
        return len(scene.gateway.bodies) == 1
    return False
