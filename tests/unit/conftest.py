"""Properties are held to their truth, never to a time limit; and telemetry is read back as it was written."""

import io
import json
from collections.abc import Iterator

import pytest
from aws_lambda_powertools import Logger, Metrics
from hypothesis import settings

from sealed_relay.observability.emitter import Telemetry
from sealed_relay.observability.events import Observation
from tests.support.telemetry_lines import Lines, Observe

settings.register_profile("sealed-relay", deadline=None)
settings.load_profile("sealed-relay")


@pytest.fixture
def observe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Observe]:
    """Observe, flush, and give the log lines and the metrics' lines."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SealedRelay")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "relay")
    log = io.StringIO()
    # Loggers of one service are one and the same for good; this one writes where this test reads.
    logger = Logger(request.node.name, level="DEBUG", stream=log)
    metrics = Metrics()
    telemetry = Telemetry(logger, metrics)

    def run(*observations: Observation) -> tuple[Lines, Lines]:
        for observation in observations:
            telemetry.observe(observation)
        telemetry.flush()
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        log.truncate(log.seek(0))
        return lines, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield run
    metrics.clear_metrics()
