"""The gate: several invocations at once, threads at once, writes that fail or whose answer is lost."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sealed_relay.admission.control import Admitted
from sealed_relay.admission.health_signal import Refused
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed
from sealed_relay.ports import Change, Item
from tests.support.gates import Gates, requests
from tests.support.table import InMemoryTable

EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)


def test_the_limit_holds_over_all_gates_together() -> None:
    gates = Gates(requests_per_minute=5)

    answers = [gates.gate().admit("FLOWAAAA") for _ in range(8)]

    assert [isinstance(answer, Admitted) for answer in answers] == [True] * 5 + [False] * 3


def test_a_gate_that_read_a_moment_ago_sees_the_turn_that_another_one_took_since() -> None:
    gates = Gates(requests_per_minute=1)
    one, other = gates.gate(), gates.gate()
    for gate in (one, other):
        gate.look([])
    gates.passed(one)

    held = gates.held(other)

    assert held.outcome.reason == "RATE_LIMITED"
    assert 60 < held.seconds < 64


def test_an_admitted_request_has_a_second_to_leave() -> None:
    gates = Gates()

    assert gates.passed(gates.gate()).until == gates.clock.now + 1.0


def test_threads_that_ask_at_once_share_a_write() -> None:
    gates = Gates()
    writes: list[int] = []

    class TableThatLetsThemQueue(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            writes.append(1)
            until = time.monotonic() + 10
            while len(vars(gate)["_asks"]) < 8 and time.monotonic() < until:
                time.sleep(0.001)
            return super().insert(items)

        def update(self, changes: Sequence[Change]) -> list[bool]:
            writes.append(1)
            return super().update(changes)

    gates.table = TableThatLetsThemQueue()
    gate = gates.gate()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(gate.admit, f"FLOW000{index}") for index in range(8)]
        assert all(isinstance(answer.result(20), Admitted) for answer in answers)

    assert len(writes) == 2  # the first one's, and one for the seven who stood behind


def test_a_forecast_promises_those_over_the_limit_a_turn_each() -> None:
    gates = Gates(requests_per_minute=2)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])

    holds = gate.forecast(requests(*["FLOWAAAA"] * 4))

    assert holds[:2] == [None, None]
    assert [round(held.seconds) for held in holds[2:] if held] == [62, 92]


def test_a_probe_for_which_there_is_no_room_is_not_used_up() -> None:
    gates = Gates(requests_per_minute=1)
    gates.paused(EMPTY)
    gates.clock.now += 16

    assert gates.held(gates.gate()).outcome.reason == "RATE_LIMITED"
    gates.clock.now += 50
    assert gates.passed(gates.gate()).probing == ("",)


def test_a_write_whose_answer_was_lost_costs_a_turn_and_no_more() -> None:
    gates = Gates(requests_per_minute=3)

    class ForgetfulTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            super().insert(items)
            return super().insert(items)  # as the SDK does where the first answer did not come

        def update(self, changes: Sequence[Change]) -> list[bool]:
            super().update(changes)
            return super().update(changes)

    gates.table = ForgetfulTable()

    assert sum(isinstance(gates.gate().admit("FLOWAAAA"), Admitted) for _ in range(9)) <= 3


def test_what_the_table_raises_reaches_whoever_asked_and_nobody_waits_for_ever() -> None:
    gates = Gates()

    class BrokenTable(InMemoryTable):
        def read(self, keys: Sequence[str]) -> dict[str, Item]:
            raise ConnectionError(keys)

    gates.table = BrokenTable()
    gate = gates.gate()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(gate.admit, "FLOWAAAA") for _ in range(4)]
        for answer in answers:
            with pytest.raises(ConnectionError):
                answer.result(10)


def test_whoever_has_a_turn_goes_although_a_fault_struck_those_behind() -> None:
    gates = Gates(requests_per_minute=8)

    class TableThatPutsNobodyOff(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            until = time.monotonic() + 10
            while len(vars(gate)["_asks"]) < 9 and time.monotonic() < until:
                time.sleep(0.001)
            return super().insert(items)

        def update(self, changes: Sequence[Change]) -> list[bool]:
            if any(change.attributes["promised_until_ms"] for change in changes):
                raise ConnectionError("throttled")
            return super().update(changes)

    gates.table = TableThatPutsNobodyOff()
    gate = gates.gate()
    with ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(gate.admit, "FLOWAAAA") for _ in range(9)]

    errors = [answer.exception() for answer in answers if answer.exception()]
    assert [type(error) for error in errors] == [ConnectionError]
    assert sum(isinstance(answer.result(), Admitted) for answer in answers if not answer.exception()) == 8


def test_the_budget_used_is_told() -> None:
    gates = Gates(requests_per_minute=4)
    gate = gates.gate()
    gates.passed(gate)
    gates.passed(gate)

    assert gates.observed == [BudgetUsed(0.25), BudgetUsed(0.5)]


def test_whoever_comes_new_stands_behind_those_who_were_promised_a_turn() -> None:
    gates = Gates(requests_per_minute=2)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    gate.forecast(requests(*["FLOWAAAA"] * 3))
    gates.clock.now += 5

    [new] = gate.forecast(requests("FLOWBBBB"))
    [waited] = gate.forecast(requests("FLOWAAAA", receive_count=2))

    assert new
    assert new.outcome.reason == "RATE_LIMITED"
    assert waited is None


def test_a_turn_counts_from_when_it_was_written_however_long_that_took() -> None:
    gates = Gates()

    class SlowTable(InMemoryTable):
        def insert(self, items: Sequence[Item]) -> list[bool]:
            gates.clock.now += 20
            return super().insert(items)

    gates.table = SlowTable()
    asked_at = gates.clock.now

    assert gates.passed(gates.gate()).until == asked_at + 1.0
