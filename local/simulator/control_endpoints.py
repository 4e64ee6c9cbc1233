"""The control endpoints, by which a person or a test controls the simulator. Listed in the package's docstring."""

from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from local.simulator.audit import Audit
from local.simulator.faults import PlannedFault
from local.simulator.flows import FlowRegistration, flow_from
from local.simulator.state import Settings, SimulatorState

STATE = web.AppKey("state", SimulatorState)


def control_application(state: SimulatorState) -> web.Application:
    """Return the application to be mounted at /control."""
    application = web.Application(middlewares=[_errors])
    application[STATE] = state
    application.add_routes(_ROUTES)
    return application


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValueError as error:
        return _json({"error": str(error)}, HTTPStatus.BAD_REQUEST)


async def _list_flows(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        return _json(sorted(state.flows))


async def _register_flow(request: web.Request) -> web.Response:
    flow = flow_from(msgspec.json.decode(await request.read(), type=FlowRegistration))
    state = request.app[STATE]
    with state.lock:
        state.flows[flow.flow_id] = flow
    return _done()


async def _remove_flow(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.flows.pop(request.match_info["flow_id"], None)
    return _done()


async def _settings(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        return _json(state.settings)


async def _change_settings(request: web.Request) -> web.Response:
    changes = msgspec.json.decode(await request.read(), type=dict[str, object])
    state = request.app[STATE]
    with state.lock:
        state.settings = msgspec.convert(msgspec.to_builtins(state.settings) | changes, Settings)
        return _json(state.settings)


async def _planned_faults(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        return _json(list(state.faults))


async def _plan_fault(request: web.Request) -> web.Response:
    planned = msgspec.json.decode(await request.read(), type=PlannedFault)
    state = request.app[STATE]
    with state.lock:
        state.faults.plan(planned)
    return _done()


async def _clear_faults(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.faults.clear()
    return _done()


async def _audit(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        return _json(state.audit.report())


async def _accepted_calls(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        return _json(state.audit.accepted)


async def _reset_audit(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.audit = Audit()
    return _done()


async def _reset(request: web.Request) -> web.Response:
    state = request.app[STATE]
    with state.lock:
        state.reset()
    return _done()


def _json(document: object, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")


def _done() -> web.Response:
    return web.Response(status=HTTPStatus.NO_CONTENT)


_ROUTES = [
    web.get("/flows", _list_flows),
    web.post("/flows", _register_flow),
    web.delete("/flows/{flow_id}", _remove_flow),
    web.get("/settings", _settings),
    web.patch("/settings", _change_settings),
    web.get("/faults", _planned_faults),
    web.post("/faults", _plan_fault),
    web.delete("/faults", _clear_faults),
    web.get("/audit", _audit),
    web.get("/audit/calls", _accepted_calls),
    web.delete("/audit", _reset_audit),
    web.post("/reset", _reset),
]
