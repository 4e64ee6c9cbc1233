"""An answer is on record before anything acts on it: with its request, or with the call where there is but one."""

from collections.abc import Sequence

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, NoFault
from sealed_relay.observability.events import WorkFailed
from sealed_relay.ports import Change, Item
from tests.functional.crashing import Killed
from tests.functional.scene import Scene
from tests.support.table import InMemoryTable


def requests_of(scene: Scene) -> list[Item]:
    return [item for key, item in scene.table.items.items() if key.startswith("#request/")]


@pytest.mark.parametrize("lost_before", [False, True])
def test_of_a_lone_call_that_was_delivered_its_record_alone_tells(lost_before: bool) -> None:  # noqa: FBT001
    scene = Scene()
    scene.send("a")
    if lost_before:
        scene.plan(DroppedConnection(after_accepting=True))
    scene.run()

    [request] = requests_of(scene)
    assert "answer" not in request
    assert scene.record("a")["status"] == ("PRESUMED_ACCEPTED" if lost_before else "ACCEPTED")


@pytest.mark.parametrize(
    ("names", "fault"),
    [(["a", "b"], NoFault()), (["a"], CodeAnswer(code=400)), (["a"], CodeAnswer(code=206))],
    ids=["calls-beside-it", "refused", "to-be-tried-again"],
)
def test_any_other_answer_stands_with_its_request(names: list[str], fault: Fault) -> None:
    scene = Scene()
    scene.send(*names)
    scene.plan(fault)
    scene.invoke()

    [request] = requests_of(scene)
    assert "answer" in request


def test_a_lone_call_of_which_a_copy_comes_after_its_lease_is_not_sent_again() -> None:
    scene = Scene()
    scene.send("a")
    messages = scene.ingress.receive(1)
    scene.deliver(messages)
    scene.clock.now += 3600

    assert scene.deliver_again(messages) == []
    assert len(scene.gateway.bodies) == 1


class TableThatKeepsNoPauses(InMemoryTable):
    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self.error = error

    def insert(self, items: Sequence[Item]) -> list[bool]:
        self._refuse([str(item["call_id"]) for item in items])
        return super().insert(items)

    def update(self, changes: Sequence[Change]) -> list[bool]:
        self._refuse([change.key for change in changes])
        return super().update(changes)

    def _refuse(self, keys: Sequence[str]) -> None:
        if any(key.startswith("#pause/") for key in keys):
            raise self.error


def test_an_answer_that_the_gate_cannot_be_told_is_settled_all_the_same() -> None:
    scene = Scene()
    scene.table = TableThatKeepsNoPauses(ConnectionError)
    scene.send("a")
    scene.plan(CodeAnswer(code=401))
    [kept] = scene.invoke()

    assert scene.record("a")["reason"] == "IP_NOT_WHITELISTED"
    assert scene.ingress.message_ids == [kept]
    assert [type(seen.error) for seen in scene.observed if isinstance(seen, WorkFailed)] == [ConnectionError]


def test_a_message_that_is_done_leaves_the_queue_although_the_gate_could_not_be_told() -> None:
    scene = Scene()
    scene.send("before")
    scene.plan(ForeignPage(http_status=503))
    scene.invoke()  # a failure, which the next answer ends
    table = TableThatKeepsNoPauses(ConnectionError)
    table.items = scene.table.items
    scene.table = table
    scene.send("a")

    assert scene.invoke() == []
    assert any(isinstance(seen, WorkFailed) for seen in scene.observed)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_an_answer_is_on_record_before_the_gate_is_told_of_it(names: list[str]) -> None:
    scene = Scene()
    scene.send("before")
    scene.plan(ForeignPage(http_status=503))
    scene.invoke()  # a failure, which the next answer ends
    table = TableThatKeepsNoPauses(Killed)
    table.items = scene.table.items
    scene.table = table
    scene.send(*names)
    with pytest.raises(Killed):
        scene.invoke()

    scene.table = InMemoryTable()
    scene.table.items = table.items
    scene.run()
    assert [scene.record(name)["status"] for name in names] == ["ACCEPTED"] * len(names)
    assert all(scene.record(name)["phonon_uuid"] for name in names)
