"""Rule 3: an answer is stored with its request before anything acts on it."""

from collections.abc import Sequence

import pytest

from local.simulator.faults import CodeAnswer, Fault, ForeignPage, NoFault
from sealed_relay.observability.events import WorkFailed
from sealed_relay.ports import Change, Item
from tests.support.crash_at_step import Killed
from tests.support.scene import Scene
from tests.support.table import InMemoryTable


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


def test_answer_that_admission_cannot_record_is_settled_all_the_same() -> None:
    scene = Scene()
    scene.table = TableThatKeepsNoPauses(ConnectionError)
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
    table = TableThatKeepsNoPauses(ConnectionError)
    table.items = scene.table.items
    scene.table = table
    scene.send("a")

    assert scene.invoke() == []
    assert any(isinstance(seen, WorkFailed) for seen in scene.observed)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_answer_is_stored_before_admission_is_told_of_it(names: list[str]) -> None:
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
