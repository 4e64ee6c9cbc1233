"""A request connects, then takes its permit, then leaves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sealed_relay.admission.health_signal import Refused
from sealed_relay.calls.outcome import Reason
from sealed_relay.delivery.request import Attempt, Invocation
from sealed_relay.delivery.send import send
from sealed_relay.kairos.answer import NotSent
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import Paused
from sealed_relay.ports import Connection, Gateway
from sealed_relay_operations.pauses import item_of
from tests.support.scene import Scene
from tests.support.scripted_table import fail_before
from tests.unit.delivery.claimed import invocation_in
from tests.unit.delivery.test_send import REQUEST_ITEM, store

PERMITS = "#permits"
EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)


class ConnectingGateway:
    """Does something else while it connects."""

    def __init__(self, gateway: Gateway, meanwhile: Callable[[], object]) -> None:
        self._gateway = gateway
        self._meanwhile = meanwhile

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator[Connection | NotSent]:
        self._meanwhile()
        with self._gateway.connect(timeout_seconds) as connection:
            yield connection


def meanwhile(scene: Scene, invocation: Invocation, work: Callable[[], object]) -> Invocation:
    """The same invocation; `work` is done whenever it connects."""
    gateway = ConnectingGateway(scene.gateway, work)
    return replace(invocation, dependencies=replace(invocation.dependencies, gateway=gateway))


def pause(scene: Scene) -> None:
    """Pause the account, as another invocation does."""
    scene.dependencies().admission.report("FLOWBBBB", {}, EMPTY, "v1")


def stored(scene: Scene) -> tuple[Invocation, Attempt]:
    invocation = invocation_in(scene)
    return invocation, store(invocation, "a")


def test_request_that_connected_slowly_takes_its_permit_afterwards_and_leaves() -> None:
    scene = Scene()
    invocation, attempt = stored(scene)
    permits_while_connecting: list[bool] = []

    def pass_time() -> None:
        permits_while_connecting.append(PERMITS in scene.table.items)
        scene.clock.now += 5

    result = send(meanwhile(scene, invocation, pass_time), attempt)

    assert permits_while_connecting == [False]
    assert [call.client_identifier for call in result.finished] == ["a"]


def test_connection_that_is_refused_costs_no_permit_and_counts_as_a_failure() -> None:
    scene = Scene()
    invocation, attempt = stored(scene)
    scene.gateway.refused_connections = 1

    send(invocation, attempt)

    assert PERMITS not in scene.table.items
    assert scene.record("a")["reason"] == Reason.NOT_SENT
    assert scene.table.items["#pause/account"]["failures_in_a_row"] == 1
    assert [sent.result for sent in scene.requests_sent()] == [Reason.NOT_SENT]


def test_five_refused_connections_pause_the_account() -> None:
    scene = Scene()
    scene.gateway.refused_connections = 5
    for index in range(5):
        scene.send(f"call-{index}")
        scene.invoke()

    assert [each.reason for each in scene.observed if isinstance(each, Paused)] == [Reason.NOT_SENT]


def test_probe_whose_connection_is_refused_is_the_only_one_until_the_next_is_due() -> None:
    scene = Scene()
    scene.dependencies().admission.report("FLOWAAAA", {}, EMPTY, "v1")
    scene.clock.now += 16
    invocation, attempt = stored(scene)
    scene.gateway.refused_connections = 1

    send(invocation, attempt)

    assert int(str(scene.table.items["#pause/account"]["next_probe_at_ms"])) >= (scene.clock.now + 30) * 1000


def test_account_that_is_paused_while_a_request_connects_defers_it() -> None:
    scene = Scene()
    invocation, attempt = stored(scene)

    def pause_it() -> None:
        pause(scene)
        scene.clock.now += 2

    send(meanwhile(scene, invocation, pause_it), attempt)

    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "INSUFFICIENT_BALANCE"
    assert scene.table.items[REQUEST_ITEM]["may_have_been_sent"] is False


def test_account_that_an_operator_pauses_while_its_probe_connects_stays_paused_and_unprobed() -> None:
    scene = Scene()
    pause(scene)
    scene.clock.now += 16
    invocation, attempt = stored(scene)

    def pause_by_operator() -> None:
        scene.table.put({"call_id": "#pause/account", **item_of("MAINTENANCE", scene.clock.now)})
        scene.clock.now += 2

    send(meanwhile(scene, invocation, pause_by_operator), attempt)

    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == "MAINTENANCE"
    assert scene.table.items["#pause/account"]["reason"] == "MAINTENANCE"


def test_deadline_that_passes_while_a_request_connects_ends_it_unsent() -> None:
    scene = Scene()
    invocation, attempt = stored(scene)

    def run_out_of_time() -> None:
        scene.clock.now += 55

    send(meanwhile(scene, invocation, run_out_of_time), attempt)

    assert scene.gateway.bodies == []
    assert scene.record("a")["reason"] == Reason.OUT_OF_TIME
    assert scene.table.items[REQUEST_ITEM]["may_have_been_sent"] is False


def test_probe_is_given_back_if_its_permit_cannot_be_written() -> None:
    scene = Scene()
    pause(scene)
    scene.clock.now += 16
    table = scene.script_table()
    invocation, attempt = stored(scene)
    table.at_write(fail_before(ConnectionError()), PERMITS)

    with pytest.raises(ConnectionError):
        send(invocation, attempt)

    assert scene.table.items["#pause/account"]["next_probe_at_ms"] == int(scene.clock.now * 1000)
    assert scene.table.items[REQUEST_ITEM]["may_have_been_sent"] is False
