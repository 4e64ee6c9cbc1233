"""Admission by several invocations and threads at once, with writes that fail or whose answers are lost."""

import heapq
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sealed_relay.admission.control import Deferral
from sealed_relay.admission.health_signal import Refused
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed
from sealed_relay.ports import Change, Item
from tests.support.gates import Gates, Permit
from tests.support.table import InMemoryTable

EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)


def test_limit_holds_over_all_invocations() -> None:
    gates = Gates(requests_per_minute=5)

    answers = [gates.ask(gates.gate()) for _ in range(8)]

    assert [isinstance(answer, Permit) for answer in answers] == [True] * 5 + [False] * 3


def test_batch_of_many_requests_loses_no_permit_while_they_leave_16_at_once() -> None:
    gates = Gates(requests_per_minute=100)
    gate = gates.gate()
    flow_ids = [f"FLOW{number:04}" for number in range(96)]
    gate.look(flow_ids)
    assert gate.wait_for_permits(Lane.INGRESS, waiting=0, leaving=96) == []

    for start in range(0, 96, 16):
        for flow_id in flow_ids[start : start + 16]:
            assert isinstance(gates.ask(gate, flow_id), Permit)
        gates.clock.now += 0.4  # until the API has answered all 16

    assert [isinstance(gates.ask(gates.gate()), Permit) for _ in range(5)] == [True] * 4 + [False]


def test_permit_that_another_invocation_took_a_moment_ago_is_not_taken_again() -> None:
    gates = Gates(requests_per_minute=1)
    one, other = gates.gate(), gates.gate()
    for gate in (one, other):
        gate.look([])
    gates.permit(one)

    deferral = gates.deferral(other)

    assert deferral.outcome.reason == "RATE_LIMITED"
    assert deferral.is_brief
    assert 60 < deferral.seconds < 64


def test_admitted_request_has_a_second_to_leave() -> None:
    gates = Gates()

    assert gates.permit(gates.gate()).until == gates.clock.now + 1.0


def test_limit_holds_over_threads_of_one_invocation() -> None:
    gates = Gates(requests_per_minute=5)
    gate = gates.gate()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(gates.ask, [gate] * 20))

    assert sum(isinstance(answer, Permit) for answer in answers) == 5


def test_each_deferred_request_waits_for_the_permit_after_the_one_before() -> None:
    gates = Gates(requests_per_minute=2)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])

    deferrals = gate.wait_for_permits(Lane.INGRESS, waiting=3, leaving=gate.free_permits(Lane.INGRESS))

    assert [round(deferral.seconds) for deferral in deferrals] == [63, 63, 126]


def test_deferred_requests_leave_although_new_requests_keep_coming() -> None:
    """Ten invocations at once, 180 requests at the start, and as many new ones a minute as the limit is."""
    gates = Gates(requests_per_minute=60)
    all_gates = [gates.gate() for _ in range(10)]
    began = gates.clock.now
    coming = [(began, number, 1) for number in range(180)] + [
        (began + number, 180 + number, 1) for number in range(900)
    ]
    heapq.heapify(coming)
    left_after: dict[int, float] = {}
    while coming and coming[0][0] < began + 900:
        moment, number, receives = heapq.heappop(coming)
        gates.clock.now = max(gates.clock.now, moment)
        gate = all_gates[(number + receives) % 10]
        gate.look(["FLOWAAAA"])
        is_free = gate.free_permits(Lane.INGRESS) > 0
        answer = gates.ask(gate) if is_free else gate.wait_for_permits(Lane.INGRESS, waiting=1, leaving=0)[0]
        if isinstance(answer, Deferral):
            heapq.heappush(coming, (moment + math.ceil(answer.seconds), number, receives + 1))
        else:
            left_after[number] = gates.clock.now - began

    assert len(left_after) >= 60 * 15 * 0.95
    assert max(left_after[number] for number in range(180)) < 420


def test_probe_without_a_permit_is_not_used_up() -> None:
    gates = Gates(requests_per_minute=1)
    gates.report(EMPTY)
    gates.clock.now += 16

    assert gates.deferral(gates.gate()).outcome.reason == "RATE_LIMITED"
    gates.clock.now += 50
    assert list(gates.permit(gates.gate()).probes) == [""]


def test_write_whose_answer_was_lost_costs_a_permit_and_no_more() -> None:
    gates = Gates(requests_per_minute=3)

    class ForgetfulTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            super().insert(items)
            return super().insert(items)  # as the SDK does if the first answer does not come

        def update(self, changes: Sequence[Change]) -> list[bool]:
            super().update(changes)
            return super().update(changes)

    gates.table = ForgetfulTable()

    assert sum(isinstance(gates.ask(gates.gate()), Permit) for _ in range(9)) <= 3


def test_error_of_the_table_reaches_each_thread_that_asked() -> None:
    gates = Gates()

    class BrokenTable(InMemoryTable):
        def read(self, keys: Sequence[str]) -> dict[str, Item]:
            raise ConnectionError(keys)

    gates.table = BrokenTable()
    gate = gates.gate()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(gates.ask, gate) for _ in range(4)]
        for answer in answers:
            with pytest.raises(ConnectionError):
                answer.result(10)


def test_each_permit_tells_how_much_of_the_limit_is_used() -> None:
    gates = Gates(requests_per_minute=4)
    gate = gates.gate()
    gates.permit(gate)
    gates.permit(gate)

    assert gates.observed == [BudgetUsed(0.25), BudgetUsed(0.5)]


def test_permit_counts_from_before_its_write_however_long_that_took() -> None:
    gates = Gates()

    class SlowTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            gates.clock.now += 20
            return super().insert(items)

    gates.table = SlowTable()
    asked_at = gates.clock.now

    assert gates.permit(gates.gate()).until == asked_at + 1.0


def test_ordinary_requests_leave_the_reserve_to_urgent_ones() -> None:
    gates = Gates(requests_per_minute=5, urgent_reserve=2)

    ordinary = [gates.ask(gates.gate(), lane=Lane.INGRESS) for _ in range(4)]
    urgent = [gates.ask(gates.gate(), lane=Lane.URGENT) for _ in range(3)]

    assert [isinstance(answer, Permit) for answer in ordinary] == [True] * 3 + [False]
    assert [isinstance(answer, Permit) for answer in urgent] == [True] * 2 + [False]


def test_urgent_requests_may_use_the_whole_limit() -> None:
    gates = Gates(requests_per_minute=5, urgent_reserve=2)

    urgent = [gates.ask(gates.gate(), lane=Lane.URGENT) for _ in range(6)]

    assert [isinstance(answer, Permit) for answer in urgent] == [True] * 5 + [False]


def test_urgent_requests_do_not_wait_behind_deferred_ordinary_ones() -> None:
    gates = Gates(requests_per_minute=2, urgent_reserve=1)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    gate.wait_for_permits(Lane.INGRESS, waiting=3, leaving=1)  # the last one waits for minutes

    gates.permit(gate)
    assert gate.free_permits(Lane.URGENT) == 1
    urgent = gate.wait_for_permits(Lane.URGENT, waiting=1, leaving=1)

    assert [round(deferral.seconds) for deferral in urgent] == [63]
