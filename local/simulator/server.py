"""The HTTP server: the API's two endpoints and the control endpoints, on 127.0.0.1 only."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from local.simulator.answer_request import answer_request
from local.simulator.control_endpoints import STATE, control_application
from local.simulator.network_edge import REDIRECT_TARGET
from local.simulator.reply import Delivery, Reply
from local.simulator.state import SimulatorState

HOST = "127.0.0.1"
BASE_PATH = "/kairos-apis"

# Above the API's own limit, so that a too large body is read, refused by the API and counted by the audit.
_MAX_READ_BYTES = 16 * 1024 * 1024


@asynccontextmanager
async def serving(state: SimulatorState, port: int = 0) -> AsyncIterator[int]:
    """Serve until the block ends. Give the port: a free one if `port` is 0."""
    application = web.Application(client_max_size=_MAX_READ_BYTES)
    application[STATE] = state
    application.add_subapp("/control", control_application(state))
    application.router.add_post(BASE_PATH + "/enc/{endpoint:outbound|outbounddialer}/create", _create)
    application.router.add_route("*", REDIRECT_TARGET, _redirected)
    # No access log: it costs time, and nobody reads it. A short timeout: a planned latency must not delay the shutdown.
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
        answer_request,
        request.app[STATE],
        endpoint=request.match_info["endpoint"],
        source_ip=request.remote or "",
        body=body,
    )
    # The checks are part of the latency: parallel requests must not wait for each other's RSA operations in addition.
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
    # close, unlike abort, sends what was written before.
    if request.transport is not None:
        request.transport.close()
    return response


async def _redirected(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.audit.count_redirect_followed()
    return web.Response(text="A planned redirect led here.")
