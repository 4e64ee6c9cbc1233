"""Every code, and every way of having none: one call or several, a first send or a resend, a first try or a second."""

import itertools
from dataclasses import replace

import pytest

from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import CODES, Scope, Verdict, code_of
from sealed_relay.kairos.verdict import Asked, Conclusion, conclude, delivered_by, tells_what_became_of

UNKNOWN = 999
ISOLATED = [205, 210, 213, 400, 402]
PAUSED = [203, 204, 207, 211, 212, 301, 304, 401]
PASSING = [206, 208, 500, UNKNOWN]
HOW = [
    Asked(0, resend, was_refused=refused, is_second_try=second)
    for resend, refused, second in itertools.product([False, True], repeat=3)
    if resend or not refused
]

FIRST_SENDS = [asked for asked in HOW if not asked.is_resend]


def conclusion_on(
    answer: Answer, names: str, asked: Asked = HOW[0], *, calls: int = 0, may_retry: bool = True
) -> Conclusion:
    asked = replace(asked, calls=calls or len(names))
    return conclude(answer, asked, list(names), lambda _: may_retry)


def statuses(conclusion: Conclusion) -> dict[str, Status]:
    return {name: outcome.status for name, outcome in conclusion.outcomes.items()}


def every(names: str, status: Status) -> dict[str, Status]:
    return dict.fromkeys(names, status)


@pytest.mark.parametrize("asked", HOW)
@pytest.mark.parametrize("names", ["a", "abc"])
@pytest.mark.parametrize("number", [*CODES, UNKNOWN])
def test_every_call_gets_just_one_outcome_or_one_place_in_another_request(
    number: int, names: str, asked: Asked
) -> None:
    for may_retry in (True, False):
        conclusion = conclusion_on(Answered(number), names, asked, may_retry=may_retry)

        told = [*conclusion.outcomes, *itertools.chain.from_iterable(conclusion.fresh)]
        assert sorted(told) == sorted(names)
        for outcome in conclusion.outcomes.values():
            reason = Reason.UNRESOLVED if outcome.status is Status.UNRESOLVED else code_of(number).name
            assert (outcome.code, outcome.reason) == (number, reason)
            assert outcome.status is not Status.SENDING


@pytest.mark.parametrize("asked", HOW)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_success_accepts_every_call_with_its_uuid_where_there_is_one(names: str, asked: Asked) -> None:
    conclusion = conclusion_on(Answered(200, {"a": "uuid-a"}), names, asked)

    assert statuses(conclusion) == every(names, Status.ACCEPTED)
    assert [outcome.phonon_uuid for outcome in conclusion.outcomes.values()] == ["uuid-a", "", ""][: len(names)]
    assert not conclusion.fresh


@pytest.mark.parametrize("asked", [asked for asked in HOW if asked.is_resend and asked.was_refused])
def test_a_repeated_checksum_after_a_refused_resend_may_be_that_ones_and_nothing_will_ever_tell(asked: Asked) -> None:
    conclusion = conclusion_on(Answered(201), "abc", asked)

    assert statuses(conclusion) == every("abc", Status.UNRESOLVED)
    assert not conclusion.fresh
    assert not tells_what_became_of(Answered(201), asked)


@pytest.mark.parametrize("asked", [asked for asked in HOW if asked.is_resend and not asked.was_refused])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_a_repeated_checksum_on_a_resend_presumes_that_the_first_send_was_accepted(names: str, asked: Asked) -> None:
    conclusion = conclusion_on(Answered(201), names, asked)

    assert statuses(conclusion) == every(names, Status.PRESUMED_ACCEPTED)
    assert not conclusion.fresh


@pytest.mark.parametrize("names", ["a", "abc"])
def test_a_repeated_checksum_on_a_first_send_is_retried_fresh_once_and_then_rejected(names: str) -> None:
    first = conclusion_on(Answered(201), names)
    second = conclusion_on(Answered(201), names, Asked(0, is_resend=False, is_second_try=True))

    assert (first.fresh, first.is_second_try, first.refresh_secret) == ([list(names)], True, False)
    assert not first.outcomes
    assert statuses(second) == every(names, Status.REJECTED)
    assert not second.fresh


@pytest.mark.parametrize("names", ["a", "abc"])
def test_an_invalid_security_id_fetches_the_secret_anew_once_and_then_pauses(names: str) -> None:
    first = conclusion_on(Answered(202), names, Asked(0, is_resend=False, is_second_try=False))
    second = conclusion_on(Answered(202), names, Asked(0, is_resend=False, is_second_try=True))

    assert (first.fresh, first.is_second_try, first.refresh_secret) == ([list(names)], True, True)
    assert statuses(second) == every(names, Status.WAITING)
    assert not second.fresh


@pytest.mark.parametrize(
    ("number", "asked"), [each for each in itertools.product(ISOLATED, HOW) if each[0] != 400 or not each[1].is_resend]
)
def test_a_call_at_fault_is_isolated_by_halving_and_alone_it_is_rejected(number: int, asked: Asked) -> None:
    several = conclusion_on(Answered(number), "abcde", asked)
    alone = conclusion_on(Answered(number), "a", asked)

    assert several.fresh == [["a", "b", "c"], ["d", "e"]]
    assert not several.outcomes
    assert not several.is_second_try
    assert statuses(alone) == {"a": Status.REJECTED}
    assert not alone.fresh


@pytest.mark.parametrize("asked", FIRST_SENDS)
def test_a_request_that_is_too_large_is_halved_and_alone_a_call_is_rejected(asked: Asked) -> None:
    assert conclusion_on(Answered(303), "abcde", asked).fresh == [["a", "b", "c"], ["d", "e"]]
    assert statuses(conclusion_on(Answered(303), "a", asked)) == {"a": Status.REJECTED}


@pytest.mark.parametrize("number", [*ISOLATED, 303, 209])
def test_one_of_several_calls_is_not_blamed_though_it_is_the_only_one_held(number: int) -> None:
    conclusion = conclusion_on(Answered(number), "a", calls=5)

    assert conclusion.fresh == [["a"]]
    assert not conclusion.outcomes


@pytest.mark.parametrize("asked", HOW)
def test_of_a_partial_success_the_listed_are_accepted_and_the_others_isolated(asked: Asked) -> None:
    conclusion = conclusion_on(Answered(209, {"b": "uuid-b", "d": ""}), "abcde", asked)

    assert statuses(conclusion) == {"b": Status.ACCEPTED, "d": Status.ACCEPTED}
    assert conclusion.outcomes["b"].phonon_uuid == "uuid-b"
    assert conclusion.fresh == [["a", "c"], ["e"]]


@pytest.mark.parametrize("asked", HOW)
def test_a_call_that_alone_is_no_partial_success_is_rejected(asked: Asked) -> None:
    assert statuses(conclusion_on(Answered(209), "a", asked)) == {"a": Status.REJECTED}
    assert statuses(conclusion_on(Answered(209, {"a": ""}), "a", asked)) == {"a": Status.ACCEPTED}


@pytest.mark.parametrize("asked", HOW)
@pytest.mark.parametrize("names", ["a", "abc"])
@pytest.mark.parametrize("number", PAUSED)
def test_paused_calls_wait_however_often_they_were_tried(number: int, names: str, asked: Asked) -> None:
    conclusion = conclusion_on(Answered(number), names, asked, may_retry=False)

    assert statuses(conclusion) == every(names, Status.WAITING)
    assert not conclusion.fresh


@pytest.mark.parametrize("asked", FIRST_SENDS)
@pytest.mark.parametrize("names", ["a", "abc"])
@pytest.mark.parametrize("number", PASSING)
def test_a_passing_failure_waits_to_be_retried_fresh_up_to_a_limit(number: int, names: str, asked: Asked) -> None:
    waiting = conclusion_on(Answered(number), names, asked)
    rejected = conclusion_on(Answered(number), names, asked, may_retry=False)

    assert statuses(waiting) == every(names, Status.WAITING)
    assert statuses(rejected) == every(names, Status.REJECTED)
    assert not waiting.fresh
    assert not rejected.fresh


def test_the_limit_of_retries_is_each_calls_own() -> None:
    conclusion = conclude(Answered(500), Asked(2, is_resend=False, is_second_try=False), ["a", "b"], "a".__eq__)

    assert statuses(conclusion) == {"a": Status.WAITING, "b": Status.REJECTED}


@pytest.mark.parametrize("asked", FIRST_SENDS)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_an_empty_call_list_is_rejected(names: str, asked: Asked) -> None:
    assert statuses(conclusion_on(Answered(302), names, asked)) == every(names, Status.REJECTED)


def test_no_code_of_the_table_was_left_out_here() -> None:
    assert {200, 201, 202, 209, 302, 303, *ISOLATED, *PAUSED, *PASSING} == {*CODES, UNKNOWN}


@pytest.mark.parametrize("asked", HOW)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NotSent("why", 7.0), "NOT_SENT"),
        (Ambiguous("why"), "NO_ANSWER"),
        (WrongAddress("why"), "WRONG_ADDRESS"),
    ],
)
def test_without_a_verdict_every_call_waits(answer: Answer, reason: str, asked: Asked) -> None:
    conclusion = conclusion_on(answer, "abc", asked, may_retry=False)

    assert conclusion.outcomes == dict.fromkeys("abc", Outcome(Status.WAITING, reason, detail="why"))
    assert not conclusion.fresh


@pytest.mark.parametrize("number", [*ISOLATED, 209])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_what_the_api_judged_on_another_day_than_it_was_sealed_for_is_sealed_anew(number: int, names: str) -> None:
    conclusion = conclusion_on(Answered(number), names, replace(HOW[0], is_same_day=False))

    assert conclusion.fresh == [list(names)]


@pytest.mark.parametrize("is_resend", [False, True])
@pytest.mark.parametrize("number", [*CODES, UNKNOWN])
def test_only_three_verdicts_ever_deliver_a_call(number: int, *, is_resend: bool) -> None:
    listed = delivered_by(Answered(number, {"a": "uuid"}), "a", is_resend=is_resend)
    unlisted = delivered_by(Answered(number, {"a": "uuid"}), "b", is_resend=is_resend)

    verdict = code_of(number).verdict
    assert (listed is not None) == (
        verdict in {Verdict.ACCEPT, Verdict.ACCEPT_LISTED} or (verdict is Verdict.PRESUME_ACCEPTED and is_resend)
    )
    assert (unlisted is not None) == (listed is not None and verdict is not Verdict.ACCEPT_LISTED)
    assert all(outcome is None or outcome.status.is_delivered for outcome in (listed, unlisted))


def test_a_code_about_a_flow_or_an_account_never_ends_a_call_on_its_first_tries() -> None:
    for code in CODES.values():
        if code.scope in {Scope.FLOW, Scope.ACCOUNT}:
            for asked in HOW:
                assert not any(
                    status.is_final for status in statuses(conclusion_on(Answered(code.number), "ab", asked)).values()
                )


@pytest.mark.parametrize("number", [202, 203, 304, 400])
@pytest.mark.parametrize(
    ("is_current", "status"), [(True, Status.WAITING), (None, Status.WAITING), (False, Status.UNRESOLVED)]
)
def test_a_resend_that_is_refused_for_its_old_secret_will_always_be(
    number: int, status: Status, *, is_current: bool | None
) -> None:
    asked = Asked(0, is_resend=True, is_current_secret=is_current)

    assert statuses(conclusion_on(Answered(number), "ab", asked)) == every("ab", status)


@pytest.mark.parametrize("asked", [asked for asked in HOW if asked.is_resend])
@pytest.mark.parametrize("number", [202, 302, 303, 400, *PAUSED, *PASSING])
def test_a_resend_that_is_refused_for_no_call_in_it_leaves_all_of_them_to_another_resend(
    number: int, asked: Asked
) -> None:
    conclusion = conclusion_on(Answered(number), "abc", asked, may_retry=False)

    assert statuses(conclusion) == every("abc", Status.WAITING)
    assert not conclusion.fresh
    assert not tells_what_became_of(Answered(number), asked)
