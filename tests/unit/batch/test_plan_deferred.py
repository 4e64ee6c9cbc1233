"""Calls of deferred requests go back untouched, unless their records must say something."""

from dataclasses import replace

import pytest

from sealed_relay.admission.control import Deferral
from sealed_relay.batch.plan import DeferredCalls, PlannedRequest, sort_out_deferred
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.codes import Scope
from tests.support.messages import make_call

PAUSED = Deferral(Outcome(Status.WAITING, "DID_NOT_MAPPED", 207), 60.0, scope=Scope.FLOW)
RATE_LIMITED = Deferral(Outcome(Status.WAITING, Reason.RATE_LIMITED), 20.0, is_brief=True)
NO_SECRET = Outcome(Status.WAITING, Reason.FLOW_SECRET_UNUSABLE)
UNKNOWN_FLOW = Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW)
NEW, OLD = make_call("new"), replace(make_call("old"), receive_count=2)


def request(*calls: Call, unsent: Outcome | None = None) -> PlannedRequest:
    return PlannedRequest("r-1", "FLOWAAAA", calls, unsent)


def sort_out(
    planned: PlannedRequest, why: Deferral | None = None, *late: Call
) -> tuple[list[PlannedRequest], list[DeferredCalls]]:
    return sort_out_deferred([planned], {"r-1": why} if why else {}, lambda call: call in late)


@pytest.mark.parametrize("unsent", [None, UNKNOWN_FLOW], ids=["to send", "rejected"])
def test_request_without_a_deferral_is_claimed_as_planned(unsent: Outcome | None) -> None:
    planned = request(NEW, OLD, unsent=unsent)

    assert sort_out(planned) == ([planned], [])


def test_calls_without_a_permit_go_back_untouched() -> None:
    planned = request(NEW, OLD)

    assert sort_out(planned, RATE_LIMITED) == ([], [DeferredCalls(RATE_LIMITED, "FLOWAAAA", (NEW, OLD))])


def test_pause_is_recorded_for_calls_at_their_first_receive_alone() -> None:
    to_claim, deferred = sort_out(request(NEW, OLD), PAUSED)

    assert to_claim == [PlannedRequest("r-1", "FLOWAAAA", (NEW,), PAUSED)]
    assert deferred == [DeferredCalls(PAUSED, "FLOWAAAA", (OLD,))]


@pytest.mark.parametrize("why", [PAUSED, RATE_LIMITED], ids=["paused", "rate limited"])
def test_late_call_is_claimed_although_its_request_is_deferred(why: Deferral) -> None:
    assert sort_out(request(OLD), why, OLD) == ([PlannedRequest("r-1", "FLOWAAAA", (OLD,), why)], [])


def test_calls_of_a_flow_without_a_usable_secret_wait_as_in_a_pause() -> None:
    why = Deferral(NO_SECRET, 0.0, scope=Scope.FLOW)

    to_claim, deferred = sort_out(request(NEW, OLD, unsent=NO_SECRET))

    assert to_claim == [PlannedRequest("r-1", "FLOWAAAA", (NEW,), why)]
    assert deferred == [DeferredCalls(why, "FLOWAAAA", (OLD,))]
