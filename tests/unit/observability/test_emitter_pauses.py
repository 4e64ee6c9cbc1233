"""Log lines and metrics about what is paused, what waits for it, and the rate budget."""

import pytest

from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed, CallsWaiting, MessagesDeferred, Paused, Resumed
from tests.support.telemetry_lines import SERVICE, Observe, metrics_in

SINCE_MS = 1_795_408_200_000


def deferred(
    scope: Scope, reason: str = "NO_ANSWER", seconds: float = 300.0, since_ms: int = SINCE_MS
) -> MessagesDeferred:
    return MessagesDeferred(reason, None, scope, "FLOWAAAA", 2, 7, seconds, since_ms)


@pytest.mark.parametrize(("scope", "paused"), [(Scope.ACCOUNT, "account"), (Scope.FLOW, "FLOWAAAA")])
def test_deferred_messages_are_a_line_with_what_is_paused_why_and_since(
    observe: Observe, scope: Scope, paused: str
) -> None:
    [line], _ = observe(deferred(scope))

    assert (line["level"], line["message"], line["flow_id"]) == ("INFO", "messages deferred", "FLOWAAAA")
    assert (line["paused"], line["reason"], line["since"]) == (paused, "NO_ANSWER", "2026-11-23T04:30:00+00:00")


def test_new_calls_of_a_paused_flow_are_counted_as_waiting_for_it(observe: Observe) -> None:
    [line], lines = observe(CallsWaiting("message-1", "MAINTENANCE", 1, 302.0, "FLOWAAAA", scope=Scope.FLOW))

    assert (line["level"], line["message"], line["paused"]) == ("INFO", "calls waiting", "FLOWAAAA")
    assert ("MessagesWaitingOnFlow", "Count", (SERVICE,), [1.0]) in metrics_in(lines)


def test_pause_without_since_ms_is_a_line_with_an_empty_since(observe: Observe) -> None:
    [line], _ = observe(deferred(Scope.FLOW, "MAINTENANCE", since_ms=0))

    assert (line["reason"], line["since"]) == ("MAINTENANCE", "")


def test_messages_over_the_rate_limit_are_a_debug_line_without_paused(observe: Observe) -> None:
    [line], _ = observe(deferred(Scope.REQUEST, "RATE_LIMITED", since_ms=0))

    assert line["level"] == "DEBUG"
    assert "paused" not in line


def test_deferred_messages_count_as_waiting_for_what_is_paused(observe: Observe) -> None:
    _, lines = observe(
        deferred(Scope.ACCOUNT), deferred(Scope.FLOW), deferred(Scope.FLOW), deferred(Scope.REQUEST, "RATE_LIMITED")
    )

    assert metrics_in(lines) == [
        ("Calls", "Count", (("Status", "WAITING"), SERVICE), [28.0]),
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [2.0]),
        ("MessagesWaitingOnFlow", "Count", (SERVICE,), [4.0]),
        ("MessagesWaitingOnRate", "Count", (SERVICE,), [2.0]),
        ("RetryInSeconds", "Seconds", (SERVICE,), [300.0]),
    ]


def test_retry_in_seconds_is_that_of_the_last_message_to_come_back(observe: Observe) -> None:
    _, lines = observe(
        deferred(Scope.FLOW, seconds=20.0),
        CallsWaiting("message-1", "NO_ANSWER", 1, 450.0, "FLOWAAAA"),
        deferred(Scope.FLOW, seconds=30.0),
    )

    assert ("RetryInSeconds", "Seconds", (SERVICE,), [450.0]) in metrics_in(lines)


def test_pause_is_a_line_at_its_beginning_and_one_at_its_end(observe: Observe) -> None:
    [began, ended], metrics = observe(
        Paused("", "INSUFFICIENT_BALANCE", 212, SINCE_MS), Resumed("", "INSUFFICIENT_BALANCE", 90)
    )

    assert (began["level"], began["message"], began["paused"], began["code"]) == ("WARNING", "paused", "account", 212)
    assert began["since"] == "2026-11-23T04:30:00+00:00"
    assert (ended["level"], ended["message"], ended["paused"]) == ("INFO", "resumed", "account")
    assert ended["paused_seconds"] == 90
    assert metrics == []


def test_budget_used_is_the_highest_of_each_invocation(observe: Observe) -> None:
    _, first = observe(BudgetUsed(0.25), BudgetUsed(1.0), BudgetUsed(0.5))
    _, second = observe(BudgetUsed(0.25))

    assert metrics_in(first) == [("RateBudgetPercent", "Percent", (SERVICE,), [100.0])]
    assert metrics_in(second) == [("RateBudgetPercent", "Percent", (SERVICE,), [25.0])]
