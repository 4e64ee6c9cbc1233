"""Log lines and metrics about what is paused, what waits for it, and the rate budget."""

import pytest

from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed, CallsHeld, CallsWaiting, Paused, PausesSeen, Resumed
from tests.support.telling import SERVICE, Observe, metrics_in

SINCE_MS = 1_795_408_200_000


def held(scope: Scope, reason: str = "NO_ANSWER", seconds: float = 300.0, since_ms: int = SINCE_MS) -> CallsHeld:
    return CallsHeld(reason, None, scope, "FLOWAAAA", 2, 7, seconds, since_ms)


@pytest.mark.parametrize(("scope", "paused"), [(Scope.ACCOUNT, "account"), (Scope.FLOW, "FLOWAAAA")])
def test_calls_that_are_held_are_a_line_with_what_is_paused_why_and_since_when(
    observe: Observe, scope: Scope, paused: str
) -> None:
    [line], _ = observe(held(scope))

    assert (line["level"], line["message"], line["flow_id"]) == ("INFO", "calls held", "FLOWAAAA")
    assert (line["paused"], line["reason"], line["since"]) == (paused, "NO_ANSWER", "2026-11-23T04:30:00+00:00")


def test_calls_that_come_while_something_is_paused_are_told_as_waiting_for_it(observe: Observe) -> None:
    [line], lines = observe(CallsWaiting("message-1", "MAINTENANCE", 1, 302.0, "FLOWAAAA", scope=Scope.FLOW))

    assert (line["level"], line["message"], line["paused"]) == ("INFO", "calls waiting", "FLOWAAAA")
    assert ("MessagesWaitingOnFlow", "Count", (SERVICE,), [1.0]) in metrics_in(lines)


def test_nobody_knows_since_when_if_an_operator_did_not_write_it(observe: Observe) -> None:
    [line], _ = observe(held(Scope.FLOW, "MAINTENANCE", since_ms=0))

    assert (line["reason"], line["since"]) == ("MAINTENANCE", "")


def test_calls_that_wait_for_room_are_a_line_for_whoever_debugs_and_nothing_is_paused(observe: Observe) -> None:
    [line], _ = observe(held(Scope.REQUEST, "RATE_LIMITED", since_ms=0))

    assert line["level"] == "DEBUG"
    assert "paused" not in line


def test_held_messages_count_as_waiting_for_what_holds_them(observe: Observe) -> None:
    _, lines = observe(held(Scope.ACCOUNT), held(Scope.FLOW), held(Scope.FLOW), held(Scope.REQUEST, "RATE_LIMITED"))

    assert metrics_in(lines) == [
        ("Calls", "Count", (("Status", "WAITING"), SERVICE), [28.0]),
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [2.0]),
        ("MessagesWaitingOnFlow", "Count", (SERVICE,), [4.0]),
        ("MessagesWaitingOnRate", "Count", (SERVICE,), [2.0]),
        ("RetryInSeconds", "Seconds", (SERVICE,), [300.0]),
    ]


def test_the_next_try_is_that_of_the_last_to_come_back(observe: Observe) -> None:
    _, lines = observe(
        held(Scope.FLOW, seconds=20.0),
        CallsWaiting("message-1", "NO_ANSWER", 1, 450.0, "FLOWAAAA"),
        held(Scope.FLOW, seconds=30.0),
    )

    assert ("RetryInSeconds", "Seconds", (SERVICE,), [450.0]) in metrics_in(lines)


def test_what_is_paused_is_measured_and_what_is_not_says_zero(observe: Observe) -> None:
    _, lines = observe(PausesSeen(None, 61.2))

    assert metrics_in(lines) == [
        ("AccountPausedSeconds", "Seconds", (SERVICE,), [0.0]),
        ("FlowPausedSeconds", "Seconds", (SERVICE,), [61.0]),
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [0.0]),
    ]


def test_a_pause_is_a_line_when_it_begins_and_when_it_ends(observe: Observe) -> None:
    [began, ended], _ = observe(
        Paused("", "INSUFFICIENT_BALANCE", 212, SINCE_MS), Resumed("", "INSUFFICIENT_BALANCE", 90)
    )

    assert (began["level"], began["message"], began["paused"], began["code"]) == ("WARNING", "paused", "account", 212)
    assert began["since"] == "2026-11-23T04:30:00+00:00"
    assert (ended["level"], ended["message"], ended["paused"]) == ("INFO", "resumed", "account")
    assert ended["paused_seconds"] == 90


def test_of_the_budget_the_most_that_was_used_is_told_and_by_each_invocation_anew(observe: Observe) -> None:
    _, first = observe(BudgetUsed(0.25), BudgetUsed(1.0), BudgetUsed(0.5))
    _, second = observe(BudgetUsed(0.25))

    assert metrics_in(first) == [("RateBudgetPercent", "Percent", (SERVICE,), [100.0])]
    assert metrics_in(second) == [("RateBudgetPercent", "Percent", (SERVICE,), [25.0])]
