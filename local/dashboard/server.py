"""The page on the network: on 127.0.0.1 only, with nothing fetched from anywhere else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from botocore.exceptions import BotoCoreError, ClientError

from local.dashboard.picture import Drawn, draw
from local.dashboard.sources import Sources, is_had
from local.stack.paths import ENVIRONMENTS

HOST = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"
_DEFAULT_MINUTES, _MAX_MINUTES = 15, 180
_SOURCES = web.AppKey("sources", Sources)
_READING = web.AppKey("reading", asyncio.Lock)


@asynccontextmanager
async def serving(sources: Sources, port: int = 0) -> AsyncIterator[str]:
    """Serve until the block ends, then close the sources; gives the page's address. A free port for 0."""
    application = web.Application()
    application[_SOURCES] = sources
    application[_READING] = asyncio.Lock()
    application.add_routes([web.get("/", _page), web.get("/picture.json", _picture), web.get("/plotly.js", _plotly)])
    application.router.add_static("/static", _STATIC)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
        sources.close()


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "page.html")


async def _plotly(_: web.Request) -> web.FileResponse:
    [library] = (ENVIRONMENTS / "dashboard").glob("lib/*/site-packages/plotly/package_data/plotly.min.js")
    return web.FileResponse(library)


async def _picture(request: web.Request) -> web.Response:
    minutes = min(int(request.query.get("minutes", _DEFAULT_MINUTES)), _MAX_MINUTES)
    # One reader at a time; and numbers are taken only while somebody looks.
    async with request.app[_READING]:
        try:
            return web.json_response(await asyncio.to_thread(_take_and_draw, request.app[_SOURCES], minutes))
        except (BotoCoreError, ClientError) as error:
            raise web.HTTPServiceUnavailable(text=type(error).__name__) from error


def _take_and_draw(sources: Sources, minutes: int) -> Drawn:
    sources.collect()
    widgets, alarms = sources.widgets(), sources.alarms()
    return draw(widgets, alarms, sources.store, is_had, lines=sources.lines, now=time.time(), minutes=minutes)
