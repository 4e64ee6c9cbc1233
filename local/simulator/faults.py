"""Faults that a person or a test plans: chosen answers, and answers that are spoiled or lost on their way."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

_HttpStatus = Annotated[int, msgspec.Meta(ge=200, le=599)]


class _Fault(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True, tag_field="fault"):
    pass


class NoFault(_Fault, frozen=True, tag="none"):
    """The normal answer. Planned for its latency, or to let the next N requests pass."""


class CodeAnswer(_Fault, frozen=True, tag="code"):
    """The API's JSON with this code; no call is accepted.

    Two exceptions: with 200 the request is checked as usual, and only `http_status` is set. 209 accepts every second
    call.
    """

    code: int
    http_status: _HttpStatus = 200


class ForeignPage(_Fault, frozen=True, tag="page"):
    """An HTML page (or `body`) instead of the API's JSON: a broken gateway, a refusing edge, a wrong address.

    A 3xx without `location` points to `/redirected`, where the audit counts the clients that follow it.
    """

    http_status: _HttpStatus
    after_accepting: bool = False
    body: str | None = None
    location: str | None = None
    retry_after_seconds: int | None = None


class DroppedConnection(_Fault, frozen=True, tag="drop"):
    """The connection is closed without an answer."""

    after_accepting: bool = False


class TruncatedAnswer(_Fault, frozen=True, tag="truncate"):
    """The request is checked, and half of the answer's body arrives."""


class PaddedAnswer(_Fault, frozen=True, tag="pad"):
    """The request is checked, and the answer is filled with white space; it stays valid JSON."""

    size_bytes: int = 10_000_000


class PartialSuccess(_Fault, frozen=True, tag="partial"):
    """209 with only some calls accepted and listed: the first and every k-th after it, or each with a probability."""

    accept_every: Annotated[int, msgspec.Meta(ge=1)] = 2
    accept_chance: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


Fault = NoFault | CodeAnswer | ForeignPage | DroppedConnection | TruncatedAnswer | PaddedAnswer | PartialSuccess


class PlannedFault(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A fault for the next `requests` requests (None: until cleared), only of one flow if `flow_id` is given.

    The latency is the shortest time from the request to its answer. It passes after the request is checked. So a client
    that times out has sent a request that was received, which is the harder case.
    """

    fault: Fault
    requests: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    flow_id: str | None = None
    latency_milliseconds: Annotated[int, msgspec.Meta(ge=0)] = 0


NO_PLAN = PlannedFault(fault=NoFault(), requests=None)


class FaultQueue:
    """Planned faults, used in the order in which they were planned."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def __iter__(self) -> Iterator[PlannedFault]:
        return iter(self._planned)

    def plan(self, fault: PlannedFault) -> None:
        """Add a fault after those already planned."""
        self._planned.append(fault)

    def clear(self) -> None:
        """Remove every planned fault."""
        self._planned.clear()

    def take(self, flow_id: str | None) -> PlannedFault:
        """Return the fault for a request that has just arrived, and use up one of the fault's requests."""
        for position, planned in enumerate(self._planned):
            if planned.flow_id in {None, flow_id}:
                if planned.requests == 1:
                    del self._planned[position]
                elif planned.requests is not None:
                    self._planned[position] = msgspec.structs.replace(planned, requests=planned.requests - 1)
                return planned
        return NO_PLAN
