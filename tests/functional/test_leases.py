"""Two invocations at once: what one holds, the other leaves alone, until the first is certainly gone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, NoFault
from sealed_relay.batch.process_batch import LEASE_MARGIN_SECONDS
from sealed_relay.calls.message import Message
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.answer import Answer
from tests.support.crash_at_step import Killed, Steps
from tests.support.gateway import GatewayInOnePiece, SimulatedGateway
from tests.support.scene import FUNCTION_TIMEOUT_SECONDS, Scene


class GatewayWithVisitors(GatewayInOnePiece):
    """Lets something else happen while a request is on its way: `before` it reaches the API, or `after`."""

    def __init__(self, gateway: SimulatedGateway, *, before: Callable[[], object], after: Callable[[], object]) -> None:
        self._gateway = gateway
        self._before = before
        self._after = after

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self._before()
        answer = self._gateway.send(endpoint, body, timeout_seconds)
        self._after()
        return answer


def _visited(scene: Scene, visit: Callable[[], object], *, after: bool) -> Dependencies:
    visitor = GatewayWithVisitors(
        scene.gateway,
        before=visit if not after else lambda: None,
        after=visit if after else lambda: None,
    )
    return replace(scene.dependencies(), gateway=visitor)


def _overrun(scene: Scene, message: Message, resend: Fault | None = None) -> Dependencies:
    """Its lease is over before its answer comes: another invocation takes over and resends, which may meet a fault."""

    def take_over() -> None:
        scene.clock.now += FUNCTION_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS
        scene.plan(resend or NoFault())
        scene.deliver_again([message])

    return _visited(scene, take_over, after=True)


@pytest.mark.parametrize("after", [False, True])
def test_message_received_twice_at_once_is_sent_once(after: bool) -> None:  # noqa: FBT001 - a parameter of the test
    scene = Scene()
    scene.send("a", "b")
    messages = scene.ingress.receive(1)
    kept: list[str] = []
    dependencies = _visited(scene, lambda: kept.extend(scene.deliver_again(messages)), after=after)
    assert scene.deliver_again(messages, dependencies) == []
    assert kept == [messages[0].message_id]
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/b": 1}
    assert len(scene.gateway.bodies) == 1


def test_lost_request_is_resent_by_one_invocation_at_a_time() -> None:
    scene = Scene()
    first, second = scene.send("a"), scene.send("b")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.invoke()
    scene.clock.now += 10
    by_id = {message.message_id: message for message in scene.ingress.receive(10)}
    kept: list[str] = []
    dependencies = _visited(scene, lambda: kept.extend(scene.deliver_again([by_id[second]])), after=False)
    assert scene.deliver_again([by_id[first]], dependencies) == []
    assert kept == [second]
    scene.run()
    assert len(scene.gateway.bodies) == 2
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 2}


def test_claim_is_respected_until_its_invocation_is_certainly_dead() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)
    with pytest.raises(Killed):
        scene.deliver_again([message], scene.dependencies(Steps(4)))
    assert scene.record("a")["status"] == "SENDING"
    scene.clock.now += FUNCTION_TIMEOUT_SECONDS + 5
    assert scene.deliver_again([message]) == [message.message_id]
    assert scene.gateway.bodies == []
    scene.clock.now += LEASE_MARGIN_SECONDS
    assert scene.deliver_again([message]) == []
    assert scene.accepted() == {"FLOWAAAA/a": 1}


def test_invocation_that_overran_its_lease_does_not_act_on_its_answer() -> None:
    scene = Scene()
    scene.send("a", "b")
    [message] = scene.ingress.receive(1)
    scene.plan(CodeAnswer(code=400))

    # The first is answered 400, which would isolate; but meanwhile another has taken over and resent the same bytes.
    assert scene.deliver_again([message], _overrun(scene, message)) == [message.message_id]
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 2}
    assert len(scene.gateway.bodies) == 2
    assert len(set(scene.gateway.bodies)) == 1


def test_invocations_at_once_on_real_threads_send_each_call_once() -> None:
    scene = Scene()
    for index in range(30):
        scene.send(f"a-{index % 20}", f"b-{index}")
    messages = scene.ingress.receive(100)
    started = threading.Barrier(4)

    def invoke(part: int) -> None:
        started.wait()
        with ThreadPoolExecutor(4) as executor:
            scene.deliver_again(messages[part * 5 : part * 5 + 15], replace(scene.dependencies(), executor=executor))

    with ThreadPoolExecutor(4) as invocations:
        for future in [invocations.submit(invoke, part) for part in range(4)]:
            future.result()
    assert set(scene.accepted().values()) == {1}
    scene.run()
    assert set(scene.accepted().values()) == {1}
    assert len(scene.accepted()) == 50


def test_duplicate_and_first_message_in_one_batch_both_stay_while_the_call_is_open() -> None:
    scene = Scene()
    first = scene.send("a")
    [held] = scene.ingress.receive(1)
    with pytest.raises(Killed):
        scene.deliver_again([held], scene.dependencies(Steps(4)))  # claimed, and dead before anything was stored
    copy = scene.send("a")
    [copied] = scene.ingress.receive(1)
    # SQS has delivered the first message a second time, behind its copy in another invocation's batch.
    assert scene.deliver([copied, held]) == [copy, first]
    scene.run()
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert copy not in scene.ingress.message_ids


def test_invocation_that_overran_its_lease_does_not_settle_a_lone_call() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)

    # Meanwhile another has taken over, and got no answer.
    assert scene.deliver_again([message], _overrun(scene, message, DroppedConnection())) == [message.message_id]
    assert scene.statuses() == {"WAITING": 1}
    scene.clock.now += 3600
    assert scene.deliver_again([message]) == []
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}
    assert len(set(scene.gateway.bodies)) == 1


def test_outcome_of_another_invocation_stays_after_an_overrun_lease() -> None:
    scene = Scene()
    scene.send("a")
    [message] = scene.ingress.receive(1)

    assert scene.deliver_again([message], _overrun(scene, message)) == [message.message_id]
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}
    assert scene.accepted() == {"FLOWAAAA/a": 1}
