"""The gate: several invocations at once, threads at once, writes that fail or whose answer is lost."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sealed_relay.admission import Admission, Admitted, Held
from sealed_relay.codes import Scope
from sealed_relay.observing import BudgetUsed, Observation, Parked, Reopened
from sealed_relay.planning import Request
from sealed_relay.ports import Change, Item
from sealed_relay.signs import Failed, Passed, Refused
from tests.fakes.table import InMemoryTable
from tests.relay.scene import Clock
from tests.unit.making import make_call

EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
WRONG_ID = Refused(Scope.FLOW, "INVALID_SECURITY_ID", 202)
ACCEPTED = Passed(is_accepted=True)


class Gates:
    """One table, one clock, and as many gates as there are invocations."""

    def __init__(self, requests_per_minute: int = 500) -> None:
        self.table = InMemoryTable()
        self.clock = Clock()
        self.observed: list[Observation] = []
        self._requests_per_minute = requests_per_minute

    def gate(self) -> Admission:
        return Admission(self.table, self.clock, self.clock.pause, self.observed.append, self._requests_per_minute)

    def passed(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Admitted:
        admitted = gate.admit(flow_id)
        assert isinstance(admitted, Admitted)
        return admitted

    def parked(self, sign: Refused) -> None:
        gate = self.gate()
        gate.report("FLOWAAAA", self.passed(gate), sign, "v1")

    def held(self, gate: Admission, flow_id: str = "FLOWAAAA") -> Held:
        held = gate.admit(flow_id)
        assert isinstance(held, Held)
        return held


def requests(*flow_ids: str, receive_count: int = 1) -> list[Request]:
    """A request with one call for each flow id."""
    return [
        Request(f"request-{index}", flow_id, (replace(make_call(flow_id=flow_id), receive_count=receive_count),))
        for index, flow_id in enumerate(flow_ids)
    ]


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


def test_a_refused_account_holds_every_flow_and_a_refused_flow_only_itself() -> None:
    gates = Gates()
    gates.parked(WRONG_ID)

    assert gates.held(gates.gate()).outcome.code == 202
    gates.passed(gates.gate(), "FLOWBBBB")
    gates.clock.now += 16

    gate = gates.gate()
    gate.report("FLOWBBBB", gates.passed(gate, "FLOWBBBB"), EMPTY, "v1")
    assert gates.held(gates.gate(), "FLOWBBBB").outcome.code == 212


def test_of_several_gates_only_one_gets_the_probe() -> None:
    gates = Gates()
    gates.parked(EMPTY)
    gates.clock.now += 16
    all_gates = [gates.gate() for _ in range(5)]
    for gate in all_gates:
        gate.look(["FLOWAAAA"])

    answers = [gate.admit("FLOWAAAA") for gate in all_gates]

    assert [isinstance(answer, Admitted) for answer in answers] == [True, False, False, False, False]
    assert isinstance(answers[0], Admitted)
    assert answers[0].probing == ("",)


def test_a_forecast_holds_what_is_parked_until_a_probe_is_due() -> None:
    gates = Gates()
    gates.parked(WRONG_ID)
    gate = gates.gate()
    gate.look(["FLOWAAAA", "FLOWBBBB"])
    before = gate.forecast(requests("FLOWAAAA", "FLOWBBBB", "FLOWAAAA"))
    gates.clock.now += 16

    due = gate.forecast(requests("FLOWAAAA", "FLOWBBBB", "FLOWAAAA"))

    assert [held is None for held in before] == [False, True, False]
    assert due == [None, None, None]


def test_a_forecast_promises_those_over_the_limit_a_turn_each() -> None:
    gates = Gates(requests_per_minute=2)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])

    holds = gate.forecast(requests(*["FLOWAAAA"] * 4))

    assert holds[:2] == [None, None]
    assert [round(held.seconds) for held in holds[2:] if held] == [62, 93]


def test_an_accepted_probe_reopens_for_every_gate() -> None:
    gates = Gates()
    gates.parked(EMPTY)
    gates.clock.now += 16
    gate = gates.gate()
    gate.report("FLOWAAAA", gates.passed(gate), ACCEPTED, "v1")

    gates.passed(gates.gate())
    gates.passed(gates.gate(), "FLOWBBBB")

    assert [type(each) for each in gates.observed if not isinstance(each, BudgetUsed)] == [Parked, Reopened]
    assert Reopened("", "INSUFFICIENT_BALANCE", 16) in gates.observed


def test_a_probe_of_the_account_that_its_flow_fails_leaves_the_next_probe_to_another_flow() -> None:
    gates = Gates()
    gates.parked(EMPTY)
    gates.clock.now += 16
    gate = gates.gate()
    gate.report("FLOWAAAA", gates.passed(gate), WRONG_ID, "v1")

    assert gates.held(gates.gate(), "FLOWAAAA").outcome.code == 202
    assert gates.passed(gates.gate(), "FLOWBBBB").probing == ("",)


def test_failures_in_a_row_are_counted_over_all_gates() -> None:
    gates = Gates()
    for _ in range(5):
        gate = gates.gate()
        gate.report("FLOWAAAA", gates.passed(gate), Failed("NO_ANSWER"), "v1")

    assert gates.held(gates.gate(), "FLOWBBBB").outcome.reason == "NO_ANSWER"


def test_a_probe_for_which_there_is_no_room_is_not_used_up() -> None:
    gates = Gates(requests_per_minute=1)
    gates.parked(EMPTY)
    gates.clock.now += 16

    assert gates.held(gates.gate()).outcome.reason == "RATE_LIMITED"
    gates.clock.now += 50
    assert gates.passed(gates.gate()).probing == ("",)


def test_whoever_deletes_the_item_reopens_also_for_a_gate_that_just_read_it() -> None:
    gates = Gates()
    gates.parked(EMPTY)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    gates.clock.now += 16
    del gates.table.items["#park/account"]

    assert gates.passed(gate).probing in ((), ("",))
    gates.passed(gates.gate())


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


def test_a_resend_does_not_probe_a_park_by_refusal_as_long_as_others_may() -> None:
    gates = Gates()
    gates.parked(EMPTY)
    gates.clock.now += 60

    assert isinstance(gates.gate().admit("FLOWAAAA", is_resend=True), Held)
    gates.clock.now += 1800
    assert isinstance(gates.gate().admit("FLOWAAAA", is_resend=True), Admitted)


def test_a_resend_probes_an_outage() -> None:
    gates = Gates()
    for _ in range(5):
        gate = gates.gate()
        gate.report("FLOWAAAA", gates.passed(gate), Failed("NO_ANSWER"), "v1")
    gates.clock.now += 16

    assert isinstance(gates.gate().admit("FLOWAAAA", is_resend=True), Admitted)


def test_an_answer_that_comes_late_leaves_an_operators_park_as_it_is() -> None:
    gates = Gates()
    gate = gates.gate()
    admitted = gates.passed(gate)
    item = {"call_id": "#park/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(item)
    gate.look(["FLOWAAAA"])

    gate.report("FLOWAAAA", admitted, WRONG_ID, "v1")

    assert gates.table.items["#park/flow/FLOWAAAA"] == item


def test_a_changed_secret_ends_the_park_of_the_one_before_and_no_other() -> None:
    gates = Gates()
    gates.parked(WRONG_ID)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    by_hand = {"call_id": "#park/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(by_hand)

    gate.reopen("FLOWAAAA", "v1")

    assert gates.table.items["#park/flow/FLOWAAAA"] == by_hand
    gates.table.items.clear()
    gates.parked(WRONG_ID)
    gate.look(["FLOWAAAA"])
    gate.reopen("FLOWAAAA", "v1")
    gates.passed(gates.gate())
