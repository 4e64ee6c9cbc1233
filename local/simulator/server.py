"""The simulator on the network: the API's two endpoints and the control endpoints, on 127.0.0.1 only."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from local.simulator.api import answer
from local.simulator.control import STATE, control_application
from local.simulator.edge import REDIRECT_TARGET
from local.simulator.reply import Delivery, Reply
from local.simulator.state import SimulatorState

HOST = "127.0.0.1"
BASE_PATH = "/kairos-apis"

# Room to read a body that is over the API's limit in full, so that the API refuses it and the audit counts it.
_MAX_READ_BYTES = 16 * 1024 * 1024


@asynccontextmanager
async def serving(state: SimulatorState, port: int = 0) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port, a free one for 0."""
    application = web.Application(client_max_size=_MAX_READ_BYTES)
    application[STATE] = state
    application.add_subapp("/control", control_application(state))
    application.router.add_post(BASE_PATH + "/enc/{endpoint:outbound|outbounddialer}/create", _create)
    application.router.add_route("*", REDIRECT_TARGET, _redirected)
    # No access log: it costs time, and nobody reads it. A planned latency must not hold up the end.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _create(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    arrived_at = time.monotonic()
    reply = await asyncio.to_thread(
        answer,
        request.app[STATE],
        endpoint=request.match_info["endpoint"],
        source_ip=request.remote or "",
        body=body,
    )
    # Judging is part of the latency: requests that come together are not to wait for each other's RSA as well.
    await asyncio.sleep(arrived_at + reply.latency_seconds - time.monotonic())
    return await _deliver(request, reply)


async def _deliver(request: web.Request, reply: Reply) -> web.StreamResponse:
    if reply.delivery is Delivery.TRUNCATED:
        return await _deliver_half(request, reply)
    if reply.delivery is Delivery.DROPPED and request.transport is not None:
        request.transport.abort()
    return web.Response(status=reply.http_status, body=reply.body, headers=reply.headers)


async def _deliver_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.http_status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    # close, unlike abort, lets the half that was written go out first.
    if request.transport is not None:
        request.transport.close()
    return response


async def _redirected(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.audit.count_redirect_followed()
    return web.Response(text="A planned redirect led here.")
