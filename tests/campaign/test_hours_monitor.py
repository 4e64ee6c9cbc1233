"""What watches the calling hours finds calls that start outside them, and accepts what is allowed."""

from datetime import datetime

import pytest

from sealed_relay.kairos.seal import SealedRequest
from tests.campaign.evidence import Invariant
from tests.campaign.hours_monitor import HoursMonitor

FLOW = "FLOWAAAA"
SOONEST = "00:00:00"


def moment(time_of_day: str) -> float:
    return datetime.fromisoformat(f"2026-11-23T{time_of_day}+05:30").timestamp()


class Scene:
    """A flow whose secret has the hours 09:00 to 21:00 since midnight."""

    def __init__(self) -> None:
        self.now = moment("00:00:00")
        self.breaches: list[str] = []
        self.hours = HoursMonitor(lambda: self.now, self._breach)
        self.hours.changed(FLOW, "first", "09:00-21:00")

    def change(self, time_of_day: str, hours: str) -> None:
        self.now = moment(time_of_day)
        self.hours.changed(FLOW, "second", hours)

    def accept(
        self, left: str, accepted: str, start: str = SOONEST, *, is_resend: bool = False, version: str = "first"
    ) -> None:
        """The API accepts a call of a request that this version of the secret sealed."""
        self.now = moment(accepted)
        sealed = SealedRequest("r1", FLOW, "outbound", version, "", b"", ("a",), 0)
        call = {"client-identifier": "a", "start-time": f"2026-11-23T{start}+05:30"}
        self.hours.accepted(sealed, [call], moment(left), is_resend=is_resend)

    def _breach(self, invariant: Invariant, detail: str) -> None:
        assert invariant is Invariant.HOURS
        self.breaches.append(detail)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("left", "accepted", "start"),
    [
        ("09:00:00", "09:00:00", SOONEST),
        ("08:59:59", "08:59:59", SOONEST),  # by a clock that is a second ahead
        ("20:59:00", "20:59:30", SOONEST),
        ("03:00:00", "03:00:01", "09:00:00"),
        ("22:00:00", "22:00:01", "23:59:59"),
    ],
)
def test_start_inside_the_hours_is_allowed(scene: Scene, left: str, accepted: str, start: str) -> None:
    if start == "23:59:59":
        scene.change("21:30:00", "23:00-02:00")
    scene.accept(left, accepted, start, version="second" if start == "23:59:59" else "first")
    assert scene.breaches == []


@pytest.mark.parametrize(
    ("left", "accepted", "start"),
    [
        ("08:59:58", "08:59:58", SOONEST),
        ("20:59:02", "20:59:03", SOONEST),
        ("20:58:00", "21:00:00", SOONEST),
        ("12:00:00", "12:00:01", "20:59:30"),
        ("12:00:00", "12:00:01", "21:00:00"),
        ("22:00:00", "22:00:01", "22:30:00"),
    ],
)
def test_start_outside_the_hours_or_in_their_last_minute_is_found(
    scene: Scene, left: str, accepted: str, start: str
) -> None:
    scene.accept(left, accepted, start)
    assert len(scene.breaches) == 1


def test_first_send_is_held_to_the_hours_that_it_was_sealed_with(scene: Scene) -> None:
    scene.change("10:00:00", "14:00-21:00")
    scene.accept("10:00:10", "10:00:11", version="first")
    assert scene.breaches == []
    scene.accept("10:00:10", "10:00:11", version="second")
    assert len(scene.breaches) == 1


@pytest.mark.parametrize(("left", "breaches"), [("10:06:00", 0), ("10:07:00", 1)])
def test_resend_is_held_to_the_hours_of_now_once_no_secret_is_kept(scene: Scene, left: str, breaches: int) -> None:
    scene.change("10:00:00", "14:00-21:00")
    scene.accept(left, left, is_resend=True)
    assert len(scene.breaches) == breaches


def test_resend_keeps_a_start_to_come_that_it_was_sealed_with(scene: Scene) -> None:
    scene.change("10:00:00", "14:00-21:00")
    scene.accept("12:00:00", "12:00:01", "13:00:00", is_resend=True)
    assert scene.breaches == []
