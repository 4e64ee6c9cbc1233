"""What each answer says about other requests."""

import pytest

from sealed_relay.admission.health_signal import Failed, HealthSignal, Passed, Refused, health_signal_of
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import CODES, Scope, Verdict

PAUSING = [code for code in CODES.values() if code.verdict is Verdict.PAUSE]


def signal(answer: Answer, *, has_fresh_secret: bool = False, is_current_secret: bool = True) -> HealthSignal:
    return health_signal_of(answer, has_fresh_secret=has_fresh_secret, is_current_secret=is_current_secret)


@pytest.mark.parametrize("code", PAUSING, ids=str)
def test_pausing_code_refuses_its_whole_scope(code: object) -> None:
    assert isinstance(code, type(CODES[200]))
    assert signal(Answered(code.number)) == Refused(code.scope, code.name, code.number)


def test_wrong_security_id_refuses_the_flow_after_the_secret_was_fetched() -> None:
    assert signal(Answered(202)) == Passed(is_accepted=False, is_about_calls=True)
    assert signal(Answered(202), has_fresh_secret=True) == Refused(Scope.FLOW, "INVALID_SECURITY_ID", 202)


@pytest.mark.parametrize("number", [202, 203, 301])
def test_refusal_of_an_old_secret_does_not_refuse_the_flow(number: int) -> None:
    assert isinstance(signal(Answered(number), has_fresh_secret=True, is_current_secret=False), Passed)


@pytest.mark.parametrize("number", [211, 212, 401])
def test_refusal_of_the_account_counts_with_an_old_secret_too(number: int) -> None:
    assert isinstance(signal(Answered(number), is_current_secret=False), Refused)


def test_wrong_address_refuses_the_account() -> None:
    assert signal(WrongAddress("")) == Refused(Scope.ACCOUNT, "WRONG_ADDRESS")


def test_no_answer_is_a_failure_with_the_time_to_wait() -> None:
    assert signal(Ambiguous("")) == Failed("NO_ANSWER")
    assert signal(NotSent("", 7.0)) == Failed("NOT_SENT", 7.0)


@pytest.mark.parametrize("answer", [Answered(999), Answered(202, is_contradicted=True)])
def test_ambiguous_answer_is_a_failure(answer: Answered) -> None:
    assert signal(answer) == Failed("NO_ANSWER")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered(200), Passed(is_accepted=True)),
        (Answered(209, {"a": ""}), Passed(is_accepted=True, is_about_calls=True)),
        (Answered(209), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(201), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(205), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(500), Passed(is_accepted=False)),
        (Answered(208), Passed(is_accepted=False)),
    ],
)
def test_any_other_answer_passes(answer: Answer, expected: HealthSignal) -> None:
    assert signal(answer) == expected
