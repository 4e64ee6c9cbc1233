"""The function's entry: its answer, its log and its metrics, and that no personal data is in any of them."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sealed_relay_replay import handler
from sealed_relay_replay.event import InvalidEventError
from sealed_relay_replay.ports import Dependencies
from tests.functional.replay.scene import Scene
from tests.support import canaries
from tests.support.failure_queue import InMemoryIngressEnd

CONTEXT: Any = SimpleNamespace(
    function_name="replay",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 300_000,
)
Say = Callable[[], str]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene that the handler works on; its clock tells the real time, for that is what the handler looks at."""
    scene = Scene()
    scene.clock.now = time.time()
    compose(monkeypatch, scene.dependencies())
    return scene


@pytest.fixture
def said(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Say]:
    """All that was logged or printed so far, every logger at its lowest level."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SealedRelay")
    monkeypatch.setattr(handler.metrics.provider, "namespace", "SealedRelay")
    monkeypatch.setattr(handler.metrics.provider, "service", "sealed-relay-dev")
    caplog.set_level(logging.DEBUG)
    log = io.StringIO()
    monkeypatch.setattr(handler.logger.registered_handler, "stream", log)
    level = handler.logger.log_level
    handler.logger.setLevel("DEBUG")
    printed: list[str] = []

    def say() -> str:
        printed.extend(capfd.readouterr())
        return "\n".join([log.getvalue(), caplog.text, *printed])

    yield say
    handler.logger.setLevel(level)
    handler.metrics.clear_metrics()


def compose(monkeypatch: pytest.MonkeyPatch, dependencies: Dependencies) -> None:
    monkeypatch.setattr(handler, "_dependencies", lambda: replace(dependencies, moved=handler._count))  # noqa: SLF001 - the handler's own


def test_the_answer_is_json_with_counts_by_reason(scene: Scene, said: Say) -> None:
    scene.fail("a")
    answer = handler.lambda_handler({}, CONTEXT)
    counts = {"seen": 1, "chosen": 1, "withheld": 0, "delivered": 0, "moved": 0, "left": 1}
    assert json.loads(json.dumps(answer)) == {
        "dry_run": True,
        "complete": True,
        "total": counts,
        "by_reason": {"NO_DATA_AVAILABLE": counts},
    }
    assert '"replay ended"' in said()
    assert "ReplayedMessages" not in said()


def test_messages_and_calls_that_went_over_are_metrics_of_the_service(scene: Scene, said: Say) -> None:
    scene.fail("a", "b")
    scene.fail("c")
    handler.lambda_handler({"dry_run": False}, CONTEXT)
    [line] = [json.loads(line) for line in said().splitlines() if line.startswith('{"_aws"')]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("SealedRelay", [["service"]])
    assert line["service"] == "sealed-relay-dev"
    assert (sum(line["ReplayedMessages"]), sum(line["ReplayedCalls"])) == (2, 3)


def test_an_event_that_cannot_be_read_touches_nothing(scene: Scene, said: Say) -> None:
    scene.fail("a")
    with pytest.raises(InvalidEventError, match="`reason`"):
        handler.lambda_handler({"reason": ["EXPIRED"], "dry_run": False}, CONTEXT)
    assert scene.sent == []
    assert "replay ended" not in said()


def fill_with_canaries(scene: Scene) -> None:
    scene.queue.put(canaries.message_of("ALERTS01", "one", "two"), "INVALID_CONTACT_NUMBER", 205)
    scene.queue.put(canaries.message_of("ALERTS01", "late"), "EXPIRED")
    for body in canaries.UNREADABLE.values():
        scene.queue.put(body, "INVALID_MESSAGE")
        scene.queue.put(body)


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_body_and_no_number_is_told_logged_or_counted(scene: Scene, said: Say, *, dry_run: bool) -> None:
    fill_with_canaries(scene)
    event = {"reasons": ["INVALID_CONTACT_NUMBER", "EXPIRED", "INVALID_MESSAGE", "REDRIVEN"], "dry_run": dry_run}

    answer = handler.lambda_handler(event, CONTEXT)

    assert answer["total"]["moved"] == (0 if dry_run else answer["total"]["seen"])
    assert canaries.found_in(said(), json.dumps(answer)) == []


def test_of_a_fault_only_its_type_and_code_are_told_with_how_far_the_run_had_come(
    scene: Scene, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_with_canaries(scene)

    def fail(body: str) -> None:
        raise ClientError({"Error": {"Code": "Throttled", "Message": body}}, "SendMessageBatch") from ValueError(body)

    compose(monkeypatch, scene.dependencies(ingress_queue=InMemoryIngressEnd(fail)))
    with pytest.raises(handler.ReplayFailedError) as caught:
        handler.lambda_handler({"dry_run": False}, CONTEXT)
    logging.getLogger("runtime").error("as the Lambda runtime logs it", exc_info=caught.value)

    assert "ClientError: Throttled at SendMessageBatch; 0 of " in str(caught.value)
    assert '"replay failed"' in said()
    assert canaries.found_in(said()) == []


def test_an_entry_does_not_show_its_body(scene: Scene) -> None:
    scene.queue.put(canaries.message_of("ALERTS01", "one"), "EXPIRED")
    assert canaries.found_in(repr(scene.queue.receive(1, 60))) == []
