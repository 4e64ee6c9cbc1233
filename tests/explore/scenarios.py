"""The scenarios: a few messages, and what the API answers to them while nothing goes wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from local.simulator.faults import Fault
from sealed_relay.calls.message import Lane
from sealed_relay.ledger.items import envelope_key
from tests.campaign.fault_chance import FaultKind
from tests.campaign.services import FLOW_IDS, START
from tests.explore.answers import (
    ACCOUNT_EMPTY,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED_FOR_CALL,
    TAKEN_AND_LISTED_IN_PART,
    UNKNOWN_CODE,
)

FLOW, OTHER_FLOW, _ = FLOW_IDS


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with calls of these names, sent so many seconds after the start of the run.

    `content` tells the calls' content from others of the same names. `deadline_seconds` after the start is their
    `not-after`. `lane` is the queue that it is sent to.
    """

    names: str
    after_seconds: float = 0.0
    flow_id: str = FLOW
    content: int = 1
    deadline_seconds: float | None = None
    lane: Lane = Lane.INGRESS

    def body(self) -> str:
        """The message's body."""
        calls: list[dict[str, object]] = [
            {"client-identifier": name, "contact-numbers": [f"9199{ord(name):04}{self.content:04}"]}
            for name in self.names
        ]
        if self.deadline_seconds is not None:
            not_after = datetime.fromtimestamp(START + self.deadline_seconds, UTC).isoformat()
            calls = [{**call, "not-after": not_after} for call in calls]
        return json.dumps({"flow-id": self.flow_id, "calls": calls})


@dataclass(frozen=True, slots=True)
class Scenario:
    """`answers` are what the API gives to the first requests. Each of them stands for a deviation that is free.

    With `is_prompt` no step is late, so that the judge can look at pauses closely: see `Profile.lag_seconds`. With
    `kinds` only faults of these kinds are deviations, beside pauses of `pauses_seconds`: a narrow scenario that can be
    explored deeper, up to `max_deviations` unless the command says otherwise. Writes are late only of items whose keys
    begin with `late_writes`.
    """

    what: str
    messages: tuple[Sent, ...]
    answers: tuple[Fault, ...] = ()
    batch_size: int = 10
    max_refusals: int = 3
    requests_per_minute: int = 500
    urgent_reserve: int = 0
    refusal_leaves_checksum: bool = True
    is_prompt: bool = False
    kinds: frozenset[FaultKind] | None = None
    pauses_seconds: tuple[float, ...] = (4.0, 25.0)
    late_writes: str = ""
    late_write_seconds: float = 15.0
    max_deviations: int = 2


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "one-call": Scenario("one call in one message", (Sent("a"),)),
        "no-checksums": Scenario(
            "one call; the API keeps no checksum of what it refuses", (Sent("a"),), refusal_leaves_checksum=False
        ),
        "two-calls": Scenario("two calls in one message", (Sent("ab"),)),
        "two-messages": Scenario("two messages in one request", (Sent("a"), Sent("b"))),
        "two-flows": Scenario("two flows in one batch", (Sent("a"), Sent("b", flow_id=OTHER_FLOW))),
        "duplicate-in-batch": Scenario("two messages with one call, in one batch", (Sent("a"), Sent("a"))),
        "duplicate-beside": Scenario(
            "two messages with one call, in two invocations at once", (Sent("a"), Sent("a")), batch_size=1
        ),
        "duplicate-later": Scenario("a second message with the call, 40 s later", (Sent("a"), Sent("a", 40.0))),
        "duplicate-of-lost": Scenario(
            "a second message with a call whose answer was lost", (Sent("a"), Sent("a", 2.0)), (LOST_AFTER,)
        ),
        "duplicate-of-refused": Scenario(
            "a second message with a refused call, sent before the refusal was known",
            (Sent("a"), Sent("a", 20.0)),
            (REFUSED_FOR_CALL,),
        ),
        "retry-of-refused": Scenario(
            "a message that retries a refused call", (Sent("a"), Sent("a", 90.0)), (REFUSED_FOR_CALL,)
        ),
        "retry-of-unresolved": Scenario(
            "a message that retries a call that was given up",
            (Sent("a"), Sent("a", 90.0)),
            (UNKNOWN_CODE,),
            max_refusals=1,
        ),
        "identity-reused": Scenario(
            "two messages with one identity and different content", (Sent("a"), Sent("a", content=2)), batch_size=1
        ),
        "resend-beside-new": Scenario(
            "the resend of a lost request, in one batch with a new message",
            (Sent("a"), Sent("b", 5.3)),
            (LOST_BEFORE,),
        ),
        "partly-taken": Scenario("a message of which one call is taken", (Sent("ab"),), (TAKEN_AND_LISTED_IN_PART,)),
        "partly-resent": Scenario(
            "a request of two messages, lost; only one message comes back at a time",
            (Sent("a"), Sent("b")),
            (LOST_AFTER,),
        ),
        "deadline": Scenario(
            "a lost answer, and a deadline after a minute", (Sent("a", deadline_seconds=60.0),), (LOST_BEFORE,)
        ),
        "account-paused": Scenario(
            "the account is empty for one request; all steps are prompt",
            (Sent("a"), Sent("b", 5.0, OTHER_FLOW)),
            (ACCOUNT_EMPTY,),
            batch_size=1,
            is_prompt=True,
        ),
        "torn-store": Scenario(
            "the envelope of a stored request arrives minutes late; a second message with the call, 108 s later",
            (Sent("a"), Sent("a", 108.0)),
            batch_size=1,
            kinds=frozenset({FaultKind.WRITE_LATE}),
            pauses_seconds=(45.0,),
            late_writes=envelope_key(""),
            late_write_seconds=150.0,
            max_deviations=3,
        ),
        "duplicate-of-killed": Scenario(
            "two messages with one call, and killed invocations alone",
            (Sent("a"), Sent("a", 40.0)),
            (LOST_AFTER,),
            kinds=frozenset({FaultKind.KILLED}),
            pauses_seconds=(),
            max_deviations=4,
        ),
        "both-queues": Scenario(
            "two messages with one call, one in each queue",
            (Sent("a"), Sent("a", lane=Lane.URGENT)),
        ),
        "refused-in-one-queue": Scenario(
            "a refused call, and a message with it in the other queue, sent before the refusal was known",
            (Sent("a"), Sent("a", 2.0, lane=Lane.URGENT)),
            (REFUSED_FOR_CALL,),
        ),
        "reserve": Scenario(
            "two requests a minute, one of them for the urgent queue alone; all steps are prompt",
            (Sent("a"), Sent("b"), Sent("c", 2.0, lane=Lane.URGENT)),
            batch_size=1,
            requests_per_minute=2,
            urgent_reserve=1,
            is_prompt=True,
        ),
        "one-a-minute": Scenario(
            "two messages, and one request a minute; all steps are prompt",
            (Sent("a"), Sent("b")),
            batch_size=1,
            requests_per_minute=1,
            is_prompt=True,
        ),
    }
)
