"""Draws the messages of a chaos run from a seed. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from local.run.messages import OutgoingMessage, read_outgoing
from local.simulator.check_call import TEST_NUMBERS
from sealed_relay.calls.message import Lane
from sealed_relay.kairos.codes import Verdict

# Without 209, for the reason given in `fault_schedule`.
REFUSED_NUMBERS = tuple(number for number, code in TEST_NUMBERS.items() if code.verdict is Verdict.ISOLATE)

_CALLS_A_MESSAGE = (1, 2, 5, 10, 20, 50)
_SHARE_REFUSED = 0.002
"""Share of the calls. Each of them makes the relay halve its request again and again."""
_SHARE_WITH_DEADLINE = 0.02
_SHARE_SENT_TWICE = 0.02
_SHARE_URGENT = 0.1
"""Share of the messages."""
_DEADLINES_SECONDS = (5, 30, 120)
_MALFORMED_NUMBER = "910000000400"
_DEADLINE_OF_THE_MALFORMED_SECONDS = 420
"""Longer than faults are injected. If the answer to such a call is lost, the API answers its resend with 400.
That does not say what became of the first attempt. Only the deadline ends the call."""
_CONTACT_NUMBERS = 1_000


def chaos_messages(
    chance: Random, calls: int, flow_ids: Sequence[str], suffix: str, first: datetime, seconds: float
) -> Iterator[OutgoingMessage]:
    """Draw messages with so many calls in all, to be sent evenly over `seconds` from `first` on.

    Some calls have a number that the simulator refuses. Some messages have a deadline that may pass during the faults.
    Some messages are sent twice: SQS delivers at least once, but MiniStack delivers only once. Each message goes to one
    of the two queues, so some calls are in both.
    """
    written = 0
    while written < calls:
        count = min(chance.choice(_CALLS_A_MESSAGE), calls - written)
        sent_at = first + timedelta(seconds=seconds * written / calls)
        message = _message(chance, range(written, written + count), chance.choice(flow_ids), suffix, sent_at)
        yield replace(message, queue=_queue(chance))
        # If its calls failed, the second message would be a retry and not a duplicate.
        if chance.random() < _SHARE_SENT_TWICE and not _may_fail(message):
            yield replace(message, queue=_queue(chance))
        written += count


def _queue(chance: Random) -> Lane:
    return Lane.URGENT if chance.random() < _SHARE_URGENT else Lane.INGRESS


def _message(chance: Random, numbers: range, flow_id: str, suffix: str, sent_at: datetime) -> OutgoingMessage:
    calls = [
        {"client-identifier": f"chaos-{number + 1}{suffix}", "contact-numbers": [_contact_number(chance, number)]}
        for number in numbers
    ]
    is_malformed = any(call["contact-numbers"] == [_MALFORMED_NUMBER] for call in calls)
    deadline_seconds = _DEADLINE_OF_THE_MALFORMED_SECONDS if is_malformed else 0
    if chance.random() < _SHARE_WITH_DEADLINE:
        deadline_seconds = chance.choice(_DEADLINES_SECONDS)
    if deadline_seconds:
        not_after = sent_at + timedelta(seconds=deadline_seconds)
        for call in calls:
            call["not-after"] = not_after.isoformat()
    return read_outgoing(json.dumps({"flow-id": flow_id, "calls": calls}))


def _contact_number(chance: Random, number: int) -> str:
    if chance.random() < _SHARE_REFUSED:
        return chance.choice(REFUSED_NUMBERS)
    return f"910000{500_000 + number % _CONTACT_NUMBERS}"  # no subscriber number in India starts with 0


def _may_fail(message: OutgoingMessage) -> bool:
    return "not-after" in message.body or any(number in message.body for number in REFUSED_NUMBERS)
