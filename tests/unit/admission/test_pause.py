"""A pause's life: opened by an answer or a row of failures, probed ever less often, and resumed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.health_signal import Failed, Passed, Refused, Sign
from sealed_relay.admission.pause import FAILURES_THAT_PAUSE, Pause, pause_attributes, pause_of
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.delivery.send import LONGEST_SEND_SECONDS
from sealed_relay.kairos.codes import Scope

NOW_MS = 1_795_408_200_000
EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
SILENCE = Failed("NO_ANSWER")
ACCEPTED = Passed(is_accepted=True)


def after(pause: Pause, *signs: Sign, is_probe: bool = False, is_resend: bool = False) -> Pause:
    for sign in signs:
        pause = pause.after(NOW_MS, sign=sign, secret_version="v1", is_probe=is_probe, is_resend=is_resend)
    return pause


def test_a_refusal_pauses_at_once_with_its_reason_and_since_when() -> None:
    pause = after(Pause(), EMPTY)

    assert pause.is_paused
    assert (pause.reason, pause.code, pause.since_ms, pause.secret_version) == (
        "INSUFFICIENT_BALANCE",
        212,
        NOW_MS,
        "v1",
    )
    assert (pause.outcome.status, pause.outcome.code) == (Status.WAITING, 212)


def test_a_pause_tells_how_long_it_has_lasted() -> None:
    pause = after(Pause(), EMPTY)

    assert pause.paused_seconds(NOW_MS + 90_000) == 90
    assert Pause(failures_in_a_row=4).paused_seconds(NOW_MS) is None
    assert pause_of({"reason": "MAINTENANCE"}).paused_seconds(NOW_MS) == 0


def test_a_row_of_failures_pauses_and_one_less_does_not() -> None:
    almost = after(Pause(), *[SILENCE] * (FAILURES_THAT_PAUSE - 1))

    assert not almost.is_paused
    assert after(almost, SILENCE).reason == "NO_ANSWER"


@pytest.mark.parametrize("answer", [ACCEPTED, Passed(is_accepted=False)])
def test_any_answer_ends_a_row_of_failures(answer: Sign) -> None:
    assert after(Pause(), *[SILENCE] * (FAILURES_THAT_PAUSE - 1), answer) == Pause()


def test_no_probe_goes_out_earlier_than_the_other_side_asked_for() -> None:
    waiting = [SILENCE] * (FAILURES_THAT_PAUSE - 1)

    assert after(Pause(), *waiting, Failed("NOT_SENT", 600.0)).seconds_to_probe(NOW_MS) == 600
    assert after(after(Pause(), EMPTY), Failed("NOT_SENT", 600.0)).seconds_to_probe(NOW_MS) == 600


def test_probes_go_out_at_growing_intervals_up_to_five_minutes_and_never_two_at_a_time() -> None:
    pause = after(Pause(), EMPTY)
    intervals = [pause.seconds_to_probe(NOW_MS)]
    for _ in range(8):
        pause = pause.probed(pause.next_probe_at_ms)
        intervals.append((pause.next_probe_at_ms - NOW_MS) / 1000 - sum(intervals))
        pause = after(pause, EMPTY, is_probe=True)

    assert intervals == [15, 45, 60, 120, 240, 300, 300, 300, 300]
    assert min(intervals[1:]) > LONGEST_SEND_SECONDS


def test_a_probe_that_finds_it_still_refused_keeps_since_when_and_tells_the_latest_reason() -> None:
    pause = after(after(Pause(), EMPTY).probed(NOW_MS + 20_000), Refused(Scope.ACCOUNT, "IP_NOT_WHITELISTED", 401))

    assert (pause.reason, pause.code, pause.since_ms, pause.probes) == ("IP_NOT_WHITELISTED", 401, NOW_MS, 1)


def test_an_accepted_probe_resumes_and_an_accepted_request_that_left_before_does_not() -> None:
    paused = after(Pause(), EMPTY)

    assert after(paused, ACCEPTED, is_probe=True) == Pause()
    assert after(paused, ACCEPTED) == paused


def test_an_outage_is_over_with_any_answer_to_its_probe() -> None:
    paused = after(Pause(), *[SILENCE] * FAILURES_THAT_PAUSE)

    assert after(paused, Passed(is_accepted=False), is_probe=True) == Pause()


def test_a_probe_that_was_refused_for_its_calls_is_followed_by_another_at_once() -> None:
    probed = after(Pause(), EMPTY).probed(NOW_MS)

    pause = after(probed, Passed(is_accepted=False, is_about_calls=True), is_probe=True)

    assert pause.is_paused
    assert pause.is_due(NOW_MS)


def test_a_resend_that_was_judged_by_its_calls_lets_the_next_resend_probe() -> None:
    probed = after(Pause(), EMPTY).probed(NOW_MS)
    judged = Passed(is_accepted=False, is_about_calls=True)

    assert after(probed, judged, is_probe=True, is_resend=True).is_due(NOW_MS, is_resend=True)
    assert not after(probed, judged, is_probe=True).is_due(NOW_MS, is_resend=True)


@pytest.mark.parametrize("is_resend", [False, True])
def test_a_probe_that_did_not_leave_is_followed_by_another_of_its_kind_at_once(*, is_resend: bool) -> None:
    pause = after(Pause(), EMPTY)

    assert pause.probed(NOW_MS).unprobed(NOW_MS, is_resend=is_resend).is_due(NOW_MS, is_resend=is_resend)


def test_a_probe_that_was_answered_with_a_passing_failure_decides_nothing() -> None:
    probed = after(Pause(), EMPTY).probed(NOW_MS)

    assert after(probed, Passed(is_accepted=False), is_probe=True) == probed


PAUSES = st.builds(
    Pause,
    st.sampled_from(["", "INSUFFICIENT_BALANCE"]),
    st.none() | st.integers(200, 999),
    *[st.integers(0, 2**45)] * 3,
    st.sampled_from(["", "v1"]),
    st.integers(0, 9),
)


@given(PAUSES)
def test_a_pause_comes_back_from_its_item(pause: Pause) -> None:
    attributes = {name: value for name, value in pause_attributes(pause).items() if value is not None}

    assert pause_of(attributes) == pause


def test_an_operator_pauses_with_no_more_than_a_reason_and_no_probe_undoes_it() -> None:
    pause = pause_of({"call_id": "#pause/account", "reason": "MAINTENANCE"})

    assert pause.outcome == Outcome(Status.WAITING, "MAINTENANCE", detail=pause.outcome.detail)
    assert not pause.is_due(NOW_MS * 2)


def test_what_an_operator_wrote_where_a_number_belongs_counts_as_not_there() -> None:
    item = {"call_id": "#pause/account", "reason": "MAINTENANCE"}

    assert pause_of({**item, "since_ms": "yesterday", "code": b"212", "next_probe_at_ms": ""}) == pause_of(item)
