"""Which calls go out together: requests with ids made up front, before anything is claimed, sealed or sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from sealed_relay.batch.packing import pack
from sealed_relay.calls.message import Call, service_time
from sealed_relay.calls.outcome import Outcome, Status, coded
from sealed_relay.kairos.codes import Scope, code_of
from sealed_relay.kairos.encryption import largest_payload_bytes, payload_of
from sealed_relay.kairos.flow import Flow

NONCE_BYTES = 8
"""What makes a request's payload differ from any other with the same calls."""

_TOO_LARGE = 303
_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Request:
    """Calls of one flow to be sent together, or to be given `outcome` unsent.

    They are kept out of sight for `wait_seconds` at least, where `outcome` has them wait for what is paused, `scope`.
    `moved_from` is the request that answered for these calls before, where they are not claimed for this one yet.
    `is_second_try` and `refresh_secret` are as in `verdicts`.
    """

    request_id: str
    flow_id: str
    calls: tuple[Call, ...]
    outcome: Outcome | None = None
    wait_seconds: float = 0.0
    scope: Scope = Scope.REQUEST
    moved_from: str = ""
    is_second_try: bool = False
    refresh_secret: bool = False


def plan(
    calls: Sequence[Call],
    flows: Mapping[str, Flow | Outcome],
    make_id: Callable[[], str],
    *,
    max_calls: int,
    max_body_bytes: int,
    give_up_after: timedelta,
    now: datetime,
) -> list[Request]:
    """Pack calls by flow. `flows` holds, by flow id, the flow, or the outcome of its calls where it is of no use."""
    # A request is not sent past the earliest deadline among its calls: one that is due soon must not take with it the
    # others' chance of a resend.
    groups: dict[tuple[str, bool], list[Call]] = {}
    for call in calls:
        is_due_soon = call.deadline(give_up_after) - now < _SOON
        groups.setdefault((call.flow_id, is_due_soon), []).append(call)
    now_there = service_time(now)
    requests: list[Request] = []
    for (flow_id, _), flow_calls in groups.items():
        flow = flows[flow_id]
        if isinstance(flow, Outcome):
            requests.append(Request(make_id(), flow_id, tuple(flow_calls), flow))
            continue
        room = room_for_calls(flow, max_body_bytes)
        sized = [(call, len(msgspec.json.encode(call.payload(now_there))) + 1) for call in flow_calls]  # and a comma
        fitting = [(call, size) for call, size in sized if size <= room]
        requests += [
            Request(make_id(), flow_id, tuple(call for call, _ in group))
            for group in pack(fitting, lambda call_and_size: call_and_size[1], max_items=max_calls, max_bytes=room)
        ]
        requests += [
            Request(make_id(), flow_id, (call,), _too_large(size - 1, room - 1)) for call, size in sized if size > room
        ]
    return requests


def room_for_calls(flow: Flow, max_body_bytes: int) -> int:
    """How many bytes the calls of a request may have for its sealed body to keep the limit, each with a comma."""
    empty = payload_of(
        [],
        flow_id=flow.flow_id,
        security_id=flow.security_id,
        api_version=flow.api_version,
        nonce=bytes(NONCE_BYTES),
    )
    room = largest_payload_bytes(max_body_bytes, flow.rsa_key_bytes, flow.flow_id) - len(empty)
    return room + 1  # no comma follows the last


def _too_large(size_bytes: int, room_bytes: int) -> Outcome:
    code = code_of(_TOO_LARGE)
    return coded(
        Status.REJECTED,
        code.number,
        f"Refused before sending: the call has {size_bytes} bytes, and a request takes at most {room_bytes}.",
    )
