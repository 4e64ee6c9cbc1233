"""Calling hours of a flow, from the front door: no call starts outside them, and none waits in the queue for them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from local.simulator import open_request
from local.simulator.faults import CodeAnswer, DroppedConnection
from sealed_relay.calls.start_time import CallingHours, parse_calling_hours, service_time
from sealed_relay.kairos.answer import Answer
from sealed_relay.kairos.flow import UnknownFlowError, UnusableFlowError
from tests.support.flows import make_flow, rsa_key
from tests.support.gateway import SimulatedGateway
from tests.support.scene import Scene
from tests.support.scripted_table import before

MINUTE, HOUR = 60.0, 3600.0
NEXT_MORNING = "2026-11-24T09:00:00+05:30"
TONIGHT = "2026-11-23T22:00:00+05:30"
A_QUARTER_OF_AN_HOUR = 15 * MINUTE


def moment(time_of_day: str, date: str = "2026-11-23") -> float:
    return datetime.fromisoformat(f"{date}T{time_of_day}+05:30").timestamp()


def set_hours(scene: Scene, hours: str) -> None:
    scene.flows.flows["FLOWAAAA"] = replace(make_flow("FLOWAAAA"), calling_hours=parse_calling_hours(hours))


def hours_of(text: str) -> CallingHours | None:
    return parse_calling_hours(text) if text else None


def scene_at(time_of_day: str, hours: str = "09:00-21:00") -> Scene:
    scene = Scene()
    scene.clock.now = moment(time_of_day)
    set_hours(scene, hours)
    return scene


def start_times(scene: Scene) -> Iterator[dict[str, str]]:
    """The start times of the calls in each request that reached the API."""
    for body in scene.gateway.bodies:
        outer = msgspec.json.decode(body, type=open_request.SealedRequest)
        payload = msgspec.json.decode(open_request.open_payload(outer, rsa_key(), open_request.KeyWrap.RSA1_5))
        yield {call["client-identifier"]: call["start-time"] for call in payload["calls"]}


def rings_at(scene: Scene) -> list[str]:
    """When the calls of each request start at the API, the earliest of each request, as in `service_time`."""
    reached_at = [service_time(moment) for moment in scene.gateway.sent_at]
    return [max(min(each.values()), at) for each, at in zip(start_times(scene), reached_at, strict=True)]


def quarters_of_an_hour(scene: Scene) -> None:
    """Run until the queue is empty, and check that no message is ever out of sight for longer than a quarter."""
    while scene.ingress.next_visible_at is not None:
        assert scene.ingress.next_visible_at - scene.clock.now <= A_QUARTER_OF_AN_HOUR
        scene.clock.now = max(scene.clock.now, scene.ingress.next_visible_at)
        scene.invoke()


@pytest.mark.parametrize(
    ("time_of_day", "start_time"),
    [
        ("08:59:59", "2026-11-23T09:00:00+05:30"),
        ("09:00:00", "2026-11-23T09:00:00+05:30"),
        ("20:58:59", "2026-11-23T20:58:59+05:30"),
        ("20:59:00", NEXT_MORNING),
        ("20:59:59", NEXT_MORNING),
        ("21:00:00", NEXT_MORNING),
        ("23:59:59", NEXT_MORNING),
    ],
)
def test_call_outside_the_hours_is_handed_over_at_once_to_start_at_their_beginning(
    time_of_day: str, start_time: str
) -> None:
    scene = scene_at(time_of_day)
    scene.send("a")

    scene.invoke()

    assert list(start_times(scene)) == [{"a": start_time}]
    assert scene.statuses() == {"ACCEPTED": 1}


@pytest.mark.parametrize(
    ("time_of_day", "start_time"),
    [
        ("21:59:59", "2026-11-23T22:00:00+05:30"),
        ("23:59:54", "2026-11-23T23:59:54+05:30"),
        ("23:59:56", "2026-11-24T00:00:00+05:30"),
        ("01:58:59", "2026-11-23T01:58:59+05:30"),
        ("01:59:00", "2026-11-23T22:00:00+05:30"),
    ],
)
def test_hours_over_midnight_hold_on_both_dates(time_of_day: str, start_time: str) -> None:
    scene = scene_at(time_of_day, hours="22:00-02:00")
    scene.send("a")

    scene.invoke()

    assert list(start_times(scene)) == [{"a": start_time}]
    assert scene.statuses() == {"ACCEPTED": 1}


def test_start_time_of_the_producer_stays_inside_the_hours_and_moves_outside() -> None:
    scene = scene_at("10:00:00")
    scene.send("inside", start_time="2026-11-23T14:00:00+05:30")
    scene.send("outside", start_time="2026-11-23T22:00:00+05:30")
    scene.send("at-the-end", start_time="2026-11-23T20:59:30+05:30")
    scene.send("passed", start_time="2026-11-23T05:00:00+05:30")

    scene.run()

    [sealed] = start_times(scene)
    assert sealed == {
        "inside": "2026-11-23T14:00:00+05:30",
        "outside": NEXT_MORNING,
        "at-the-end": NEXT_MORNING,
        "passed": "2026-11-23T05:00:00+05:30",
    }
    assert scene.statuses() == {"ACCEPTED": 4}


def test_record_and_log_say_where_a_start_was_moved() -> None:
    scene = scene_at("22:00:00")
    scene.send("a", "b")
    scene.send("c", start_time="2026-11-24T10:00:00+05:30")

    scene.run()

    assert [scene.record(name).get("start_time_moved_to") for name in "abc"] == [NEXT_MORNING, NEXT_MORNING, None]
    assert [(sent.start_times_moved, sent.moved_to) for sent in scene.requests_sent()] == [(2, NEXT_MORNING)]


def test_record_of_a_call_that_waited_into_the_hours_says_no_move() -> None:
    scene = scene_at("08:59:00")
    scene.gateway.refused_connections = 1
    scene.send("a")
    scene.invoke()
    assert scene.record("a")["start_time_moved_to"] == "2026-11-23T09:00:00+05:30"
    scene.clock.now = moment("09:00:05")

    scene.run()

    assert "start_time_moved_to" not in scene.record("a")
    assert scene.statuses() == {"ACCEPTED": 1}


def test_pause_that_ends_outside_the_hours_rings_nobody_at_night() -> None:
    scene = scene_at("20:00:00")
    scene.plan(CodeAnswer(code=212), requests=None)
    scene.send("a")
    scene.send("today", start_time="2026-11-23T19:00:00+05:30")
    scene.run_for(3 * HOUR)
    scene.simulator.faults.clear()

    scene.run()

    assert scene.clock() < moment("23:30:00")
    assert rings_at(scene)[-1] == NEXT_MORNING
    assert scene.accepted() == {"FLOWAAAA/a": 1, "FLOWAAAA/today": 1}


def test_call_that_waits_past_the_end_of_its_start_date_expires() -> None:
    scene = scene_at("20:00:00")
    scene.plan(CodeAnswer(code=212), requests=None)
    scene.send("asked-for-today", start_time="2026-11-23T19:00:00+05:30")
    scene.send("asked-for-tonight", start_time="2026-11-23T22:00:00+05:30")
    scene.run_for(6 * HOUR)
    scene.simulator.faults.clear()

    scene.run()

    assert scene.record("asked-for-today")["status"] == "EXPIRED"
    # Outside the hours its start time means their next beginning, and that is on the next date.
    assert scene.record("asked-for-tonight")["status"] == "ACCEPTED"
    assert rings_at(scene)[-1] == NEXT_MORNING


@pytest.mark.parametrize("is_paused", [False, True])
def test_call_that_may_start_only_after_its_not_after_expires_at_once(*, is_paused: bool) -> None:
    scene = scene_at("21:30:00")
    if is_paused:
        scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    scene.send("late", not_after="2026-11-24T08:59:59+05:30")
    scene.send("late-too", start_time="2026-11-23T21:00:00+05:30", not_after="2026-11-23T22:00:00+05:30")

    scene.invoke()

    assert scene.statuses() == {"EXPIRED": 2}
    assert scene.gateway.bodies == []
    assert all("By the calling hours of its flow it may start at" in each.detail for each in scene.failures.published)
    assert len(scene.failures.published) == 2


def test_call_that_may_start_by_its_not_after_is_sent() -> None:
    scene = scene_at("21:30:00")
    scene.send("a", not_after=NEXT_MORNING)

    scene.run()

    assert list(start_times(scene)) == [{"a": NEXT_MORNING}]
    assert scene.statuses() == {"ACCEPTED": 1}


def test_lost_answer_just_before_the_end_is_asked_for_when_the_hours_begin_again() -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("a")
    scene.invoke()
    scene.clock.now = moment("20:59:00")

    quarters_of_an_hour(scene)

    assert [moment.hour for moment in scene.gateway.sent_at] == [15, 3]  # UTC: 20:58 and 09:00
    assert scene.clock() < moment("09:07:30", "2026-11-24")  # the shortest wait grows with each receive
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}
    assert scene.ingress.highest_receive_count < 100


def test_lost_request_just_before_the_end_is_unresolved_in_the_morning_and_never_rings() -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection())
    scene.send("a")
    scene.invoke()
    scene.clock.now = moment("20:59:00")

    quarters_of_an_hour(scene)

    # The API refuses the start date of the day before, so nobody is called. It may have been another reason.
    assert scene.accepted() == {}
    assert scene.statuses() == {"UNRESOLVED": 1}
    [failure] = scene.failures.published
    assert failure.detail == (
        "The API answered 210 INVALID_MANDATORY_PARAMETERS. The start date was over by then. "
        "It may have been delivered, and no further request can tell."
    )


def test_lost_answer_whose_deadline_comes_before_the_hours_is_unresolved_at_once() -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("a", "b", start_time="2026-11-23T10:00:00+05:30")
    scene.invoke()
    scene.clock.now = moment("21:00:00")

    scene.run()

    assert scene.clock() < moment("21:01:00")
    assert scene.statuses() == {"UNRESOLVED": 2}
    [failure] = scene.failures.published
    assert failure.detail == (
        f"The answer was lost, and a resend must wait for the calling hours of the flow, until {NEXT_MORNING}. "
        "Its deadline passes before that. It may have been delivered."
    )


def test_lost_answer_of_a_moved_start_is_asked_for_at_once() -> None:
    scene = scene_at("22:00:00")
    scene.plan(DroppedConnection())
    scene.send("a")

    scene.run()

    assert scene.clock() < moment("22:01:00")
    assert rings_at(scene) == [NEXT_MORNING, NEXT_MORNING]
    assert scene.statuses() == {"ACCEPTED": 1}


def test_lost_request_of_a_moved_start_rings_inside_the_hours_when_it_is_resent_there() -> None:
    scene = scene_at("22:00:00")
    scene.plan(DroppedConnection(), requests=1)
    scene.send("a")
    scene.invoke()
    scene.clock.now = moment("10:00:00", "2026-11-24")

    scene.run()

    assert rings_at(scene)[-1] == "2026-11-24T10:00:00+05:30"
    assert scene.statuses() == {"ACCEPTED": 1}


def test_hours_that_were_changed_hold_from_the_next_receive() -> None:
    scene = scene_at("20:00:00")
    scene.gateway.refused_connections = 1
    scene.send("a")
    scene.invoke()
    set_hours(scene, "10:00-19:00")

    scene.run()

    assert rings_at(scene) == ["2026-11-24T10:00:00+05:30"]
    assert scene.record("a")["start_time_moved_to"] == "2026-11-24T10:00:00+05:30"


@pytest.mark.parametrize(
    ("hours_before", "hours_now", "start_time"),
    [("", "09:00-21:00", NEXT_MORNING), ("09:00-21:00", "", TONIGHT), ("09:00-21:00", "10:00-23:00", TONIGHT)],
)
def test_hours_that_were_changed_with_the_security_id_hold_for_each_call(
    hours_before: str, hours_now: str, start_time: str
) -> None:
    scene = scene_at("10:00:00")
    scene.flows.flows["FLOWAAAA"] = replace(make_flow("FLOWAAAA"), calling_hours=hours_of(hours_before))
    scene.flows.refreshed["FLOWAAAA"] = replace(scene.rotated("FLOWAAAA"), calling_hours=hours_of(hours_now))
    scene.rotate_security_id("FLOWAAAA")
    scene.send("now")
    scene.send("tonight", start_time=TONIGHT)

    scene.run()

    assert [each["tonight"] for each in start_times(scene)][-1] == start_time
    assert scene.record("tonight").get("start_time_moved_to", TONIGHT) == start_time
    assert scene.statuses() == {"ACCEPTED": 2}


def test_call_that_changed_hours_move_behind_its_not_after_expires() -> None:
    scene = scene_at("10:00:00")
    scene.flows.flows["FLOWAAAA"] = make_flow("FLOWAAAA")
    changed = replace(scene.rotated("FLOWAAAA"), calling_hours=hours_of("09:00-21:00"))
    scene.flows.refreshed["FLOWAAAA"] = changed
    scene.rotate_security_id("FLOWAAAA")
    scene.send("now")
    scene.send("tonight", start_time=TONIGHT, not_after="2026-11-23T23:00:00+05:30")

    scene.run()

    assert scene.record("now")["status"] == "ACCEPTED"
    assert scene.record("tonight")["status"] == "EXPIRED"


def test_resend_obeys_the_hours_as_they_are_now() -> None:
    scene = scene_at("22:00:00")
    scene.plan(DroppedConnection())
    scene.send("a")
    scene.invoke()
    set_hours(scene, "10:00-19:00")
    scene.clock.now = moment("08:00:00", "2026-11-24")

    quarters_of_an_hour(scene)

    assert rings_at(scene)[-1][:16] == "2026-11-24T10:00"
    assert scene.statuses() == {"ACCEPTED": 1}


def test_resend_keeps_a_start_to_come_that_it_was_sealed_with() -> None:
    scene = scene_at("10:00:00", hours="09:00-23:00")
    scene.plan(DroppedConnection())
    scene.send("now")
    scene.send("tonight", start_time=TONIGHT)
    scene.invoke()
    set_hours(scene, "09:00-21:00")

    scene.run()

    assert [each["tonight"] for each in start_times(scene)] == [TONIGHT, TONIGHT]
    assert scene.accepted() == {"FLOWAAAA/now": 1, "FLOWAAAA/tonight": 1}


def test_hours_that_were_taken_out_hold_no_resend_back() -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.send("a")
    scene.invoke()
    scene.clock.now = moment("21:10:00")
    scene.invoke()
    scene.flows.flows["FLOWAAAA"] = make_flow("FLOWAAAA")

    scene.run()

    assert scene.clock() <= moment("21:25:00")
    assert scene.statuses() == {"PRESUMED_ACCEPTED": 1}


@pytest.mark.parametrize("error", [UnusableFlowError("not now"), UnknownFlowError("gone")], ids=repr)
def test_secret_that_cannot_be_read_lets_no_resend_ring_at_night(error: Exception) -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection())
    scene.send("a")
    scene.invoke()
    scene.flows.flows["FLOWAAAA"] = error
    scene.clock.now = moment("23:00:00")
    duplicate = scene.send("a")
    scene.deliver(scene.ingress.receive_these([duplicate]))  # a first receive looks at what is on record
    assert len(scene.gateway.bodies) == 1
    set_hours(scene, "09:00-21:00")

    scene.run(max_invocations=200)

    assert scene.accepted() == {}
    assert scene.statuses() == {"UNRESOLVED": 1}


def test_secret_that_cannot_be_read_still_ends_a_lost_request_at_its_deadline() -> None:
    scene = scene_at("20:58:30")
    scene.plan(DroppedConnection())
    scene.send("a", not_after="2026-11-23T23:00:00+05:30")
    scene.invoke()
    scene.flows.flows["FLOWAAAA"] = UnusableFlowError("not now")

    scene.run(max_invocations=500)

    assert scene.statuses() == {"UNRESOLVED": 1}
    assert len(scene.gateway.bodies) == 1


def test_first_send_whose_storing_took_until_the_last_minute_is_sealed_anew() -> None:
    scene = scene_at("20:58:55")
    table = scene.script_table()
    scene.send("a")
    table.at_write(before(lambda: scene.clock.pause(10.0)), "#envelope", times=1)

    scene.run()

    assert rings_at(scene) == [NEXT_MORNING]
    assert scene.record("a")["start_time_moved_to"] == NEXT_MORNING


def test_other_flow_without_hours_starts_at_any_time() -> None:
    scene = scene_at("22:00:00")
    scene.send("a", flow_id="FLOWBBBB")

    scene.run()

    assert "start_time_moved_to" not in scene.record("a", "FLOWBBBB")
    assert scene.statuses() == {"ACCEPTED": 1}


class SlowGateway(SimulatedGateway):
    """Each request takes seconds until the API reads it."""

    def __init__(self, scene: Scene, seconds: float) -> None:
        super().__init__(scene.simulator)
        self._scene = scene
        self._seconds = seconds

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        self._scene.clock.now += self._seconds
        return super().send(endpoint, body, timeout_seconds)


def test_call_sent_in_the_last_second_that_is_allowed_is_read_before_the_end() -> None:
    scene = scene_at("20:58:59")
    scene.gateway = SlowGateway(scene, seconds=30.0)
    scene.simulator.now = lambda: datetime.fromtimestamp(scene.clock.now + 2.0, UTC)
    scene.send("a")

    scene.run()

    assert rings_at(scene) == ["2026-11-23T20:59:31+05:30"]


def test_hours_that_come_with_a_new_secret_hold_for_each_call_that_the_old_one_refused() -> None:
    scene = scene_at("10:00:00", hours="09:00-23:00")
    new = replace(scene.rotated("FLOWAAAA"), calling_hours=parse_calling_hours("09:00-21:00"))
    scene.rotate_security_id("FLOWAAAA")
    scene.flows.refreshed["FLOWAAAA"] = new
    scene.send("now", start_time="2026-11-23T10:00:00+05:30")
    scene.send("tonight", start_time="2026-11-23T22:00:00+05:30")

    scene.run()

    assert list(start_times(scene))[-1] == {"now": "2026-11-23T10:00:00+05:30", "tonight": NEXT_MORNING}
    assert scene.record("tonight")["start_time_moved_to"] == NEXT_MORNING
    assert scene.accepted() == {"FLOWAAAA/now": 1, "FLOWAAAA/tonight": 1}
