"""The gate and the pauses: who is held, who becomes the probe, and what its answer changes for every gate."""

from collections.abc import Sequence

import pytest

from sealed_relay.admission.control import Admitted, Held
from sealed_relay.admission.health_signal import Failed, Passed, Refused
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed, Paused, Resumed
from sealed_relay.ports import Change
from tests.support.gates import Gates, requests
from tests.support.table import InMemoryTable

EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
WRONG_ID = Refused(Scope.FLOW, "INVALID_SECURITY_ID", 202)
ACCEPTED = Passed(is_accepted=True)


def test_a_refused_account_holds_every_flow_and_a_refused_flow_only_itself() -> None:
    gates = Gates()
    gates.paused(WRONG_ID)

    assert gates.held(gates.gate()).outcome.code == 202
    gates.passed(gates.gate(), "FLOWBBBB")
    gates.clock.now += 16

    gate = gates.gate()
    gate.report("FLOWBBBB", gates.passed(gate, "FLOWBBBB"), EMPTY, "v1")
    assert gates.held(gates.gate(), "FLOWBBBB").outcome.code == 212


def test_of_several_gates_only_one_gets_the_probe() -> None:
    gates = Gates()
    gates.paused(EMPTY)
    gates.clock.now += 16
    all_gates = [gates.gate() for _ in range(5)]
    for gate in all_gates:
        gate.look(["FLOWAAAA"])

    answers = [gate.admit("FLOWAAAA") for gate in all_gates]

    assert [isinstance(answer, Admitted) for answer in answers] == [True, False, False, False, False]
    assert isinstance(answers[0], Admitted)
    assert answers[0].probing == ("",)


def test_a_forecast_holds_what_is_paused_until_a_probe_is_due() -> None:
    gates = Gates()
    gates.paused(WRONG_ID)
    gate = gates.gate()
    gate.look(["FLOWAAAA", "FLOWBBBB"])
    before = gate.forecast(requests("FLOWAAAA", "FLOWBBBB", "FLOWAAAA"))
    gates.clock.now += 16

    due = gate.forecast(requests("FLOWAAAA", "FLOWBBBB", "FLOWAAAA"))

    assert [held is None for held in before] == [False, True, False]
    assert due == [None, None, None]


def test_an_accepted_probe_resumes_for_every_gate() -> None:
    gates = Gates()
    gates.paused(EMPTY)
    gates.clock.now += 16
    gate = gates.gate()
    gate.report("FLOWAAAA", gates.passed(gate), ACCEPTED, "v1")

    gates.passed(gates.gate())
    gates.passed(gates.gate(), "FLOWBBBB")

    assert [type(each) for each in gates.observed if not isinstance(each, BudgetUsed)] == [Paused, Resumed]
    assert Resumed("", "INSUFFICIENT_BALANCE", 16) in gates.observed


def test_a_probe_of_the_account_that_its_flow_fails_leaves_the_next_probe_to_another_flow() -> None:
    gates = Gates()
    gates.paused(EMPTY)
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


def test_whoever_deletes_the_item_resumes_also_for_a_gate_that_just_read_it() -> None:
    gates = Gates()
    gates.paused(EMPTY)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    gates.clock.now += 16
    del gates.table.items["#pause/account"]

    assert gates.passed(gate).probing in ((), ("",))
    gates.passed(gates.gate())


def test_a_resend_does_not_probe_a_pause_by_refusal_as_long_as_others_may() -> None:
    gates = Gates()
    gates.paused(EMPTY)
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


def test_an_answer_that_comes_late_leaves_an_operators_pause_as_it_is() -> None:
    gates = Gates()
    gate = gates.gate()
    admitted = gates.passed(gate)
    item = {"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(item)
    gate.look(["FLOWAAAA"])

    gate.report("FLOWAAAA", admitted, WRONG_ID, "v1")

    assert gates.table.items["#pause/flow/FLOWAAAA"] == item


def test_a_changed_secret_ends_the_pause_of_the_one_before_and_no_other() -> None:
    gates = Gates()
    gates.paused(WRONG_ID)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    by_hand = {"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(by_hand)

    gate.resume("FLOWAAAA", "v1")

    assert gates.table.items["#pause/flow/FLOWAAAA"] == by_hand
    gates.table.items.clear()
    gates.paused(WRONG_ID)
    gate.look(["FLOWAAAA"])
    gate.resume("FLOWAAAA", "v1")
    gates.passed(gates.gate())


def test_a_probe_is_not_used_up_where_its_turn_could_not_be_written() -> None:
    gates = Gates()
    gates.paused(EMPTY)
    gates.clock.now += 16

    class TableWithoutTurns(InMemoryTable):
        def update(self, changes: Sequence[Change]) -> list[bool]:
            if any(change.key == "#pace" for change in changes):
                raise ConnectionError("throttled")
            return super().update(changes)

    whole, broken = gates.table, TableWithoutTurns()
    broken.items = whole.items
    gates.table = broken
    with pytest.raises(ConnectionError):
        gates.gate().admit("FLOWAAAA")
    gates.table = whole

    gates.passed(gates.gate())


def test_a_report_whose_write_was_done_and_told_as_failed_lets_no_second_probe_follow_the_next_one() -> None:
    gates = Gates()
    gates.paused(EMPTY)
    gates.clock.now += 16
    prober, other = gates.gate(), gates.gate()
    probe = gates.passed(prober)
    whole = gates.table

    class TableWhoseAnswerIsLost(InMemoryTable):
        def update(self, changes: Sequence[Change]) -> list[bool]:
            done = super().update(changes)
            if any(change.key == "#pause/account" for change in changes) and gates.table is not whole:
                gates.table = whole
                gates.clock.now += 2
                gates.passed(other)  # becomes the next probe, while the SDK tries again
                return [False]
            return done

    lossy = TableWhoseAnswerIsLost()
    lossy.items = whole.items
    gates.table = lossy
    vars(vars(prober)["_items"])["_table"] = lossy
    prober.report("FLOWAAAA", probe, Passed(is_accepted=False, is_about_calls=True), "v1")

    gates.held(gates.gate())
