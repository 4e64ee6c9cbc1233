"""The page of `make dashboard`, in a real browser, over what the local stack really emitted."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from local.dashboard.body import MetricWidget, TextWidget, Widget
from local.dashboard.browser import CHROMIUM, dump, photograph
from local.dashboard.picture import Drawn, draw
from local.dashboard.server import serving
from local.dashboard.sources import Sources, is_had
from local.stack.stack_files import Stack
from tests.integration.local_stack.eventually import eventually

pytestmark = pytest.mark.stack

REFUSED_NUMBER = "910000000205"
LARGEST_PLAIN_PNG_BYTES = 60_000


@pytest.fixture(scope="module")
def sources(stack: Stack) -> Iterator[Sources]:
    """Sources that have seen a call accepted, one rejected and a message that cannot be read."""
    sqs = stack.aws().session().client("sqs", endpoint_url=stack.endpoint_url)
    queue_url = stack.outputs["IngressQueueUrl"]
    for name, number in {"drawn-1": "910000000001", "drawn-2": REFUSED_NUMBER}.items():
        calls = [{"client-identifier": name, "contact-numbers": [number]}]
        sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"flow-id": stack.flow_ids[0], "calls": calls}))
    sqs.send_message(QueueUrl=queue_url, MessageBody="unreadable")
    sqs.close()
    made = Sources(stack)
    yield made
    made.close()


def picture(sources: Sources) -> Drawn:
    sources.collect()
    return draw(sources.widgets(), sources.alarms(), sources.store, is_had, now=time.time(), minutes=60)


def totals(drawn: Drawn) -> dict[str, float]:
    """The sum of each series that is a count, by what the legend calls it."""
    series = [line for widget in drawn["widgets"] for line in widget.get("series", []) if "points" in line]
    return {line["label"]: sum(value or 0 for _, value in line["points"]) for line in series}


def test_dashboard_numbers_match_what_the_stack_did(sources: Sources) -> None:
    def seen() -> dict[str, float]:
        return totals(picture(sources))

    names = {"ACCEPTED", "REJECTED", "200 SUCCESS", "205 INVALID_CONTACT_NUMBER", "INVALID_MESSAGE", "longest"}
    assert eventually(lambda: all(seen()[name] >= 1 for name in names)), seen()
    once = seen()
    assert seen()["ACCEPTED"] == once["ACCEPTED"]


def test_every_series_has_numbers_or_is_named_as_unavailable(sources: Sources) -> None:
    series = [line for widget in picture(sources)["widgets"] for line in widget.get("series", [])]
    assert {line["missing"] for line in series if "missing" in line} == {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisibleInQuietGroups",
        "ApproximateNumberOfNoisyGroups",
        "NumberOfMessagesSent",
        "ConcurrentExecutions",
        "Errors",
        "Throttles",
    }
    measured = {line["label"] for line in series if any(value is not None for _, value in line.get("points", []))}
    assert {
        "received, also if deferred before (relay)",
        "waiting for a person",
        "average",
        "p99",
        "longest",
    } <= measured


def test_dashboard_shows_the_deployed_alarms(sources: Sources) -> None:
    def states_now() -> dict[str, str]:
        [tiles] = [widget["alarms"] for widget in picture(sources)["widgets"] if widget["type"] == "alarm"]
        return {tile["name"]: tile["state"] for tile in tiles}

    # The log may show the numbers of earlier tests before this one's failures have arrived.
    assert eventually(lambda: states_now()["failure-queue"] == "ALARM")
    states = states_now()
    assert states["delivery-overdue"] == "OK"
    assert states["function-errors"] == "not evaluated locally"
    assert states["redriven"] == "not on the local AWS"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)")
def test_browser_draws_the_widgets_of_the_template(stack: Stack, sources: Sources, tmp_path: Path) -> None:
    widgets: list[Widget] = sources.widgets()

    async def look() -> str:
        async with serving(Sources(stack)) as url:
            await photograph(url, tmp_path / "first", tmp_path / "page.png", 1600, 2600)
            return await dump(url, tmp_path / "second")

    document = asyncio.run(look())
    boxes = [widget.box for widget in widgets]
    places = [f"--column: {b.x + 1} / span {b.width}; --row: {b.y + 1} / span {b.height};" for b in boxes]
    assert re.findall(r'class="widget [^"]+" style="([^"]+)"', document) == places
    metric_widgets = [widget for widget in widgets if isinstance(widget, MetricWidget)]
    headings = [unescape(heading) for heading in re.findall(r"<h3[^>]*>(.*?)</h3>", document)]
    assert headings == [widget.title for widget in widgets if not isinstance(widget, TextWidget)]
    assert document.count("js-plotly-plot") == sum(widget.view == "timeSeries" for widget in metric_widgets)
    assert re.search(r"<b>[1-9][0-9]*</b>ACCEPTED", document)
    assert "Not available locally: errors (Errors), throttles (Throttles)" in document
    assert 'data-drawn="fresh"' in document
    assert (tmp_path / "page.png").stat().st_size > LARGEST_PLAIN_PNG_BYTES
