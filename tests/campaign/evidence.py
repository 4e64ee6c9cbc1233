"""What is known about a run from outside the relay: the messages sent, the acceptances of the API, the records."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sealed_relay.ports import Failure, Item
from tests.campaign.hours import Hours


class Invariant(StrEnum):
    """What must hold in every run, with any faults."""

    ACCOUNTED = "every call is accounted for"
    ONCE = "the API takes each call at most once"
    HONEST = "each record agrees with what the API did"
    FAILURE_QUEUE = "each failed call is in the failure queue"
    IN_TIME = "no call is sent past its deadline"
    RATE = "the rate is never exceeded"
    RESERVE = "ordinary requests leave the reserve to urgent ones"
    HOURS = "no call starts outside the calling hours of its flow"
    OWN_QUEUE = "a message is deferred in its own queue, and its failures name that queue"
    PAUSED = "what is paused sends one probe at a time, at growing intervals"
    DELIVERED_IN_THE_END = "what waits is sent once everything goes well again"
    PATIENT = "a call or a request is given up only after as many tries as the limit allows, and then at once"
    REPLAY = "an entry leaves the failure queue only after another queue has taken it"
    NOT_REDRIVEN = "no healthy message is redriven"
    WRITE_AHEAD = "nothing is sent but what is claimed, stored, leased and unanswered"
    ONE_AT_A_TIME = "at most one attempt per request is under way"
    ANSWER_FIRST = "an answer is stored before anything acts on it"
    WAY_OUT = "a message leaves only when each of its calls is delivered, or was published for this very message"
    PUBLISHED_FIRST = "a failure is published before it is settled"
    FINAL_STAYS = "an outcome is overwritten by nothing but a retry that was sent after the failure"
    ENDS = "every message leaves the queue"
    NOTHING_UNEXPECTED = "nothing is raised but what was injected"


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that did not hold, and where."""

    invariant: Invariant
    detail: str


@dataclass(frozen=True, slots=True)
class Written:
    """One call as one message holds it.

    `content` tells one content of an identity from another. `has_failed` is whether the record said so when the
    message was sent, which makes it a retry. `start_at` is the call's own start time. Times are seconds since 1970.
    """

    message_id: str
    call_id: str
    content: str
    sent_at: float
    not_after: float
    has_failed: bool
    start_at: float | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The API took a call, in the request that the relay knows as `request_id` and that left at `left_at`."""

    call_id: str
    content: str
    left_at: float
    at: float
    request_id: str
    phonon_uuid: str


@dataclass(frozen=True, slots=True)
class Published:
    """One call in one message of the failure queue; or the whole message if it could not be read."""

    call_id: str
    content: str
    at: float
    failure: Failure


@dataclass(slots=True)
class Evidence:
    """All of it. `unreadable` holds bodies by message id, `unresolved_at` when calls were given up,
    by call id; `stored` are calls that were in a stored request at least once.

    `undecidable` are requests of which the API refused some calls and kept the checksum all the same: a resend cannot
    tell such a refusal from an acceptance, so its PRESUMED_ACCEPTED is not held against the relay. `sends` are the
    moments at which requests left, and `ordinary_sends` those of requests from the ingress queue. `hours` are all
    calling hours that a flow had, by flow id. From `calm_from` on all has gone well for so long that nothing waits any
    more. `clock_error_seconds` is how far the clocks of two invocations may be apart.
    """

    written: list[Written] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    acceptances: defaultdict[str, list[Acceptance]] = field(default_factory=lambda: defaultdict(list))
    published: defaultdict[str, list[Published]] = field(default_factory=lambda: defaultdict(list))
    unresolved_at: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stored: set[str] = field(default_factory=set)
    undecidable: set[str] = field(default_factory=set)
    sends: list[float] = field(default_factory=list)
    ordinary_sends: list[float] = field(default_factory=list)
    hours: Mapping[str, Sequence[Hours]] = field(default_factory=dict)
    redriven: list[str] = field(default_factory=list)
    items: Mapping[str, Item] = field(default_factory=dict)
    requests_per_minute: int | None = None
    urgent_reserve: int = 0
    calm_from: float = math.inf
    clock_error_seconds: float = 0.0

    @property
    def records(self) -> dict[str, Item]:
        """The outcome records, by call id."""
        return {key: item for key, item in self.items.items() if not key.startswith("#")}
