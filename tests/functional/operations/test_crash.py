"""The run dies or AWS fails at any step: no entry is lost, and the next run finishes the work."""

import itertools
from collections.abc import Iterator

import pytest

from tests.functional.operations.crash_at_step import AwsError, crashing
from tests.functional.operations.scene import TIMEOUT_SECONDS, Scene
from tests.support.crash_at_step import Killed, Steps
from tests.support.failure_queue import InMemorySourceQueue
from tests.support.messages import message_body

MOVES = {message_body(f"a{number}") for number in range(12)}
STAYS = {message_body("unresolved"), message_body("delivered"), "unreadable"}


def make_scene() -> Scene:
    scene = Scene()
    for number in range(12):
        scene.fail(f"a{number}")
    scene.fail("unresolved", reason="UNRESOLVED", status="UNRESOLVED")
    scene.fail("delivered", status="ACCEPTED")
    scene.queue.put("unreadable", "INVALID_MESSAGE")
    return scene


def scenes_after_each_step(error: AwsError | None = None) -> Iterator[Scene]:
    """For each step of a run, a scene in which a run ended at that step."""
    for fatal in itertools.count(1):
        scene = make_scene()
        try:
            scene.run(dependencies=crashing(scene.dependencies(), Steps(fatal, error)), dry_run=False)
        except (Killed, AwsError):
            yield scene
        else:
            return


def bodies_in_both_queues(scene: Scene) -> set[str]:
    return set(scene.queue.bodies.values()) | set(scene.bodies_sent)


def test_every_entry_is_in_a_queue_wherever_the_run_dies() -> None:
    scenes = list(scenes_after_each_step())
    assert len(scenes) > 40
    for scene in scenes:
        assert bodies_in_both_queues(scene) == MOVES | STAYS
        assert set(scene.queue.bodies.values()) >= STAYS
        assert set(scene.bodies_sent) <= MOVES


def test_next_run_finishes_the_work_after_the_visibility_timeout() -> None:
    for scene in scenes_after_each_step():
        died_at = scene.clock.now
        scene.clock.now = max(scene.clock.now, scene.queue.next_visible_at)
        assert scene.clock.now <= died_at + TIMEOUT_SECONDS + 10

        answer = scene.run(dry_run=False)

        assert answer.complete
        assert set(scene.bodies_sent) == MOVES
        assert set(scene.queue.bodies.values()) == STAYS


def test_error_of_aws_at_any_step_loses_no_entry() -> None:
    scenes = list(scenes_after_each_step(AwsError()))
    assert len(scenes) > 40
    for scene in scenes:
        assert bodies_in_both_queues(scene) == MOVES | STAYS
        scene.clock.now = max(scene.clock.now, scene.queue.next_visible_at)
        scene.run(dry_run=False)
        assert set(scene.bodies_sent) == MOVES
        assert set(scene.queue.bodies.values()) == STAYS


def test_entries_are_visible_at_once_after_an_error_of_aws() -> None:
    def fail(_body: str) -> None:
        raise AwsError

    scene = make_scene()
    dependencies = scene.dependencies(ingress_queue=InMemorySourceQueue(fail))
    with pytest.raises(AwsError):
        scene.run(dependencies=dependencies, dry_run=False)
    assert set(scene.queue.bodies.values()) == MOVES | STAYS
    assert scene.queue.all_visible()


@pytest.mark.parametrize("fatal", range(1, 45, 4))
def test_counts_are_true_after_an_error_of_aws(fatal: int) -> None:
    scene = make_scene()
    run = scene.make_run(crashing(scene.dependencies(), Steps(fatal, AwsError())), dry_run=False)
    with pytest.raises(AwsError):
        run.execute()
    total = run.answer.total
    assert not run.answer.complete or total.moved == len(scene.sent)
    assert total.moved <= len(scene.sent)
    assert total.seen == total.moved + total.left
