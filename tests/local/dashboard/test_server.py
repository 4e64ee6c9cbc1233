"""The page's server, without a stack."""

import asyncio
from http import HTTPStatus

import aiohttp

from local.dashboard.server import serving
from local.dashboard.sources import Sources
from local.stack.stack_files import Stack

NOBODY_LISTENS = "http://127.0.0.1:1"
GONE = Stack(
    endpoint_url=NOBODY_LISTENS,
    region="ap-south-1",
    outputs={"RelayFunctionName": "relay", "IngressQueueUrl": "x", "FailureQueueUrl": "x", "DashboardName": "x"},
    gateway_base_url=NOBODY_LISTENS,
    access_key_id="id",
    secret_access_key="secret",
)


def answers(*paths: str) -> list[tuple[int, bytes]]:
    async def ask() -> list[tuple[int, bytes]]:
        found = []
        async with serving(Sources(GONE)) as url, aiohttp.ClientSession() as client:
            assert url.startswith("http://127.0.0.1:")
            for path in paths:
                async with client.get(url + path) as response:
                    found.append((response.status, await response.read()))
        return found

    return asyncio.run(ask())


def test_page_loads_nothing_from_elsewhere() -> None:
    [page, script, style, library] = answers("", "static/page.js", "static/page.css", "plotly.js")
    assert {status for status, _ in (page, script, style, library)} == {HTTPStatus.OK}
    assert not [text for _, text in (page, script, style) if b"//" in text.replace(b"// ", b"")]
    assert library[1].startswith(b"/**\n* plotly.js v")


def test_stack_that_is_gone_gives_an_error_and_no_picture() -> None:
    [(status, text)] = answers("picture.json")
    assert (status, text) == (HTTPStatus.SERVICE_UNAVAILABLE, b"EndpointConnectionError")
