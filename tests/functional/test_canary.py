"""No personal data and no secret in any log line, metric, record or exception; in the failure queue in bodies alone."""

import io
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, TruncatedAnswer
from sealed_relay import handler
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.codes import CODES
from sealed_relay.kairos.flow import UnusableFlowError, parse_flow
from sealed_relay.observability.emitter import Telemetry
from tests.functional.canary_scene import CONTEXT, CanaryScene
from tests.support import canaries
from tests.support.flows import register
from tests.support.scene import Scene
from tests.support.sqs_events import arn_of, event_of

FLOW_ID = "ALERTS01"


@pytest.fixture
def watched(
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[CanaryScene]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SealedRelay")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "relay")
    caplog.set_level(logging.DEBUG)
    log = io.StringIO()
    metrics = Metrics()
    # Loggers of one service are one and the same for good; this one writes where this test reads.
    telemetry = Telemetry(Logger(request.node.name, level="DEBUG", stream=log), metrics)
    monkeypatch.setattr(handler, "telemetry", telemetry)
    monkeypatch.setattr(handler.logger.registered_handler, "stream", log)
    level = handler.logger.log_level
    handler.logger.setLevel("DEBUG")
    printed: list[str] = []

    def said() -> str:
        printed.extend(capfd.readouterr())
        return "\n".join([log.getvalue(), caplog.text, *printed])

    scene = Scene()
    flow = parse_flow(FLOW_ID, canaries.flow_secret())
    scene.flows.flows[FLOW_ID] = flow
    register(scene.simulator, flow)
    yield CanaryScene(scene, telemetry, said)
    handler.logger.setLevel(level)
    metrics.clear_metrics()


def test_delivered_call_leaves_only_its_sealed_envelope(watched: CanaryScene) -> None:
    watched.scene.ingress.send(canaries.message_of(FLOW_ID, "delivered"))

    watched.run()

    assert watched.scene.accepted() == {f"{FLOW_ID}/delivered": 1}
    assert '"SealedRelay"' in watched.said()
    assert "request sent" in watched.said()
    assert watched.secret_texts
    assert watched.leaks() == []


def test_refusal_that_quotes_the_number_stays_inside_the_relay(watched: CanaryScene) -> None:
    watched.scene.ingress.send(canaries.message_of(FLOW_ID, "refused", number=canaries.REFUSED_NUMBER))

    watched.run()

    assert canaries.REFUSED_NUMBER in watched.bodies_of_failures()
    assert "INVALID_CONTACT_NUMBER" in watched.said()
    assert watched.leaks() == []


@pytest.mark.parametrize("code", [*CODES, 999])
def test_answer_with_any_code_leaks_nothing(watched: CanaryScene, code: int) -> None:
    watched.scene.plan(CodeAnswer(code=code), requests=None)
    watched.scene.ingress.send(canaries.message_of(FLOW_ID, "one", "two"))

    watched.run()

    assert watched.leaks() == []


@pytest.mark.parametrize(
    "fault",
    [
        DroppedConnection(after_accepting=True),
        TruncatedAnswer(),
        *(ForeignPage(http_status=status, body=canaries.message_of(FLOW_ID, "x")) for status in (200, 403, 429, 502)),
        ForeignPage(http_status=302, location=f"http://127.0.0.1/{canaries.NUMBER}"),
    ],
    ids=["dropped", "truncated", "200", "403", "429", "502", "redirect"],
)
def test_unreadable_answer_is_not_quoted(watched: CanaryScene, fault: Fault) -> None:
    watched.scene.plan(fault, requests=3)
    watched.scene.ingress.send(canaries.message_of(FLOW_ID, "garbage"))

    watched.run()

    assert watched.leaks() == []


@pytest.mark.parametrize("what", canaries.UNREADABLE)
def test_unreadable_message_goes_on_as_its_body_only(watched: CanaryScene, what: str) -> None:
    watched.scene.ingress.send(canaries.UNREADABLE[what])

    watched.run()

    assert watched.bodies_of_failures() == canaries.UNREADABLE[what]
    assert watched.leaks() == []


def test_paused_call_is_logged_without_its_content(watched: CanaryScene) -> None:
    watched.scene.table.put({"call_id": "#pause/account", "reason": "MAINTENANCE"})
    watched.scene.ingress.send(canaries.message_of(FLOW_ID, "held"))

    watched.run()

    assert "messages deferred" in watched.said()
    assert "MessagesWaitingOnAccount" in watched.said()
    assert watched.leaks() == []


@pytest.mark.parametrize("flow_id", canaries.UNUSABLE_SECRETS)
def test_unusable_secret_is_not_shown(watched: CanaryScene, flow_id: str) -> None:
    with pytest.raises(UnusableFlowError) as caught:
        parse_flow(flow_id, canaries.UNUSABLE_SECRETS[flow_id])
    watched.scene.flows.flows[flow_id] = caught.value
    watched.scene.ingress.send(canaries.message_of(flow_id, "waits"))

    watched.run()

    assert "FLOW_SECRET_UNUSABLE" in watched.said()
    assert watched.leaks() == []


@pytest.mark.parametrize(
    ("part", "broken"),
    [
        *(("call_records", broken) for broken in ("claim", "settle")),
        *(("request_log", broken) for broken in ("store", "record_answer")),
        *(("admission", broken) for broken in ("pass_pauses", "take_permit")),
        ("flows", "get"),
        ("gateway", "connect"),
        ("failure_queue", "publish"),
        ("source_queues", "defer"),
    ],
)
def test_error_that_quotes_everything_is_logged_without_its_text(
    watched: CanaryScene, monkeypatch: pytest.MonkeyPatch, part: str, broken: str
) -> None:
    dependencies = watched.dependencies()
    body, other = canaries.message_of(FLOW_ID, "crash"), canaries.message_of(FLOW_ID, "beside")

    def fail(*_: object, **__: object) -> None:
        answer = {"Error": {"Code": "ValidationException", "Message": body}}
        raise ClientError(answer, "BatchExecuteStatement") from ValueError(body)  # type: ignore[arg-type]

    owner = dependencies.source_queues[Lane.INGRESS] if part == "source_queues" else getattr(dependencies, part)
    monkeypatch.setattr(owner, broken, fail)
    monkeypatch.setattr(handler, "_dependencies", lambda: dependencies)
    monkeypatch.setattr(handler, "_settings", lambda: SimpleNamespace(urgent_queue_arn=arn_of(Lane.URGENT)))
    watched.scene.ingress.send(body)
    watched.scene.ingress.send(other)
    watched.scene.ingress.send(f"unreadable {canaries.NUMBER}")
    if broken == "defer":
        watched.scene.plan(CodeAnswer(code=212))  # which pauses, and so there is a message to hand back
    event = event_of(watched.scene.ingress.receive(10))

    try:
        handler.lambda_handler(event, CONTEXT)
    except handler.BatchFailedError:
        logging.getLogger("runtime").exception("as the Lambda runtime logs it")
        assert broken in ("claim", "get")  # without these nothing of a batch can be done

    assert "ValidationException" in watched.said()
    assert watched.leaks() == []
