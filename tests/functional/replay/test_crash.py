"""The run dies, or AWS fails it, at any step: no entry is lost, and the next run finishes the work."""

import itertools
from collections.abc import Iterator

import pytest

from sealed_relay_replay.answer import empty_answer
from sealed_relay_replay.event import read_event
from sealed_relay_replay.replay import replay
from tests.functional.replay.crashing import Killed, Steps, dying
from tests.functional.replay.scene import TIMEOUT_SECONDS, Scene
from tests.functional.scene import message_body
from tests.support.failure_queue import InMemoryIngressEnd

MOVES = {message_body(f"a{number}") for number in range(12)}
STAYS = {message_body("unresolved"), message_body("delivered"), "unreadable"}


class AwsError(Exception):
    pass


def _scene() -> Scene:
    scene = Scene()
    for number in range(12):
        scene.fail(f"a{number}")
    scene.fail("unresolved", reason="UNRESOLVED", status="UNRESOLVED")
    scene.fail("delivered", status="ACCEPTED")
    scene.queue.put("unreadable", "INVALID_MESSAGE")
    return scene


def _after_each_step(error: BaseException | None = None) -> Iterator[Scene]:
    """The scene as a run leaves it that ended at each of its steps, one after the other."""
    for fatal in itertools.count(1):
        scene = _scene()
        steps = Steps(fatal, error)
        try:
            scene.run(dependencies=dying(scene.dependencies(), steps), dry_run=False)
        except (Killed, AwsError):
            yield scene
        else:
            return


def _held(scene: Scene) -> set[str]:
    return set(scene.queue.bodies.values()) | set(scene.bodies_sent)


def test_wherever_it_dies_every_entry_is_in_one_queue_at_least_and_nothing_else_went_over() -> None:
    scenes = list(_after_each_step())
    assert len(scenes) > 40
    for scene in scenes:
        assert _held(scene) == MOVES | STAYS
        assert set(scene.queue.bodies.values()) >= STAYS
        assert set(scene.bodies_sent) <= MOVES


def test_the_next_run_after_the_visibility_timeout_finishes_the_work() -> None:
    for scene in _after_each_step():
        died_at = scene.clock.now
        scene.clock.now = max(scene.clock.now, scene.queue.next_visible_at)
        assert scene.clock.now <= died_at + TIMEOUT_SECONDS + 10

        answer = scene.run(dry_run=False)

        assert answer.complete
        assert set(scene.bodies_sent) == MOVES
        assert set(scene.queue.bodies.values()) == STAYS


def test_a_fault_of_aws_at_any_step_loses_nothing_either() -> None:
    scenes = list(_after_each_step(AwsError()))
    assert len(scenes) > 40
    for scene in scenes:
        assert _held(scene) == MOVES | STAYS
        scene.clock.now = max(scene.clock.now, scene.queue.next_visible_at)
        scene.run(dry_run=False)
        assert set(scene.bodies_sent) == MOVES
        assert set(scene.queue.bodies.values()) == STAYS


def test_after_a_fault_what_was_not_moved_is_in_sight_at_once() -> None:
    scene = _scene()
    dependencies = scene.dependencies(ingress_queue=InMemoryIngressEnd(_fail))
    with pytest.raises(AwsError):
        scene.run(dependencies=dependencies, dry_run=False)
    assert set(scene.queue.bodies.values()) == MOVES | STAYS
    assert scene.queue.all_in_sight()


def _fail(_body: str) -> None:
    raise AwsError


@pytest.mark.parametrize("fatal", range(1, 45, 4))
def test_the_counts_outlive_a_fault(fatal: int) -> None:
    scene = _scene()
    event = read_event({"dry_run": False})
    answer = empty_answer(event)
    with pytest.raises(AwsError):
        replay(dying(scene.dependencies(), Steps(fatal, AwsError())), event, answer, scene.clock.now + TIMEOUT_SECONDS)
    assert not answer.complete or answer.total.moved == len(scene.sent)
    assert answer.total.moved <= len(scene.sent)
    assert answer.total.seen == answer.total.moved + answer.total.left
