"""The table of conclusive answers: each row, the order of the rows, and what holds of every finding."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.kairos.answer import Answered
from sealed_relay.kairos.codes import CODES, Scope, code_of
from sealed_relay.kairos.conclusive import TABLE, Circumstances, Finding, finding_of

SUCCESS, REPEATED, PARTIAL, UNKNOWN = 200, 201, 209, 999
FIRST_SEND = Circumstances()
RESEND = Circumstances(is_resend=True)
CALL_CODES = [code.number for code in CODES.values() if code.scope is Scope.CALL and code.number not in {PARTIAL, 400}]
OTHER_REFUSALS = [number for number in CODES if number not in {SUCCESS, REPEATED, PARTIAL, *CALL_CODES}]
REFUSALS = [*CALL_CODES, *OTHER_REFUSALS]
SECRET_CODES = [202, 203, 304, 400]


def contradicted(code: int) -> Answered:
    return Answered(code, is_contradicted=True)


def untrusted(code: int) -> Answered:
    return Answered(code, {"a": "uuid"}, is_list_trusted=False)


# Each row of the table, in its order: its conditions, its finding, and what it decides on.
ROWS: list[tuple[str, Finding, list[tuple[Answered, Circumstances]]]] = [
    (
        "code_is_unknown_or_contradicted may_be_resent",
        Finding.UNDECIDED,
        [(Answered(UNKNOWN), FIRST_SEND), (contradicted(202), RESEND)],
    ),
    (
        "code_is_unknown_or_contradicted",
        Finding.UNRESOLVED,
        [(Answered(UNKNOWN), replace(RESEND, may_be_resent=False))],
    ),
    ("code_is_success", Finding.ACCEPTED, [(Answered(SUCCESS), FIRST_SEND), (untrusted(SUCCESS), RESEND)]),
    (
        "code_is_partial_success list_is_trusted",
        Finding.PARTLY_ACCEPTED,
        [(Answered(PARTIAL, {"a": "uuid"}), FIRST_SEND), (Answered(PARTIAL, {"a": "uuid"}), RESEND)],
    ),
    ("code_is_partial_success", Finding.UNRESOLVED, [(untrusted(PARTIAL), FIRST_SEND), (untrusted(PARTIAL), RESEND)]),
    ("code_is_checksum_repeated is_first_send", Finding.UNRESOLVED, [(Answered(REPEATED), FIRST_SEND)]),
    (
        "code_is_checksum_repeated earlier_attempt_was_refused",
        Finding.UNRESOLVED,
        [(Answered(REPEATED), replace(RESEND, was_refused=True))],
    ),
    ("code_is_checksum_repeated", Finding.PRESUMED_ACCEPTED, [(Answered(REPEATED), RESEND)]),
    (
        "is_first_send",
        Finding.REFUSED,
        [(Answered(500), FIRST_SEND), (Answered(205), replace(FIRST_SEND, is_date_over=True))],
    ),
    (
        "refusal_is_about_a_call_in_it start_date_is_over",
        Finding.UNRESOLVED,
        [(Answered(210), replace(RESEND, is_date_over=True)), (Answered(205), replace(RESEND, is_date_over=True))],
    ),
    ("refusal_is_about_a_call_in_it", Finding.REFUSED, [(Answered(205), RESEND)]),
    (
        "refusal_blames_a_secret_that_was_changed",
        Finding.UNRESOLVED,
        [(Answered(202), replace(RESEND, has_current_secret=False))],
    ),
    (
        "always",
        Finding.UNDECIDED,
        [(Answered(500), RESEND), (Answered(400), replace(RESEND, is_date_over=True))],
    ),
]
ANSWERS = st.builds(
    Answered,
    st.sampled_from([*CODES, UNKNOWN, 0]),
    is_contradicted=st.booleans(),
    is_list_trusted=st.booleans(),
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    is_resend=st.booleans(),
    was_refused=st.booleans(),
    may_be_resent=st.booleans(),
    has_current_secret=st.sampled_from([True, False, None]),
    is_date_over=st.booleans(),
)


def rows_that_hold(answer: Answered, sent: Circumstances) -> list[int]:
    return [
        row for row, (conditions, _) in enumerate(TABLE) if all(condition(answer, sent) for condition in conditions)
    ]


def test_table_has_these_rows_in_this_order() -> None:
    rows = [(" ".join(condition.__name__ for condition in conditions), finding) for conditions, finding in TABLE]

    assert rows == [(conditions, finding) for conditions, finding, _ in ROWS]


@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda row: ROWS[row][0].replace(" ", "-"))
def test_row_decides_on_its_examples(row: int) -> None:
    _, finding, examples = ROWS[row]

    for answer, sent in examples:
        assert rows_that_hold(answer, sent)[0] == row
        assert finding_of(answer, sent) is finding


@pytest.mark.parametrize(
    ("row", "later"),
    [
        (0, 1),
        (0, 2),
        (0, 8),
        (1, 8),
        (3, 4),
        (4, 8),
        (5, 7),
        (5, 8),
        (6, 7),
        (7, 12),
        (8, 9),
        (9, 10),
        (10, 12),
        (11, 12),
    ],
)
def test_row_must_stand_before_a_later_one_that_holds_too(row: int, later: int) -> None:
    both = [
        (answer, sent)
        for answer in (make(code) for code in [*CODES, UNKNOWN] for make in (Answered, contradicted, untrusted))
        for sent in (FIRST_SEND, RESEND, replace(RESEND, was_refused=True), replace(RESEND, has_current_secret=False))
        for sent in (sent, replace(sent, may_be_resent=False), replace(sent, is_date_over=True))
        if later in (held := rows_that_hold(answer, sent)) and held[0] == row
    ]

    assert both
    assert {finding_of(answer, sent) for answer, sent in both} == {ROWS[row][1]} != {ROWS[later][1]}


@pytest.mark.parametrize("answer", [Answered(UNKNOWN), contradicted(202), contradicted(REPEATED), contradicted(500)])
@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND])
def test_unknown_or_contradicted_code_is_resent_up_to_the_limit(answer: Answered, sent: Circumstances) -> None:
    assert finding_of(answer, sent) is Finding.UNDECIDED
    assert finding_of(answer, replace(sent, may_be_resent=False)) is Finding.UNRESOLVED


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND, replace(RESEND, was_refused=True, may_be_resent=False)])
def test_success_is_accepted_whatever_its_list(sent: Circumstances) -> None:
    assert finding_of(Answered(SUCCESS), sent) is Finding.ACCEPTED
    assert finding_of(untrusted(SUCCESS), sent) is Finding.ACCEPTED


@pytest.mark.parametrize("sent", [FIRST_SEND, RESEND, replace(RESEND, was_refused=True, is_date_over=True)])
def test_partial_success_is_a_verdict_only_with_a_trusted_list(sent: Circumstances) -> None:
    assert finding_of(Answered(PARTIAL, {"a": "uuid"}), sent) is Finding.PARTLY_ACCEPTED
    assert finding_of(untrusted(PARTIAL), sent) is Finding.UNRESOLVED


def test_repeated_checksum_on_a_first_send_is_unresolved() -> None:
    assert finding_of(Answered(REPEATED), FIRST_SEND) is Finding.UNRESOLVED


def test_repeated_checksum_on_a_resend_is_presumed_accepted() -> None:
    assert finding_of(Answered(REPEATED), RESEND) is Finding.PRESUMED_ACCEPTED


def test_repeated_checksum_after_a_refused_resend_is_unresolved() -> None:
    assert finding_of(Answered(REPEATED), replace(RESEND, was_refused=True)) is Finding.UNRESOLVED


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("is_date_over", [False, True])
@pytest.mark.parametrize("has_current_secret", [False, None, True])
def test_refusal_of_a_first_send_is_conclusive(
    code: int, *, is_date_over: bool, has_current_secret: bool | None
) -> None:
    sent = Circumstances(is_date_over=is_date_over, has_current_secret=has_current_secret)

    assert finding_of(Answered(code), sent) is Finding.REFUSED


@pytest.mark.parametrize("code", CALL_CODES)
def test_refusal_about_a_call_on_a_resend_tells_until_its_date_is_over(code: int) -> None:
    assert finding_of(Answered(code), RESEND) is Finding.REFUSED
    assert finding_of(Answered(code), replace(RESEND, is_date_over=True)) is Finding.UNRESOLVED


@pytest.mark.parametrize("code", OTHER_REFUSALS)
def test_other_refusal_on_a_resend_says_nothing_of_the_first_attempt(code: int) -> None:
    assert finding_of(Answered(code), RESEND) is Finding.UNDECIDED
    assert finding_of(Answered(code), replace(RESEND, has_current_secret=None)) is Finding.UNDECIDED


@pytest.mark.parametrize("code", SECRET_CODES)
def test_refusal_for_a_changed_secret_on_a_resend_is_unresolved(code: int) -> None:
    assert finding_of(Answered(code), replace(RESEND, has_current_secret=False)) is Finding.UNRESOLVED


def test_every_documented_code_is_in_one_of_these_tests() -> None:
    assert sorted([SUCCESS, REPEATED, PARTIAL, *REFUSALS]) == sorted(CODES)
    assert sorted(code.number for code in CODES.values() if code.is_about_secret) == SECRET_CODES


@given(ANSWERS, CIRCUMSTANCES)
def test_first_send_is_undecided_only_for_an_unknown_or_contradicted_code(
    answer: Answered, sent: Circumstances
) -> None:
    sent = replace(sent, is_resend=False)

    if finding_of(answer, sent) is Finding.UNDECIDED:
        assert answer.is_contradicted or answer.code not in CODES


@given(ANSWERS, CIRCUMSTANCES)
def test_resend_is_refused_only_for_a_call_in_it_on_its_date(answer: Answered, sent: Circumstances) -> None:
    sent = replace(sent, is_resend=True)

    if finding_of(answer, sent) is Finding.REFUSED:
        assert code_of(answer.code).scope is Scope.CALL
        assert answer.code != 400
        assert not sent.is_date_over


@given(CIRCUMSTANCES, st.booleans())
def test_partial_success_with_an_untrusted_list_never_sends_fresh_bytes(
    sent: Circumstances,
    is_contradicted: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    answer = Answered(PARTIAL, {"a": "uuid"}, is_contradicted=is_contradicted, is_list_trusted=False)

    assert finding_of(answer, sent) not in {Finding.REFUSED, Finding.PARTLY_ACCEPTED}


@given(ANSWERS, CIRCUMSTANCES)
def test_contradicted_or_unknown_code_never_sends_fresh_bytes(answer: Answered, sent: Circumstances) -> None:
    if answer.is_contradicted or answer.code not in CODES:
        assert finding_of(answer, sent) in {Finding.UNDECIDED, Finding.UNRESOLVED}


@given(ANSWERS, CIRCUMSTANCES)
def test_only_success_partial_success_and_a_repeated_checksum_deliver(answer: Answered, sent: Circumstances) -> None:
    delivers = {
        Finding.ACCEPTED: SUCCESS,
        Finding.PARTLY_ACCEPTED: PARTIAL,
        Finding.PRESUMED_ACCEPTED: REPEATED,
    }
    finding = finding_of(answer, sent)

    assert answer.code == delivers.get(finding, answer.code)
