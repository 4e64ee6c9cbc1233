"""What happens to a request before it reaches the API, and to the API's answer on its way back."""

import math
from dataclasses import replace

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PaddedAnswer, TruncatedAnswer
from local.simulator.reply import Delivery, Reply, html_page
from local.simulator.state import SimulatorState

MAX_BODY_BYTES = 262_144
REDIRECT_TARGET = "/redirected"

_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400
_CONTENT_TOO_LARGE, _TOO_MANY_REQUESTS = 413, 429


def over_the_rate(state: SimulatorState) -> Reply | None:
    """Admit a request, or turn it away with HTTP 429; one turned away does not count towards the rate.

    That the API limits the account, over a sliding minute, is assumed: only "500 a minute" is documented.
    """
    now = state.now()
    if state.admitted.count(now) < state.settings.requests_per_minute:
        state.admitted.add(now)
        return None
    return html_page(_TOO_MANY_REQUESTS, retry_after_seconds=max(1, math.ceil(state.admitted.seconds_until_fewer(now))))


def turned_away(body: bytes, fault: Fault) -> Reply | None:
    """Return the reply to a request that never reaches the API, None when it does."""
    match fault:
        case ForeignPage(after_accepting=False):
            return _page(fault)
        case DroppedConnection(after_accepting=False):
            return Reply(200, b"", delivery=Delivery.DROPPED)
    return html_page(_CONTENT_TOO_LARGE) if len(body) > MAX_BODY_BYTES else None


def spoiled(reply: Reply, fault: Fault) -> Reply:
    """Return what the client gets of the API's reply, after the request was judged."""
    match fault:
        case CodeAnswer(http_status=http_status):
            return replace(reply, http_status=http_status)
        case ForeignPage():
            return _page(fault)
        case DroppedConnection():
            return replace(reply, delivery=Delivery.DROPPED)
        case TruncatedAnswer():
            return replace(reply, delivery=Delivery.TRUNCATED)
        case PaddedAnswer(size_bytes=size_bytes):
            return replace(reply, body=reply.body.ljust(size_bytes))
    return reply


def _page(fault: ForeignPage) -> Reply:
    location = fault.location
    if location is None and _MULTIPLE_CHOICES <= fault.http_status < _BAD_REQUEST:
        location = REDIRECT_TARGET
    page = html_page(fault.http_status, location=location, retry_after_seconds=fault.retry_after_seconds)
    return page if fault.body is None else replace(page, body=fault.body.encode())
