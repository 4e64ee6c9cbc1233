"""Rule 3: an answer is stored with its request before anything acts on it."""

import pytest

from local.simulator.faults import CodeAnswer, Fault, ForeignPage, NoFault
from sealed_relay.observability.events import WorkFailed
from sealed_relay.ports import Item
from tests.support.crash_at_step import Killed
from tests.support.scene import Scene
from tests.support.scripted_table import fail_before


def requests_of(scene: Scene) -> list[Item]:
    return [item for key, item in scene.table.items.items() if key.startswith("#request/")]


@pytest.mark.parametrize(
    ("names", "fault"),
    [(["a", "b"], NoFault()), (["a"], NoFault()), (["a"], CodeAnswer(code=400)), (["a"], CodeAnswer(code=206))],
    ids=["two calls", "one call", "refused", "to be tried again"],
)
def test_answer_is_stored_with_its_request(names: list[str], fault: Fault) -> None:
    scene = Scene()
    scene.send(*names)
    scene.plan(fault)
    scene.invoke()

    [request] = requests_of(scene)
    assert "answer" in request


def test_delivered_call_that_is_received_again_after_its_lease_is_not_sent_again() -> None:
    scene = Scene()
    scene.send("a")
    messages = scene.ingress.receive(1)
    scene.deliver(messages)
    scene.clock.now += 3600

    assert scene.deliver_again(messages) == []
    assert len(scene.gateway.bodies) == 1


def test_answer_that_admission_cannot_record_is_settled_all_the_same() -> None:
    scene = Scene()
    scene.script_table().at_write(fail_before(ConnectionError()), "#pause/")
    scene.send("a")
    scene.plan(CodeAnswer(code=401))
    [kept] = scene.invoke()

    assert scene.record("a")["reason"] == "IP_NOT_WHITELISTED"
    assert scene.ingress.message_ids == [kept]
    assert [type(seen.error) for seen in scene.observed if isinstance(seen, WorkFailed)] == [ConnectionError]


def test_finished_message_leaves_although_admission_could_not_record_the_answer() -> None:
    scene = Scene()
    scene.send("before")
    scene.plan(ForeignPage(http_status=503))
    scene.invoke()  # a failure, which the next answer ends
    scene.script_table().at_write(fail_before(ConnectionError()), "#pause/")
    scene.send("a")

    assert scene.invoke() == []
    assert any(isinstance(seen, WorkFailed) for seen in scene.observed)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_answer_is_stored_before_admission_is_told_of_it(names: list[str]) -> None:
    scene = Scene()
    scene.send("before")
    scene.plan(ForeignPage(http_status=503))
    scene.invoke()  # a failure, which the next answer ends
    scene.script_table().at_write(fail_before(Killed()), "#pause/", times=1)
    scene.send(*names)
    with pytest.raises(Killed):
        scene.invoke()

    scene.run()
    assert [scene.record(name)["status"] for name in names] == ["ACCEPTED"] * len(names)
    assert all(scene.record(name)["phonon_uuid"] for name in names)
