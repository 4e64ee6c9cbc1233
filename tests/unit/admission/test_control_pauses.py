"""Admission and pauses: which request is deferred, which is the probe, and what its answer changes for all."""

from collections.abc import Sequence

from sealed_relay.admission.control import Admission, Deferral
from sealed_relay.admission.health_signal import Failed, Passed, Refused
from sealed_relay.admission.shared_item import FRESH_SECONDS
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed, Paused, Resumed
from sealed_relay.ports import Change
from tests.support.gates import Gates, Permit
from tests.support.scripted_table import ScriptedTable, Write
from tests.support.table import InMemoryTable

EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
WRONG_ID = Refused(Scope.FLOW, "INVALID_SECURITY_ID", 202)
NO_ANSWER = Failed("NO_ANSWER")
ACCEPTED = Passed(is_accepted=True)
ABOUT_ITS_CALLS = Passed(is_accepted=False, is_about_calls=True)


def test_refused_flow_defers_itself_and_refused_account_every_flow() -> None:
    gates = Gates()
    gates.report(WRONG_ID)

    assert gates.deferral(gates.gate()).outcome.code == 202
    gate = gates.gate()
    gate.report("FLOWBBBB", gates.permit(gate, "FLOWBBBB").probes, EMPTY, "v1")
    deferral = gates.deferral(gates.gate(), "FLOWBBBB")
    assert (deferral.outcome.code, deferral.scope) == (212, Scope.ACCOUNT)


def test_only_one_of_several_invocations_gets_the_probe() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    all_gates = [gates.gate() for _ in range(5)]
    for gate in all_gates:
        gate.look(["FLOWAAAA"])

    answers = [gates.ask(gate) for gate in all_gates]

    assert [isinstance(answer, Permit) for answer in answers] == [True, False, False, False, False]
    assert isinstance(answers[0], Permit)
    assert list(answers[0].probes) == [""]


def test_probe_that_another_invocation_writes_first_is_lost() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    whole = gates.table

    class TableWhereAnotherIsFaster(InMemoryTable):
        def update(self, changes: Sequence[Change]) -> list[bool]:
            if gates.table is not whole and any(change.key == "#pause/account" for change in changes):
                gates.table = whole
                gates.permit(gates.gate())
            return super().update(changes)

    gates.table = TableWhereAnotherIsFaster()
    gates.table.items = whole.items

    assert gates.deferral(gates.gate()).outcome.code == 212


def test_forecast_defers_a_paused_flow_until_a_probe_is_due() -> None:
    gates = Gates()
    gates.report(WRONG_ID)
    gate = gates.gate()
    flow_ids = ["FLOWAAAA", "FLOWBBBB", "FLOWAAAA"]
    gate.look(flow_ids)
    before = gate.forecast(flow_ids)
    gates.clock.now += 16

    due = gate.forecast(flow_ids)

    assert [deferral is None for deferral in before] == [False, True, False]
    assert due == [None, None, None]


def test_probe_given_back_by_a_repeated_write_leaves_the_next_probe_alone() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    table = ScriptedTable(gates.table)
    gate = Admission(table, gates.clock, gates.clock.pause, gates.observed.append, 500, 0)
    probes = gates.permit(gate).probes

    def repeat_after_another_probe(write: Write) -> bool:
        write()
        gates.permit(gates.gate())
        return write()

    table.at_write(repeat_after_another_probe, "#pause/account", times=1)
    gate.give_back(probes)

    assert isinstance(gates.ask(gates.gate()), Deferral)


def test_accepted_probe_resumes_for_every_invocation() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    gates.report(ACCEPTED)

    gates.permit(gates.gate())
    gates.permit(gates.gate(), "FLOWBBBB")

    assert [type(each) for each in gates.observed if not isinstance(each, BudgetUsed)] == [Paused, Resumed]
    assert Resumed("", "INSUFFICIENT_BALANCE", 16) in gates.observed


def test_probe_of_the_account_that_its_flow_fails_leaves_the_next_probe_to_another_flow() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    gates.report(WRONG_ID)

    assert gates.deferral(gates.gate(), "FLOWAAAA").outcome.code == 202
    assert list(gates.permit(gates.gate(), "FLOWBBBB").probes) == [""]


def test_probe_given_back_is_followed_by_another_at_once() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    gate = gates.gate()
    gate.give_back(gates.permit(gate).probes)

    assert list(gates.permit(gates.gate()).probes) == [""]


def test_failures_in_a_row_are_counted_over_all_invocations() -> None:
    gates = Gates()
    gates.report(NO_ANSWER, times=5)

    assert gates.deferral(gates.gate(), "FLOWBBBB").outcome.reason == "NO_ANSWER"


def test_accepted_request_without_pauses_writes_only_its_permit() -> None:
    gates = Gates()

    gates.report(ACCEPTED)

    assert list(gates.table.items) == ["#permits"]


def test_deleted_pause_resumes_within_a_second_for_an_invocation_that_read_it() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    del gates.table.items["#pause/account"]
    gates.clock.now += FRESH_SECONDS

    assert gates.permit(gate).probes == {}


def test_resend_never_probes_a_refusal() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 86_400

    assert isinstance(gates.ask(gates.gate(), is_resend=True), Deferral)
    assert isinstance(gates.ask(gates.gate()), Permit)


def test_resend_probes_an_outage() -> None:
    gates = Gates()
    gates.report(NO_ANSWER, times=5)
    gates.clock.now += 16

    assert isinstance(gates.ask(gates.gate(), is_resend=True), Permit)


def test_late_answer_leaves_the_pause_of_an_operator_as_it_is() -> None:
    gates = Gates()
    gate = gates.gate()
    permit = gates.permit(gate)
    item = {"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(item)
    gate.look(["FLOWAAAA"])

    gate.report("FLOWAAAA", permit.probes, WRONG_ID, "v1")

    assert gates.table.items["#pause/flow/FLOWAAAA"] == item


def test_changed_secret_ends_the_pause_of_the_refused_secret_and_no_other() -> None:
    gates = Gates()
    gates.report(WRONG_ID)
    gate = gates.gate()
    gate.look(["FLOWAAAA"])
    by_hand = {"call_id": "#pause/flow/FLOWAAAA", "reason": "MAINTENANCE"}
    gates.table.put(by_hand)

    gate.resume("FLOWAAAA", "v1")

    assert gates.table.items["#pause/flow/FLOWAAAA"] == by_hand
    gates.table.items.clear()
    gates.report(WRONG_ID)
    gate.look(["FLOWAAAA"])
    gate.resume("FLOWAAAA", "v1")
    gates.permit(gates.gate())


def test_pause_that_began_since_the_request_passed_defers_it() -> None:
    gates = Gates()
    gate = gates.gate()
    probes = gate.pass_pauses("FLOWAAAA", Lane.INGRESS, is_resend=False)
    gates.clock.now += 2
    gates.report(EMPTY)

    deferral = gate.take_permit("FLOWAAAA", Lane.INGRESS, {})

    assert probes == {}
    assert isinstance(deferral, Deferral)
    assert deferral.outcome.code == 212


def test_probe_answered_about_its_calls_is_followed_by_another_at_once() -> None:
    gates = Gates()
    gates.report(EMPTY)
    gates.clock.now += 16
    gates.report(ABOUT_ITS_CALLS)

    assert list(gates.permit(gates.gate()).probes) == [""]
