"""What goes through the delivery: claimed calls, requests, attempts, and the result of each piece of work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import Lane
from sealed_relay.calls.start_time import CallingHours
from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.ledger.claim_rules import Lease, Tries


@dataclass(frozen=True, slots=True)
class Invocation:
    """What all work of one invocation shares. Lambda ends it at `deadline`, in seconds since 1970."""

    dependencies: Dependencies
    lease: Lease
    deadline: float
    lane: Lane


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A call that is this invocation's, and how often it was tried."""

    call: Call
    tries: Tries


@dataclass(frozen=True, slots=True)
class Request:
    """Claimed calls of one flow that go out together, not sealed yet.

    `moved_from` is the refused request that the calls still name, "" where they name this one. `refresh_secret`: the
    flow's secret is fetched anew for it, because the API refused the one that was used.
    """

    request_id: str
    flow_id: str
    calls: tuple[ClaimedCall, ...]
    moved_from: str = ""
    refresh_secret: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One send of a stored request. `calls` are those of its calls whose messages this invocation has.

    `is_resend`, `was_refused` and `unclear_answers` speak of earlier attempts with the same bytes. `has_fresh_secret`:
    the flow's secret was fetched for it. `calling_hours` are those of its flow now.
    """

    sealed: SealedRequest
    calls: tuple[ClaimedCall, ...]
    is_resend: bool = False
    was_refused: bool = False
    unclear_answers: int = 0
    has_fresh_secret: bool = False
    calling_hours: CallingHours | None = None


@dataclass(frozen=True, slots=True)
class WorkResult:
    """What one piece of work did.

    `finished` are calls that leave with their messages, `closed` ids of messages that leave as a whole.
    `delays_seconds` says by message id how long a message that stays is deferred. `next_requests` are sent next.
    """

    finished: Sequence[Call] = ()
    closed: Sequence[str] = ()
    delays_seconds: Mapping[str, float] = field(default_factory=dict)
    next_requests: Sequence[Request] = ()

    def __add__(self, other: "WorkResult") -> "WorkResult":
        delays_seconds = dict(self.delays_seconds)
        for message_id, seconds in other.delays_seconds.items():
            delays_seconds[message_id] = max(seconds, delays_seconds.get(message_id, 0.0))
        return WorkResult(
            [*self.finished, *other.finished],
            [*self.closed, *other.closed],
            delays_seconds,
            [*self.next_requests, *other.next_requests],
        )
