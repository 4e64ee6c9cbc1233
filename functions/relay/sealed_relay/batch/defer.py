"""Which calls are not even claimed: their flow or the account is paused, or the minute's requests are used up. Pure.

What waits for hours is received again and again. Each time costs one look at the pause, and no write.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sealed_relay.admission.control import Held
from sealed_relay.batch.plan import Request
from sealed_relay.calls.message import Call


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Calls of one flow whose messages go back untouched, and why."""

    held: Held
    flow_id: str
    calls: tuple[Call, ...]


def hold_back(
    requests: Sequence[Request], holds: Mapping[str, Held | None], is_late: Callable[[Call], bool]
) -> tuple[list[Request], list[HeldBack]]:
    """Tell the requests to claim from the calls to leave alone. `holds` says, by request id, what holds some of them.

    Claimed all the same, and settled unsent, are calls whose deadline has passed, and those of a pause that were never
    received before: their records are to say that they wait, and why.
    """
    to_claim: list[Request] = []
    held_back: list[HeldBack] = []
    for request in requests:
        if (held := holds.get(request.request_id)) is None:
            to_claim.append(request)
            continue
        settled: list[Call] = []
        untouched: list[Call] = []
        for call in request.calls:
            is_new = call.receive_count == 1 and not held.is_brief
            (settled if is_new or is_late(call) else untouched).append(call)
        if settled:
            unsent = replace(request, outcome=held.outcome, wait_seconds=held.seconds, scope=held.scope)
            to_claim.append(replace(unsent, calls=tuple(settled)))
        if untouched:
            held_back.append(HeldBack(held, request.flow_id, tuple(untouched)))
    return to_claim, held_back
