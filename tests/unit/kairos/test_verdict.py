"""What becomes of the calls of a request: every code, one call or several, a first send or a resend."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import CODES, Scope, Verdict, code_of
from sealed_relay.kairos.conclusive import Circumstances, Finding, finding_of
from sealed_relay.kairos.verdict import (
    GIVEN_UP,
    Conclusion,
    ConclusiveAnswer,
    conclude,
    is_transient_failure,
    outcome_in,
)

UNKNOWN = 999
ISOLATED = [205, 210, 213, 400, 402]
PAUSED = [203, 204, 207, 211, 212, 301, 304, 401]
TRANSIENT = [206, 208, 500]
FIRST_SEND = Circumstances()
RESEND = Circumstances(is_resend=True)
SENT = [
    Circumstances(is_resend, was_refused, may_be_resent, has_current_secret, is_date_over)
    for is_resend, was_refused, may_be_resent, has_current_secret, is_date_over in itertools.product(
        [False, True], [False, True], [False, True], [True, False, None], [False, True]
    )
    if is_resend or not was_refused
]


def conclusion_on(
    answer: Answer,
    names: str,
    sent: Circumstances = FIRST_SEND,
    *,
    calls: int = 0,
    has_fresh_secret: bool = False,
    may_retry: str | None = None,
) -> Conclusion:
    """`names` are calls of one letter each. `may_retry`: those that may be retried; by default all of them."""
    return conclude(
        answer,
        sent,
        list(names),
        calls_in_request=calls or len(names),
        has_fresh_secret=has_fresh_secret,
        may_retry=(names if may_retry is None else may_retry).__contains__,
    )


def statuses(conclusion: Conclusion) -> dict[str, Status]:
    return {name: outcome.status for name, outcome in conclusion.outcomes.items()}


def all_are(names: str, status: Status) -> dict[str, Status]:
    return dict.fromkeys(names, status)


def listing(code: int, names: str) -> Answered:
    return Answered(code, {name: f"uuid-{name}" for name in names}, "api-1")


@pytest.mark.parametrize("names", ["a", "abc"])
@pytest.mark.parametrize("code", [*CODES, UNKNOWN])
def test_each_call_gets_one_outcome_or_one_place_in_another_request(code: int, names: str) -> None:
    for sent, may_retry, has_fresh_secret in itertools.product(SENT, ["", names], [False, True]):
        for answer in (listing(code, "a"), replace(listing(code, "a"), is_list_trusted=False)):
            conclusion = conclusion_on(answer, names, sent, may_retry=may_retry, has_fresh_secret=has_fresh_secret)

            assert sorted([*conclusion.outcomes, *itertools.chain(*conclusion.fresh)]) == sorted(names)
            assert all(conclusion.fresh)
            for outcome in conclusion.outcomes.values():
                assert (outcome.code, outcome.api_request_id) == (code, "api-1")
                assert outcome.status is not Status.SENDING


@pytest.mark.parametrize("code", [*CODES, UNKNOWN])
def test_answer_is_stored_exactly_when_it_is_conclusive(code: int) -> None:
    for sent in SENT:
        answer = listing(code, "a")
        finding = finding_of(answer, sent)

        conclusion = conclusion_on(answer, "abc", sent)

        detail = conclusion.answer.detail if conclusion.answer else ""
        stored = ConclusiveAnswer(finding, code, {"a": "uuid-a"}, "api-1", detail)
        assert conclusion.answer == (None if finding is Finding.UNDECIDED else stored)
        assert bool(detail) == (finding is Finding.UNRESOLVED)


@pytest.mark.parametrize("code", [*CODES, UNKNOWN])
def test_stored_answer_gives_the_outcomes_of_its_first_application(code: int) -> None:
    for sent in SENT:
        conclusion = conclusion_on(listing(code, "ab"), "abcd", sent, may_retry="")
        if conclusion.answer is None:
            continue
        again = {name: outcome_in(conclusion.answer, name) for name in "abcd"}

        for name, outcome in again.items():
            if outcome is not None:  # the API took the call, or no further request can tell
                assert outcome.status in {Status.ACCEPTED, Status.PRESUMED_ACCEPTED, Status.UNRESOLVED}
                assert outcome == conclusion.outcomes[name]
            else:  # the API refused the call: it waits, is rejected, or goes out fresh
                assert name in itertools.chain(*conclusion.fresh) or statuses(conclusion)[name] in {
                    Status.WAITING,
                    Status.REJECTED,
                }


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND, replace(RESEND, was_refused=True)])
def test_success_accepts_each_call_with_its_uuid_if_there_is_one(sent: Circumstances) -> None:
    conclusion = conclusion_on(listing(200, "a"), "abc", sent)

    assert statuses(conclusion) == all_are("abc", Status.ACCEPTED)
    assert [outcome.phonon_uuid for outcome in conclusion.outcomes.values()] == ["uuid-a", "", ""]
    assert {outcome.reason for outcome in conclusion.outcomes.values()} == {"SUCCESS"}
    assert not conclusion.fresh


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (FIRST_SEND, Status.UNRESOLVED),
        (RESEND, Status.PRESUMED_ACCEPTED),
        (replace(RESEND, was_refused=True), Status.UNRESOLVED),
    ],
)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_repeated_checksum_ends_each_call(names: str, sent: Circumstances, status: Status) -> None:
    conclusion = conclusion_on(Answered(201), names, sent)

    assert statuses(conclusion) == all_are(names, status)
    assert not conclusion.fresh


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND])
def test_partial_success_accepts_the_listed_calls_and_halves_the_others(sent: Circumstances) -> None:
    conclusion = conclusion_on(listing(209, "bd"), "abcde", sent)

    assert statuses(conclusion) == all_are("bd", Status.ACCEPTED)
    assert conclusion.outcomes["b"].phonon_uuid == "uuid-b"
    assert conclusion.fresh == [["a", "c"], ["e"]]


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_partial_success_with_an_untrusted_list_is_unresolved(names: str, sent: Circumstances) -> None:
    conclusion = conclusion_on(Answered(209, {"a": "uuid-a"}, is_list_trusted=False), names, sent)

    assert statuses(conclusion) == all_are(names, Status.UNRESOLVED)
    assert {outcome.reason for outcome in conclusion.outcomes.values()} == {Reason.UNRESOLVED}
    assert not conclusion.fresh


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND])
def test_unknown_code_waits_for_a_resend_and_ends_unresolved_at_the_limit(sent: Circumstances) -> None:
    waiting = conclusion_on(Answered(UNKNOWN), "abc", sent)
    given_up = conclusion_on(Answered(UNKNOWN), "abc", replace(sent, may_be_resent=False))

    assert (waiting.answer, statuses(waiting)) == (None, all_are("abc", Status.WAITING))
    assert statuses(given_up) == all_are("abc", Status.UNRESOLVED)
    assert {outcome.reason for outcome in waiting.outcomes.values()} == {Reason.NO_ANSWER}
    assert not [*waiting.fresh, *given_up.fresh]


@pytest.mark.parametrize("code", sorted(CODES.keys() - {200, 209}))
def test_contradicted_code_waits_for_a_resend_and_sends_nothing_fresh(code: int) -> None:
    conclusion = conclusion_on(Answered(code, is_contradicted=True), "abc")

    assert (conclusion.answer, conclusion.fresh) == (None, ())
    assert statuses(conclusion) == all_are("abc", Status.WAITING)


@pytest.mark.parametrize("names", ["a", "abc"])
def test_invalid_security_id_fetches_the_secret_anew_once_and_then_waits(names: str) -> None:
    first = conclusion_on(Answered(202), names)
    second = conclusion_on(Answered(202), names, has_fresh_secret=True)

    assert (first.fresh, first.refresh_secret, first.outcomes) == ([list(names)], True, {})
    assert statuses(second) == all_are(names, Status.WAITING)
    assert not second.fresh


@pytest.mark.parametrize("has_current_secret", [False, None])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_invalid_format_blames_the_secret_unless_it_is_certainly_current(
    names: str, *, has_current_secret: bool | None
) -> None:
    changed = conclusion_on(Answered(400), names, Circumstances(has_current_secret=has_current_secret))
    current = conclusion_on(Answered(400), names)

    assert (changed.fresh, changed.refresh_secret, changed.outcomes) == ([list(names)], True, {})
    assert not current.refresh_secret


@pytest.mark.parametrize("code", ISOLATED)
def test_call_at_fault_is_isolated_by_halving_and_rejected_alone(code: int) -> None:
    several = conclusion_on(Answered(code), "abcde")
    alone = conclusion_on(Answered(code), "a")

    assert (several.fresh, several.outcomes, several.refresh_secret) == ([["a", "b", "c"], ["d", "e"]], {}, False)
    assert (statuses(alone), alone.fresh) == ({"a": Status.REJECTED}, ())


@given(names=st.text("abcdefghijklmnop", min_size=1, max_size=16).map(lambda text: "".join(dict.fromkeys(text))))
def test_halving_ends_with_each_call_alone(names: str) -> None:
    alone: list[str] = []
    groups = [names]
    while groups:
        group = groups.pop()
        conclusion = conclusion_on(Answered(205), group)
        alone += conclusion.outcomes
        assert len(conclusion.fresh) in {0, 2}
        assert all(len(half) < len(group) for half in conclusion.fresh)
        groups += ["".join(half) for half in conclusion.fresh]

    assert sorted(alone) == sorted(names)


@pytest.mark.parametrize("code", sorted({*ISOLATED} - {400}))
def test_call_at_fault_is_isolated_after_a_resend_too(code: int) -> None:
    assert conclusion_on(Answered(code), "abc", RESEND).fresh == [["a", "b"], ["c"]]
    assert statuses(conclusion_on(Answered(code), "a", RESEND)) == {"a": Status.REJECTED}


def test_request_that_is_too_large_is_halved_and_one_call_is_rejected() -> None:
    assert conclusion_on(Answered(303), "abcde").fresh == [["a", "b", "c"], ["d", "e"]]
    assert statuses(conclusion_on(Answered(303), "a")) == {"a": Status.REJECTED}


@pytest.mark.parametrize("answer", [*map(Answered, [*ISOLATED, 303]), Answered(209, {"b": "uuid-b"})], ids=str)
def test_one_of_several_calls_is_not_blamed_if_only_its_message_is_here(answer: Answered) -> None:
    conclusion = conclusion_on(answer, "a", calls=5)

    assert (conclusion.fresh, conclusion.outcomes) == ([["a"]], {})


@pytest.mark.parametrize("answer", [*map(Answered, ISOLATED), Answered(209, {"x": "uuid"})], ids=str)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_refusal_of_an_over_start_date_sends_all_calls_fresh(names: str, answer: Answered) -> None:
    conclusion = conclusion_on(answer, names, replace(FIRST_SEND, is_date_over=True))

    assert (conclusion.fresh, conclusion.outcomes) == ([list(names)], {})


@pytest.mark.parametrize("code", PAUSED)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_pause_code_lets_calls_wait_however_often_they_were_tried(code: int, names: str) -> None:
    conclusion = conclusion_on(Answered(code), names, may_retry="")

    assert statuses(conclusion) == all_are(names, Status.WAITING)
    assert {outcome.reason for outcome in conclusion.outcomes.values()} == {code_of(code).name}
    assert not conclusion.fresh


@pytest.mark.parametrize("code", TRANSIENT)
@pytest.mark.parametrize("names", ["a", "abc"])
def test_transient_failure_waits_up_to_the_limit_and_is_rejected_past_it(code: int, names: str) -> None:
    waiting = conclusion_on(Answered(code), names)
    rejected = conclusion_on(Answered(code), names, may_retry="")

    assert statuses(waiting) == all_are(names, Status.WAITING)
    assert statuses(rejected) == all_are(names, Status.REJECTED)
    assert {outcome.reason for outcome in rejected.outcomes.values()} == {code_of(code).name}
    assert not [*waiting.fresh, *rejected.fresh]


def test_limit_of_transient_failures_is_each_calls_own() -> None:
    assert statuses(conclusion_on(Answered(500), "ab", may_retry="a")) == {"a": Status.WAITING, "b": Status.REJECTED}


@pytest.mark.parametrize("code", [*CODES, UNKNOWN, None])
def test_only_codes_that_are_retried_fresh_are_transient_failures(code: int | None) -> None:
    assert is_transient_failure(code) == (code in TRANSIENT)


@pytest.mark.parametrize("names", ["a", "abc"])
def test_empty_call_list_is_rejected(names: str) -> None:
    assert statuses(conclusion_on(Answered(302), names)) == all_are(names, Status.REJECTED)


def test_no_code_of_the_table_is_missing_here() -> None:
    assert {200, 201, 202, 209, 302, 303, *ISOLATED, *PAUSED, *TRANSIENT} == {*CODES}


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NotSent("why", 7.0), "NOT_SENT"),
        (Ambiguous("why"), "NO_ANSWER"),
        (WrongAddress("why"), "WRONG_ADDRESS"),
    ],
)
def test_without_a_verdict_each_call_waits(answer: Answer, reason: str, sent: Circumstances) -> None:
    conclusion = conclusion_on(answer, "abc", sent, may_retry="")

    assert conclusion.outcomes == dict.fromkeys("abc", Outcome(Status.WAITING, reason, detail="why"))
    assert (conclusion.answer, conclusion.fresh) == (None, ())


@pytest.mark.parametrize("code", [202, 302, 303, 400, *PAUSED, *TRANSIENT])
def test_resend_that_is_refused_for_no_call_in_it_waits_for_another_resend(code: int) -> None:
    conclusion = conclusion_on(Answered(code), "abc", RESEND, may_retry="")

    assert statuses(conclusion) == all_are("abc", Status.WAITING)
    assert {outcome.reason for outcome in conclusion.outcomes.values()} == {Reason.NO_ANSWER}
    assert (conclusion.answer, conclusion.fresh) == (None, ())


@pytest.mark.parametrize("code", [202, 203, 304, 400])
@pytest.mark.parametrize(
    ("has_current_secret", "status"), [(True, Status.WAITING), (None, Status.WAITING), (False, Status.UNRESOLVED)]
)
def test_resend_that_is_refused_for_its_old_secret_is_unresolved(
    code: int, status: Status, *, has_current_secret: bool | None
) -> None:
    conclusion = conclusion_on(Answered(code), "ab", replace(RESEND, has_current_secret=has_current_secret))

    assert statuses(conclusion) == all_are("ab", status)


@pytest.mark.parametrize(
    "code", [number for number, code in CODES.items() if code.scope in {Scope.FLOW, Scope.ACCOUNT}]
)
def test_code_about_a_flow_or_the_account_ends_no_call_that_may_be_retried(code: int) -> None:
    for sent in (FIRST_SEND, RESEND):
        assert not any(status.is_final for status in statuses(conclusion_on(Answered(code), "ab", sent)).values())


@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("code", [200, 209, 500])
def test_stored_answer_delivers_a_call_by_its_finding(finding: Finding, code: int) -> None:
    stored = ConclusiveAnswer(finding, code, {"a": "uuid-a"}, "api-1")
    listed, other = outcome_in(stored, "a"), outcome_in(stored, "b")

    expected = {
        Finding.ACCEPTED: (Status.ACCEPTED, Status.ACCEPTED),
        Finding.PARTLY_ACCEPTED: (Status.ACCEPTED, None),
        Finding.PRESUMED_ACCEPTED: (Status.PRESUMED_ACCEPTED, Status.PRESUMED_ACCEPTED),
        Finding.UNRESOLVED: (Status.UNRESOLVED, Status.UNRESOLVED),
    }
    assert (listed and listed.status, other and other.status) == expected.get(finding, (None, None))


def test_stored_answer_names_its_code_and_both_ids() -> None:
    stored = ConclusiveAnswer(Finding.ACCEPTED, 200, {"a": "uuid-a"}, "api-1")

    assert outcome_in(stored, "a") == Outcome(Status.ACCEPTED, "SUCCESS", 200, "uuid-a", "", "api-1")


def test_request_that_was_given_up_leaves_its_calls_unresolved() -> None:
    outcome = outcome_in(GIVEN_UP, "a")

    assert outcome == Outcome(Status.UNRESOLVED, Reason.UNRESOLVED, detail=GIVEN_UP.detail)
    assert "The answer was lost, and the deadline passed" in GIVEN_UP.detail


@pytest.mark.parametrize("code", [205, 210])
def test_refused_resend_after_its_start_date_is_unresolved_and_says_why(code: int) -> None:
    conclusion = conclusion_on(Answered(code), "a", replace(RESEND, is_date_over=True))

    name = code_of(code).name
    assert conclusion.outcomes["a"].status is Status.UNRESOLVED
    assert conclusion.outcomes["a"].detail == (
        f"The API answered {code} {name}. The start date was over by then. "
        "It may have been delivered, and no further request can tell."
    )
    assert conclusion.answer
    assert conclusion.answer.detail == conclusion.outcomes["a"].detail


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_of_the_table_is_met_by_a_code_here(verdict: Verdict) -> None:
    assert verdict in {code_of(code).verdict for code in [*CODES, UNKNOWN]}
