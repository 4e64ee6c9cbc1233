"""What each answer says about other requests."""

import pytest

from sealed_relay.admission.health_signal import Failed, Passed, Refused, Sign, sign_of
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import CODES, Scope, Verdict

PAUSING = [code for code in CODES.values() if code.verdict is Verdict.PAUSE]


def sign(answer: Answer, *, is_fresh_secret: bool = False, is_current_secret: bool = True) -> Sign:
    return sign_of(answer, is_fresh_secret=is_fresh_secret, is_current_secret=is_current_secret)


@pytest.mark.parametrize("code", PAUSING, ids=str)
def test_a_code_that_pauses_refuses_its_whole_scope(code: object) -> None:
    assert isinstance(code, type(CODES[200]))
    assert sign(Answered(code.number)) == Refused(code.scope, code.name, code.number)


def test_a_wrong_security_id_refuses_the_flow_once_the_secret_was_fetched_anew() -> None:
    assert sign(Answered(202)) == Passed(is_accepted=False, is_about_calls=True)
    assert sign(Answered(202), is_fresh_secret=True) == Refused(Scope.FLOW, "INVALID_SECURITY_ID", 202)


@pytest.mark.parametrize("number", [202, 203, 301])
def test_a_refusal_of_an_old_secret_is_none_of_the_flow(number: int) -> None:
    assert isinstance(sign(Answered(number), is_fresh_secret=True, is_current_secret=False), Passed)


@pytest.mark.parametrize("number", [211, 212, 401])
def test_a_refusal_of_the_account_is_one_whatever_sealed_the_request(number: int) -> None:
    assert isinstance(sign(Answered(number), is_current_secret=False), Refused)


def test_something_else_at_the_address_refuses_the_account() -> None:
    assert sign(WrongAddress("")) == Refused(Scope.ACCOUNT, "WRONG_ADDRESS")


def test_no_answer_is_a_failure_and_tells_how_long_to_wait() -> None:
    assert sign(Ambiguous("")) == Failed("NO_ANSWER")
    assert sign(NotSent("", 7.0)) == Failed("NOT_SENT", 7.0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered(200), Passed(is_accepted=True)),
        (Answered(209, {"a": ""}), Passed(is_accepted=True, is_about_calls=True)),
        (Answered(209), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(201), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(205), Passed(is_accepted=False, is_about_calls=True)),
        (Answered(500), Passed(is_accepted=False)),
        (Answered(999), Passed(is_accepted=False)),
        (Answered(208), Passed(is_accepted=False)),
    ],
)
def test_any_other_answer_shows_that_the_api_is_there(answer: Answer, expected: Sign) -> None:
    assert sign(answer) == expected
