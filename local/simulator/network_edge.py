"""Applies planned faults, and limits of rate and size, on the way between client and API."""

import math
from dataclasses import replace

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, PaddedAnswer, TruncatedAnswer
from local.simulator.reply import Delivery, Reply, html_page
from local.simulator.state import SimulatorState

MAX_BODY_BYTES = 262_144
REDIRECT_TARGET = "/redirected"

_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400
_CONTENT_TOO_LARGE, _TOO_MANY_REQUESTS = 413, 429


def enforce_rate_limit(state: SimulatorState) -> Reply | None:
    """Admit a request and return None, or return HTTP 429. A refused request does not count towards the rate.

    The limit is per account and over a sliding minute. Both are assumed: only "500 a minute" is documented.
    """
    now = state.now()
    if state.admitted.count(now) < state.settings.requests_per_minute:
        state.admitted.add(now)
        return None
    return html_page(_TOO_MANY_REQUESTS, retry_after_seconds=max(1, math.ceil(state.admitted.seconds_until_fewer(now))))


def refuse_at_edge(body: bytes, fault: Fault) -> Reply | None:
    """Return the reply to a request that does not reach the API, or None if it does."""
    match fault:
        case ForeignPage(after_accepting=False):
            return _page(fault)
        case DroppedConnection(after_accepting=False):
            return Reply(200, b"", delivery=Delivery.DROPPED)
    return html_page(_CONTENT_TOO_LARGE) if len(body) > MAX_BODY_BYTES else None


def apply_fault(reply: Reply, fault: Fault) -> Reply:
    """Return what the client receives of the API's reply, after the API has checked the request."""
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
