"""Replies to a client: the API's JSON or a foreign page, and how much of it arrives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import msgspec

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}


class CallDetail(msgspec.Struct, frozen=True, rename="kebab"):
    """One accepted call, as the answer lists it."""

    client_identifier: str
    phonon_uuid: str


class ApiResponse(msgspec.Struct, frozen=True, rename="kebab"):
    """The API's answer; the verdict is `api_response_code`, not the HTTP status."""

    api_response_code: int
    api_response_message: str
    request_id: str
    call_details: tuple[CallDetail, ...] | None


class Delivery(Enum):
    """How much of a reply the client receives; the values are the audit's words."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, ready to be sent. `code` is the verdict in it, None without one."""

    http_status: int
    body: bytes
    code: int | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _HTML)
    delivery: Delivery = Delivery.WHOLE
    latency_seconds: float = 0


def api_reply(response: ApiResponse, http_status: int = 200) -> Reply:
    """Return the API's JSON as a reply."""
    return Reply(http_status, msgspec.json.encode(response), response.api_response_code, _JSON)


def html_page(http_status: int, *, location: str | None = None, retry_after_seconds: int | None = None) -> Reply:
    """Return a page as a proxy or an edge would send it."""
    headers = dict(_HTML)
    if location is not None:
        headers["Location"] = location
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return Reply(http_status, f"<html><title>{http_status} not the API</title></html>".encode(), None, headers)
