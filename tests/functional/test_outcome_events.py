"""Each final outcome of a call is one event, and nothing else is one: the template's pipe over real stream records."""

from collections.abc import Callable

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, PartialSuccess
from tests.support import scene as scenes
from tests.support.outcome_events import StreamedTable, check_events
from tests.support.scene import Scene

pytestmark = pytest.mark.stack

PAUSING_CODE = 212
REFUSING_CODE = 205
TRANSIENT_CODE = 500
REPEATED_CODE = 201


@pytest.fixture
def scene(streamed_table: Callable[[], StreamedTable], monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(scenes, "new_table", streamed_table)
    return Scene()


def events_of(scene: Scene) -> list[dict[str, str]]:
    assert isinstance(scene.table, StreamedTable)
    return check_events(scene.table)


def test_accepted_call_is_one_event_with_every_attribute(scene: Scene) -> None:
    scene.send("a")
    scene.run()
    record = scene.record("a")

    assert events_of(scene) == [
        {
            "flow-id": "FLOWAAAA",
            "client-identifier": "a",
            "status": "ACCEPTED",
            "code": "200",
            "reason": "SUCCESS",
            "request-id": record["request_id"],
            "api-request-id": record["api_request_id"],
            "phonon-uuid": record["phonon_uuid"],
            "attempts": "1",
            "message-id": "message-1",
            "created-at": record["created_at"],
            "updated-at": record["updated_at"],
            "expires-at": str(record["expires_at"]),
        }
    ]


def test_expired_call_is_one_event_without_a_code(scene: Scene) -> None:
    scene.send("a", not_after="2026-11-23T04:00:00Z")
    scene.run()

    [event] = events_of(scene)
    assert (event["status"], event["code"], event["phonon-uuid"]) == ("EXPIRED", "", "")


def test_call_that_waits_and_pauses_first_is_one_event_at_its_end(scene: Scene) -> None:
    scene.send("a", "b")
    scene.plan(CodeAnswer(code=PAUSING_CODE))
    scene.plan(CodeAnswer(code=TRANSIENT_CODE))
    scene.invoke()
    assert scene.statuses() == {"WAITING": 2}
    assert events_of(scene) == []

    scene.run()
    assert [event["status"] for event in events_of(scene)] == ["ACCEPTED"] * 2


def test_lost_answer_is_one_event_for_each_call_of_the_request(scene: Scene) -> None:
    scene.send("a", "b")
    scene.plan(DroppedConnection(after_accepting=True))
    scene.run()

    assert {event["status"] for event in events_of(scene)} == {"PRESUMED_ACCEPTED"}


def test_partial_success_is_one_event_for_each_call(scene: Scene) -> None:
    scene.send("a", "b", "c")
    scene.plan(PartialSuccess())
    scene.plan(CodeAnswer(code=REFUSING_CODE), requests=None)
    scene.run()

    assert sorted(event["status"] for event in events_of(scene)) == ["ACCEPTED", "ACCEPTED", "REJECTED"]


def test_call_of_which_nobody_can_tell_is_one_event(scene: Scene) -> None:
    scene.send("a")
    scene.plan(CodeAnswer(code=REPEATED_CODE))
    scene.run()

    [event] = events_of(scene)
    assert event["status"] == "UNRESOLVED"


def test_retry_of_a_failed_call_is_a_second_event_of_the_call(scene: Scene) -> None:
    scene.send("a")
    scene.plan(CodeAnswer(code=REFUSING_CODE))
    scene.run()
    scene.let_the_retry_margin_pass()
    scene.send("a")
    scene.run()

    first, second = events_of(scene)
    assert (first["status"], second["status"]) == ("REJECTED", "ACCEPTED")
    assert first["request-id"] != second["request-id"]


def test_duplicate_and_unreadable_message_and_reused_identifier_are_no_events(scene: Scene) -> None:
    scene.send("a")
    scene.send("a")
    scene.ingress.send("no JSON")
    scene.run()
    scene.send("a", keys=[{"name": "$flow.key.n", "value": "other"}])
    scene.run()

    assert len(events_of(scene)) == 1


def test_removal_of_a_record_is_no_event(scene: Scene) -> None:
    scene.send("a")
    scene.run()
    scene.table.remove("FLOWAAAA/a")

    assert len(events_of(scene)) == 1


def test_identifier_cannot_write_into_its_event(scene: Scene) -> None:
    scene.send('a", "status": "ACCEPTED', "b\\", "50%")
    scene.plan(CodeAnswer(code=REFUSING_CODE), requests=None)
    scene.run()

    events = events_of(scene)
    assert {event["status"] for event in events} == {"REJECTED"}
    identifiers = {event["client-identifier"] for event in events}
    assert identifiers == {"a%22, %22status%22: %22ACCEPTED", "b%5C", "50%25"}


def test_event_holds_nothing_of_the_calls_content(scene: Scene) -> None:
    scene.send("a", contact_numbers=["917700000077"], keys=[{"name": "$flow.key.n", "value": "secret value"}])
    scene.run()

    assert "917700000077" not in str(events_of(scene))
    assert "secret value" not in str(events_of(scene))
