"""The rules of a pause: it begins by an answer or several failures, is probed less and less often, and ends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.admission.health_signal import Failed, HealthSignal, Passed, Refused
from sealed_relay.admission.pause import FAILURES_THAT_PAUSE, Pause, pause_attributes, pause_of
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.delivery.send import MAX_SEND_SECONDS
from sealed_relay.kairos.codes import Scope
from sealed_relay.ports import Value

NOW_MS = 1_795_408_200_000
EMPTY = Refused(Scope.ACCOUNT, "INSUFFICIENT_BALANCE", 212)
SILENCE = Failed("NO_ANSWER")
ACCEPTED = Passed(is_accepted=True)


def after(pause: Pause, *signals: HealthSignal, is_probe: bool = False) -> Pause:
    for signal in signals:
        pause = pause.after(NOW_MS, signal=signal, secret_version="v1", is_probe=is_probe)
    return pause


def test_refusal_pauses_at_once_with_its_reason_and_time() -> None:
    pause = after(Pause(), EMPTY)

    assert pause.is_paused
    assert (pause.reason, pause.code, pause.since_ms, pause.secret_version) == (
        "INSUFFICIENT_BALANCE",
        212,
        NOW_MS,
        "v1",
    )
    assert (pause.outcome.status, pause.outcome.code) == (Status.WAITING, 212)


def test_five_failures_in_a_row_pause_and_four_do_not() -> None:
    almost = after(Pause(), *[SILENCE] * (FAILURES_THAT_PAUSE - 1))

    assert not almost.is_paused
    assert after(almost, SILENCE).reason == "NO_ANSWER"


@pytest.mark.parametrize("answer", [ACCEPTED, Passed(is_accepted=False)])
def test_any_answer_ends_the_count_of_failures(answer: HealthSignal) -> None:
    assert after(Pause(), *[SILENCE] * (FAILURES_THAT_PAUSE - 1), answer) == Pause()


def test_no_probe_leaves_earlier_than_the_api_asked_for() -> None:
    waiting = [SILENCE] * (FAILURES_THAT_PAUSE - 1)

    assert after(Pause(), *waiting, Failed("NOT_SENT", 600.0)).seconds_to_probe(NOW_MS) == 600
    assert after(after(Pause(), EMPTY), Failed("NOT_SENT", 600.0)).seconds_to_probe(NOW_MS) == 600


def test_intervals_of_probes_grow_to_five_minutes_and_outlast_each_send() -> None:
    pause = after(Pause(), EMPTY)
    intervals = [pause.seconds_to_probe(NOW_MS)]
    for _ in range(8):
        pause = pause.probed(pause.next_probe_at_ms)
        intervals.append((pause.next_probe_at_ms - NOW_MS) / 1000 - sum(intervals))
        pause = after(pause, EMPTY, is_probe=True)

    assert intervals == [15, 45, 60, 120, 240, 300, 300, 300, 300]
    assert min(intervals[1:]) > MAX_SEND_SECONDS


def test_refused_probe_keeps_the_beginning_and_tells_the_latest_reason() -> None:
    pause = after(after(Pause(), EMPTY).probed(NOW_MS + 20_000), Refused(Scope.ACCOUNT, "IP_NOT_WHITELISTED", 401))

    assert (pause.reason, pause.code, pause.since_ms, pause.probes) == ("IP_NOT_WHITELISTED", 401, NOW_MS, 1)


def test_accepted_probe_resumes_and_accepted_request_from_before_does_not() -> None:
    paused = after(Pause(), EMPTY)

    assert after(paused, ACCEPTED, is_probe=True) == Pause()
    assert after(paused, ACCEPTED) == paused


def test_outage_ends_with_any_answer_to_its_probe() -> None:
    paused = after(Pause(), *[SILENCE] * FAILURES_THAT_PAUSE)

    assert after(paused, Passed(is_accepted=False), is_probe=True) == Pause()


def test_probe_refused_for_its_calls_is_followed_by_another_at_once() -> None:
    probed = after(Pause(), EMPTY).probed(NOW_MS)

    pause = after(probed, Passed(is_accepted=False, is_about_calls=True), is_probe=True)

    assert pause.is_paused
    assert pause.may_be_probed(NOW_MS, is_resend=False)


def test_probe_that_did_not_leave_is_followed_by_another_at_once() -> None:
    pause = after(Pause(), EMPTY)

    assert pause.probed(NOW_MS).unprobed(NOW_MS, number=1).may_be_probed(NOW_MS, is_resend=False)


def test_resend_may_probe_an_outage_and_no_refusal() -> None:
    later_ms = NOW_MS + 86_400_000
    outage = after(Pause(), *[SILENCE] * FAILURES_THAT_PAUSE)
    refusal = after(Pause(), EMPTY)

    assert outage.may_be_probed(later_ms, is_resend=True)
    assert not refusal.may_be_probed(later_ms, is_resend=True)
    assert refusal.may_be_probed(later_ms, is_resend=False)


def test_probe_answered_with_a_transient_failure_changes_nothing() -> None:
    probed = after(Pause(), EMPTY).probed(NOW_MS)

    assert after(probed, Passed(is_accepted=False), is_probe=True) == probed


VALUES = st.booleans() | st.integers() | st.text() | st.binary() | st.just("X" * 1000)
PAUSES = st.builds(
    Pause,
    st.sampled_from(["", "INSUFFICIENT_BALANCE"]),
    st.none() | st.integers(200, 999),
    *[st.integers(0, 2**45)] * 3,
    st.sampled_from(["", "v1"]),
    st.integers(0, 9),
)


@given(PAUSES)
def test_pause_comes_back_from_its_item(pause: Pause) -> None:
    attributes = {name: value for name, value in pause_attributes(pause).items() if value is not None}

    assert pause_of(attributes) == pause


def test_item_with_only_a_reason_pauses_and_is_never_probed() -> None:
    pause = pause_of({"call_id": "#pause/account", "reason": "MAINTENANCE"})

    assert pause.outcome == Outcome(Status.WAITING, "MAINTENANCE", detail=pause.outcome.detail)
    assert not pause.may_be_probed(NOW_MS * 2, is_resend=False)


def test_number_that_an_operator_wrote_wrongly_counts_as_absent() -> None:
    item = {"call_id": "#pause/account", "reason": "MAINTENANCE"}

    assert pause_of({**item, "since_ms": "yesterday", "code": b"212", "next_probe_at_ms": ""}) == pause_of(item)


@pytest.mark.parametrize("name", ["since_ms", "code", "probes", "next_probe_at_ms", "failures_in_a_row"])
@pytest.mark.parametrize("value", [-1, 1_795_408_200_000_000, 10**30, True, "5", b"5"])
def test_number_out_of_range_or_of_another_type_counts_as_absent(name: str, value: Value) -> None:
    item = {"call_id": "#pause/account", "reason": "MAINTENANCE"}

    assert pause_of({**item, name: value}) == pause_of(item)


@given(st.dictionaries(st.sampled_from(list(pause_attributes(Pause()))), VALUES))
def test_rules_bear_any_item_that_a_person_may_write(item: dict[str, Value]) -> None:
    pause = pause_of(item)

    datetime.fromtimestamp(pause.since_ms / 1000, UTC)
    assert pause.seconds_to_probe(NOW_MS) >= 0
    assert pause.probed(NOW_MS).next_probe_at_ms > NOW_MS
    assert after(pause, EMPTY, SILENCE, ACCEPTED, is_probe=True).failures_in_a_row >= 0
    assert len(pause.reason) <= 100
