"""Which number an observation counts in; that names and dimensions are right is tested over the template."""

from itertools import product

import pytest

from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.answer import Answered
from sealed_relay.kairos.codes import CODES, Scope
from sealed_relay.kairos.conclusive import Circumstances
from sealed_relay.kairos.verdict import conclude
from sealed_relay.observability.metrics import (
    FAILED_MESSAGES,
    WAITING_ON_ACCOUNT,
    WAITING_ON_FLOW,
    WAITING_ON_RATE,
    Metric,
    answer_value,
    is_failed_request,
    waiting_metric,
)


def test_reason_that_can_fail_a_call_is_a_value_of_the_metric() -> None:
    answers = [
        Answered(code, {"other": "uuid"}, is_contradicted=is_contradicted, is_list_trusted=is_list_trusted)
        for code, is_contradicted, is_list_trusted in product([*CODES, 999], (True, False), (True, False))
    ]
    conclusions = [
        conclude(
            answer,
            Circumstances(is_resend=is_resend, may_be_resent=False),
            ["call"],
            calls_in_request=1,
            has_fresh_secret=True,
            may_retry=lambda _: False,
        )
        for answer, is_resend in product(answers, (True, False))
    ]
    outcomes = [outcome for conclusion in conclusions for outcome in conclusion.outcomes.values()]
    reasons = {outcome.reason for outcome in outcomes if outcome.status.is_failure}
    own = {Reason.INVALID_MESSAGE, Reason.UNKNOWN_FLOW, Reason.CLIENT_IDENTIFIER_REUSED, Reason.EXPIRED}
    # No client makes a trusted list without the only call of its request.
    assert (reasons | own) - {"PARTIAL_SUCCESS"} == set(FAILED_MESSAGES.values)


@pytest.mark.parametrize(
    ("reason", "metric"),
    [
        ("INSUFFICIENT_BALANCE", WAITING_ON_ACCOUNT),
        ("IP_NOT_WHITELISTED", WAITING_ON_ACCOUNT),
        ("INVALID_SECURITY_ID", WAITING_ON_FLOW),
        ("NO_MASK_AVAILABLE", WAITING_ON_FLOW),
        (Reason.FLOW_SECRET_UNUSABLE, WAITING_ON_FLOW),
        ("FAILURE", None),
        (Reason.NO_ANSWER, None),
        (Reason.OUT_OF_TIME, None),
        (Reason.RATE_LIMITED, WAITING_ON_RATE),
    ],
)
def test_messages_that_wait_for_people_are_counted_by_scope(reason: str, metric: Metric | None) -> None:
    assert waiting_metric(reason) is metric


@pytest.mark.parametrize(
    "reason", [Reason.NO_ANSWER, Reason.RATE_LIMITED, "INVALID_SECURITY_ID", "an operator's own words"]
)
def test_paused_messages_are_counted_by_the_scope_of_the_pause(reason: str) -> None:
    assert waiting_metric(reason, Scope.ACCOUNT) is WAITING_ON_ACCOUNT
    assert waiting_metric(reason, Scope.FLOW) is WAITING_ON_FLOW


@pytest.mark.parametrize(
    "result",
    ["FAILURE_FROM_GATEWAY", "FAILURE", "UNKNOWN_CODE", Reason.NOT_SENT, Reason.NO_ANSWER, Reason.WRONG_ADDRESS],
)
def test_failure_without_fault_of_a_call_or_flow_counts_as_failed_request(result: str) -> None:
    assert is_failed_request(result)


@pytest.mark.parametrize("result", ["SUCCESS", "CHECKSUM_REPEATED", "MAX_DATA_LIST_SIZE_EXCEEDED", "INVALID_FLOW_ID"])
def test_refusal_with_a_cause_is_not_counted_as_failed_request(result: str) -> None:
    assert not is_failed_request(result)


def test_undocumented_codes_share_one_value() -> None:
    assert (answer_value(401, "IP_NOT_WHITELISTED"), answer_value(999, "UNKNOWN_CODE")) == (
        "401 IP_NOT_WHITELISTED",
        "UNKNOWN_CODE",
    )
    assert answer_value(None, Reason.NO_ANSWER) == "NO_ANSWER"
