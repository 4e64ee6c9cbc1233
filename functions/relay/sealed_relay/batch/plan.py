"""Which calls go out together, and which are deferred without a claim. Pure.

Requests get their ids here, before any call is claimed, sealed or sent. Calls are deferred if their flow or the account
is paused, or if no permit is free. A message that waits for hours is received again and again. Each receive costs one
look at the pause, and no write.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TypeVar

import msgspec

from sealed_relay.admission.control import Deferral
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.dependencies import Limits
from sealed_relay.kairos.codes import MAX_DATA_LIST_SIZE_EXCEEDED, Scope
from sealed_relay.kairos.flow import Flow
from sealed_relay.kairos.seal import max_calls_bytes

T = TypeVar("T")

_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """Calls of one flow that will share a request. If they are not sent now, `unsent` says what becomes of them."""

    request_id: str
    flow_id: str
    calls: tuple[Call, ...]
    unsent: Outcome | Deferral | None = None


def plan(
    calls: Sequence[Call],
    flows: Mapping[str, Flow | Outcome],
    make_id: Callable[[], str],
    limits: Limits,
    now: datetime,
) -> list[PlannedRequest]:
    """Pack calls by flow, and move start times into its calling hours.

    `flows` holds, by flow id, the flow, or the outcome of its calls where it cannot be used.
    """
    # A request is not sent after the earliest deadline among its calls. A call that is due soon would take the chance
    # of a resend from the others, so it shares no request with them.
    groups: dict[tuple[str, bool], list[Call]] = {}
    for call in (_within_hours(call, flows[call.flow_id], now) for call in calls):
        is_due_soon = call.deadline(limits.give_up_after) - now < _SOON
        groups.setdefault((call.flow_id, is_due_soon), []).append(call)
    requests: list[PlannedRequest] = []
    for (flow_id, _), flow_calls in groups.items():
        flow = flows[flow_id]
        if isinstance(flow, Outcome):
            requests.append(PlannedRequest(make_id(), flow_id, tuple(flow_calls), flow))
            continue
        room = max_calls_bytes(flow, limits.max_body_bytes)
        sized = [(call, _size_bytes(call)) for call in flow_calls]
        fitting = [(call, size) for call, size in sized if size <= room]
        groups_of_flow = pack(fitting, itemgetter(1), max_items=limits.max_calls, max_bytes=room)
        requests += [PlannedRequest(make_id(), flow_id, tuple(call for call, _ in group)) for group in groups_of_flow]
        requests += [
            PlannedRequest(make_id(), flow_id, (call,), _too_large(size - 1, room - 1))
            for call, size in sized
            if size > room
        ]
    return requests


def _within_hours(call: Call, flow: Flow | Outcome, now: datetime) -> Call:
    return call.within(flow.calling_hours, now) if isinstance(flow, Flow) and flow.calling_hours else call


def _size_bytes(call: Call) -> int:
    """The size of the call's JSON, and of the comma after it."""
    return len(msgspec.json.encode(call.payload(call.start_time))) + 1


def _too_large(size_bytes: int, room_bytes: int) -> Outcome:
    code = MAX_DATA_LIST_SIZE_EXCEEDED
    detail = f"Refused before sending: the call has {size_bytes} bytes, and a request takes at most {room_bytes}."
    return Outcome(Status.REJECTED, code.name, code.number, detail=detail)


def pack(items: Sequence[T], size_of: Callable[[T], int], *, max_items: int, max_bytes: int) -> list[list[T]]:
    """Groups of at most `max_items` items and `max_bytes` bytes, each in the order of `items`.

    First fit, in that order and not the largest first. So each group gets large items and small ones, and reaches its
    limit of items and its limit of bytes at about the same time. If items are so large that the number of items never
    limits a group, this makes about two groups in a hundred more. Every item must fit `max_bytes` by itself.
    """
    smallest_bytes = min(map(size_of, items), default=0)
    groups: list[list[T]] = []
    open_groups: dict[int, int] = {}  # number of the group -> bytes still free
    for item in items:
        size_bytes = size_of(item)
        number = next((number for number, free in open_groups.items() if free >= size_bytes), None)
        if number is None:
            number = len(groups)
            groups.append([])
            open_groups[number] = max_bytes
        groups[number].append(item)
        open_groups[number] -= size_bytes
        if len(groups[number]) == max_items or open_groups[number] < smallest_bytes:
            del open_groups[number]
    return groups


@dataclass(frozen=True, slots=True)
class DeferredCalls:
    """Calls of one flow whose messages go back untouched, and why."""

    why: Deferral
    flow_id: str
    calls: tuple[Call, ...]


def sort_out_deferred(
    requests: Sequence[PlannedRequest],
    deferrals: Mapping[str, Deferral],
    is_late: Callable[[Call], bool],
) -> tuple[list[PlannedRequest], list[DeferredCalls]]:
    """The requests whose calls are claimed, and the calls that are deferred untouched.

    `deferrals` says by request id why a request may not leave now. Some of its calls are claimed nevertheless, and
    settled without a send: calls whose deadline has passed, and calls that meet a pause at their first receive. The
    records of calls that meet a pause say then that they wait, and why.
    """
    to_claim: list[PlannedRequest] = []
    deferred: list[DeferredCalls] = []
    for request in requests:
        why = deferrals.get(request.request_id) or _wait_for_flow(request)
        if why is None:
            to_claim.append(request)
            continue
        claimed: list[Call] = []
        untouched: list[Call] = []
        for call in request.calls:
            is_claimed = is_late(call) or (call.receive_count == 1 and not why.is_brief)
            (claimed if is_claimed else untouched).append(call)
        if claimed:
            to_claim.append(replace(request, calls=tuple(claimed), unsent=why))
        if untouched:
            deferred.append(DeferredCalls(why, request.flow_id, tuple(untouched)))
    return to_claim, deferred


def _wait_for_flow(request: PlannedRequest) -> Deferral | None:
    """Why the calls wait if the secret of their flow cannot be used now."""
    if not isinstance(request.unsent, Outcome) or request.unsent.status.is_final:
        return None
    return Deferral(request.unsent, 0.0, scope=Scope.FLOW)
