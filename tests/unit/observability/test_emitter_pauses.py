"""Log lines and metrics about what is paused, what waits for it, and the rate budget."""

import pytest

from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import BudgetUsed, CallsWaiting, MessagesDeferred, Paused, PauseSeen, Resumed
from tests.support.telemetry_lines import SERVICE, Observe, metrics_in

SINCE_MS = 1_795_408_200_000


def deferred(scope: Scope, reason: str = "NO_ANSWER") -> MessagesDeferred:
    return MessagesDeferred(reason, None, scope, "FLOWAAAA", 2, 7, 300.0)


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.FLOW])
def test_messages_deferred_by_a_pause_are_an_info_line(observe: Observe, scope: Scope) -> None:
    [line], _ = observe(deferred(scope))

    assert (line["level"], line["message"], line["flow_id"]) == ("INFO", "messages deferred", "FLOWAAAA")
    assert (line["scope"], line["reason"], line["calls"]) == (scope, "NO_ANSWER", 7)


def test_new_calls_of_a_paused_flow_are_counted_as_waiting_for_it(observe: Observe) -> None:
    [line], lines = observe(CallsWaiting("message-1", "MAINTENANCE", 1, 302.0, "FLOWAAAA", scope=Scope.FLOW))

    assert (line["level"], line["message"], line["scope"]) == ("INFO", "calls waiting", "flow")
    assert ("MessagesWaitingOnFlow", "Count", (SERVICE,), [1.0]) in metrics_in(lines)


def test_messages_over_the_rate_limit_are_a_debug_line(observe: Observe) -> None:
    [line], _ = observe(deferred(Scope.REQUEST, "RATE_LIMITED"))

    assert (line["level"], line["message"]) == ("DEBUG", "messages deferred")


@pytest.mark.parametrize(("flow_id", "pause_of"), [("", "account"), ("FLOWAAAA", "FLOWAAAA")])
@pytest.mark.parametrize(
    ("reason", "since_ms", "state"),
    [
        ("INVALID_GATEWAY_ID", SINCE_MS, ("paused", "2026-11-23 04:30:00")),
        ("MAINTENANCE", 0, ("paused", "")),
        ("", 0, ("delivering", "")),
    ],
)
def test_pause_seen_is_a_line_that_says_paused_or_delivering(
    observe: Observe, flow_id: str, pause_of: str, reason: str, since_ms: int, state: tuple[str, str]
) -> None:
    [line], _ = observe(PauseSeen(flow_id, reason, None, since_ms))

    assert (line["level"], line["message"], line["pause_of"]) == ("INFO", "pause seen", pause_of)
    assert (line["state"], line["since"]) == state
    assert line["reason"] == reason


def test_deferred_messages_count_as_waiting_for_what_is_paused(observe: Observe) -> None:
    _, lines = observe(
        deferred(Scope.ACCOUNT), deferred(Scope.FLOW), deferred(Scope.FLOW), deferred(Scope.REQUEST, "RATE_LIMITED")
    )

    assert metrics_in(lines) == [
        ("MessagesWaitingOnAccount", "Count", (SERVICE,), [2.0]),
        ("MessagesWaitingOnFlow", "Count", (SERVICE,), [4.0]),
        ("MessagesWaitingOnRate", "Count", (SERVICE,), [2.0]),
    ]


def test_pause_is_a_line_at_its_beginning_and_one_at_its_end(observe: Observe) -> None:
    [began, ended], metrics = observe(
        Paused("", "INSUFFICIENT_BALANCE", 212, SINCE_MS), Resumed("", "INSUFFICIENT_BALANCE", 90)
    )

    assert (began["level"], began["message"], began["code"]) == ("WARNING", "paused", 212)
    assert (began["pause_of"], began["state"], began["since"]) == ("account", "paused", "2026-11-23 04:30:00")
    assert (ended["level"], ended["message"]) == ("INFO", "resumed")
    assert (ended["pause_of"], ended["state"], ended["since"]) == ("account", "delivering", "")
    assert ended["paused_seconds"] == 90
    assert metrics == []


def test_budget_used_is_the_highest_of_each_invocation(observe: Observe) -> None:
    _, first = observe(BudgetUsed(0.25), BudgetUsed(1.0), BudgetUsed(0.5))
    _, second = observe(BudgetUsed(0.25))

    assert metrics_in(first) == [("RateBudgetPercent", "Percent", (SERVICE,), [100.0])]
    assert metrics_in(second) == [("RateBudgetPercent", "Percent", (SERVICE,), [25.0])]
