"""The handler: its answer, its log and its metrics. None of them has personal data in it."""

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

from sealed_relay_operations import handler
from sealed_relay_operations.ports import Dependencies
from tests.functional.operations.scene import Scene
from tests.support import canaries
from tests.support.failure_queue import InMemorySourceQueue

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
    """The queues and records that the handler works on. The scene's clock has the real time, as the handler has."""
    scene = Scene()
    scene.clock.now = time.time()
    compose(monkeypatch, scene.dependencies())
    return scene


@pytest.fixture
def said(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Say]:
    """All that was logged or printed so far, with each logger at its lowest level."""
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
    monkeypatch.setattr(handler, "make_dependencies", lambda: dependencies)


def test_answer_is_json_with_counts_by_reason(scene: Scene, said: Say) -> None:
    scene.fail("a")
    answer = handler.lambda_handler({"action": "replay"}, CONTEXT)
    counts = {
        "seen": 1,
        "chosen": 1,
        "withheld": 0,
        "delivered": 0,
        "identifier_reused": 0,
        "too_young": 0,
        "moved": 0,
        "left": 1,
    }
    assert json.loads(json.dumps(answer)) == {
        "dry_run": True,
        "complete": True,
        "moved_calls": 0,
        "total": counts,
        "by_reason": {"NO_DATA_AVAILABLE": counts},
    }
    assert '"replay ended"' in said()
    assert "ReplayedMessages" not in said()


def test_moved_messages_and_calls_are_metrics_of_the_service(scene: Scene, said: Say) -> None:
    scene.fail("a", "b")
    scene.fail("c")
    handler.lambda_handler({"action": "replay", "dry_run": False}, CONTEXT)
    [line] = [json.loads(line) for line in said().splitlines() if line.startswith('{"_aws"')]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("SealedRelay", [["service"]])
    assert line["service"] == "sealed-relay-dev"
    assert (line["ReplayedMessages"], line["ReplayedCalls"]) == ([2], [3])


def test_request_that_is_refused_changes_nothing_and_answers_why(scene: Scene, said: Say) -> None:
    scene.fail("a")
    answer = handler.lambda_handler({"action": "replay", "reason": ["+919900000001"], "dry_run": False}, CONTEXT)
    assert answer.keys() == {"error"}
    assert answer["error"].startswith("The request has the unknown field `reason`: allowed are action, reasons, ")
    assert scene.sent == []
    assert '"request refused"' in said()
    assert "919900000001" not in said()


def fill_with_canaries(scene: Scene) -> None:
    scene.queue.put(canaries.message_of("ALERTS01", "one", "two"), "INVALID_CONTACT_NUMBER", 205)
    scene.queue.put(canaries.message_of("ALERTS01", "late"), "EXPIRED")
    for body in canaries.UNREADABLE.values():
        scene.queue.put(body, "INVALID_MESSAGE")
        scene.queue.put(body)


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_personal_data_is_answered_logged_or_in_a_metric(scene: Scene, said: Say, *, dry_run: bool) -> None:
    fill_with_canaries(scene)
    event: dict[str, object] = {
        "action": "replay",
        "reasons": ["INVALID_CONTACT_NUMBER", "EXPIRED", "INVALID_MESSAGE", "REDRIVEN"],
        "dry_run": dry_run,
    }

    answer = handler.lambda_handler(event, CONTEXT)

    assert answer["total"]["moved"] == (0 if dry_run else answer["total"]["seen"])
    assert canaries.found_in(said(), json.dumps(answer)) == []


def test_error_of_aws_is_told_by_type_and_code_with_the_counts(
    scene: Scene, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_with_canaries(scene)

    def fail(body: str) -> None:
        raise ClientError({"Error": {"Code": "Throttled", "Message": body}}, "SendMessageBatch") from ValueError(body)

    compose(monkeypatch, scene.dependencies(ingress_queue=InMemorySourceQueue(fail)))
    with pytest.raises(handler.ActionFailedError) as caught:
        handler.lambda_handler({"action": "replay", "dry_run": False}, CONTEXT)
    logging.getLogger("runtime").error("as the Lambda runtime logs it", exc_info=caught.value)

    assert "ClientError: Throttled at SendMessageBatch; 0 of " in str(caught.value)
    assert '"replay failed"' in said()
    assert canaries.found_in(said()) == []


def test_repr_of_an_entry_has_no_body(scene: Scene) -> None:
    scene.queue.put(canaries.message_of("ALERTS01", "one"), "EXPIRED")
    assert canaries.found_in(repr(scene.queue.receive(1, 60))) == []


def audit_lines(said: Say) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in said().splitlines() if line.startswith('{"level"')]
    return [line for line in lines if "action" in line]


def asked_by(**context: object) -> Any:  # noqa: ANN401 - as Lambda's context
    return SimpleNamespace(**{**vars(CONTEXT), **context})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"action": "pause", "flow": "ALERTS01", "reason": "MAINTENANCE"}, "paused"),
        ({"action": "resume", "flow": "ALERTS01"}, "resumed"),
        ({"action": "status"}, "status told"),
        ({"action": "replay"}, "replay ended"),
    ],
)
def test_each_action_writes_one_line_with_who_asked(
    scene: Scene, said: Say, event: dict[str, str], message: str
) -> None:
    assert scene.table_items == {}
    handler.lambda_handler(event, asked_by(client_context=SimpleNamespace(custom={"asked_by": "Zoe\n of support"})))

    [line] = audit_lines(said)

    assert (line["message"], line["action"], line["asked_by"]) == (message, event["action"], "Zoe of support")
    assert line["function_request_id"] == "request"
    assert line.get("paused") == event.get("flow")


def test_line_of_a_pause_and_its_end_tells_reason_and_since(scene: Scene, said: Say) -> None:
    answer = handler.lambda_handler({"action": "pause", "reason": "MAINTENANCE"}, CONTEXT)
    handler.lambda_handler({"action": "resume"}, CONTEXT)

    told = [(line["paused"], line["reason"], line["since"]) for line in audit_lines(said)]

    assert told == [("account", "MAINTENANCE", answer["now"]["since"])] * 2
    assert scene.table_items == {}


@pytest.mark.parametrize(
    ("context", "who"),
    [
        (CONTEXT, "not told"),
        (asked_by(client_context=None, identity=SimpleNamespace(cognito_identity_id=None)), "not told"),
        (asked_by(client_context=SimpleNamespace(custom=None)), "not told"),
        (asked_by(client_context=SimpleNamespace(custom={"asked_by": ["Zoe"]})), "not told"),
        (asked_by(client_context=SimpleNamespace(custom={"asked_by": "x" * 1000})), "x" * 100),
        (asked_by(identity=SimpleNamespace(cognito_identity_id="eu-west-1:1")), "eu-west-1:1"),
    ],
)
def test_who_asked_is_told_as_far_as_the_context_tells(scene: Scene, said: Say, context: Any, who: str) -> None:  # noqa: ANN401
    handler.lambda_handler({"action": "status"}, context)
    assert [line["asked_by"] for line in audit_lines(said)] == [who]
    assert scene.sent == []


def test_error_of_aws_in_a_pause_is_told_by_type_and_code(
    scene: Scene, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def put(self, key: str, item: object) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "Throttled", "Message": f"{key}{item}"}}, "PutItem")

    failing: Any = Failing()
    compose(monkeypatch, replace(scene.dependencies(), pauses=failing))
    with pytest.raises(handler.ActionFailedError, match=r"^ClientError: Throttled at PutItem\.$"):
        handler.lambda_handler({"action": "pause", "reason": "MAINTENANCE"}, CONTEXT)
    [line] = audit_lines(said)
    assert (line["message"], line["action"]) == ("operation failed", "pause")
