"""Claimed calls of one invocation, as the delivery gets them."""

from collections.abc import Sequence
from dataclasses import replace

from sealed_relay.calls.message import Lane
from sealed_relay.delivery.request import ClaimedCall, Invocation
from sealed_relay.ledger.call_records import Claimed
from sealed_relay.ledger.claim_rules import Lease, Tries
from tests.support.messages import make_call
from tests.support.scene import FUNCTION_TIMEOUT_SECONDS, Scene

REQUEST_ID = "request-1"


def invocation_in(scene: Scene, seconds_left: float = FUNCTION_TIMEOUT_SECONDS) -> Invocation:
    """An invocation that begins now and has so many seconds left."""
    deadline = scene.clock.now + seconds_left
    return Invocation(scene.dependencies(), Lease("lease-1", int(deadline * 1000)), deadline, Lane.INGRESS)


def claim(invocation: Invocation, *names: str, tries: Tries | None = None) -> tuple[ClaimedCall, ...]:
    """Claim calls of these names for the request REQUEST_ID, each in a message of its own."""
    calls = [make_call(name, message_id=f"message of {name}") for name in names]
    answers = invocation.dependencies.call_records.claim([(call, REQUEST_ID) for call in calls], invocation.lease)
    assert answers == [Claimed(Tries())] * len(calls)
    return tuple(ClaimedCall(call, tries or Tries()) for call in calls)


def received(claimed: ClaimedCall, times: int) -> ClaimedCall:
    """The same call, received so many times."""
    return replace(claimed, call=replace(claimed.call, receive_count=times))


def names_of(calls: Sequence[ClaimedCall]) -> list[str]:
    """Their client identifiers."""
    return [claimed.call.client_identifier for claimed in calls]
