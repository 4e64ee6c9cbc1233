"""The messages of a run: those of `events/` with new client identifiers, and generated ones."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.stack.sam_env_vars import ENV_VARS_FILE
from sealed_relay.calls.message import Lane

EVENTS = Path(__file__).resolve().parents[2] / "events"
_CONTACT_NUMBERS = 1_000
_ONE_URGENT_IN = 10


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A body for one of the two queues. `call_ids` is empty if the body cannot be read."""

    body: str
    flow_id: str
    call_ids: tuple[str, ...]
    queue: Lane = Lane.INGRESS


def read_outgoing(body: str) -> OutgoingMessage:
    """Read the ids in a body. Without the relay's parser, so that a call which it overlooks is still counted."""
    try:
        message = _unwrapped(json.loads(body))
        flow_id = message["flow-id"]
        return OutgoingMessage(
            body, flow_id, tuple(f"{flow_id}/{call['client-identifier']}" for call in message["calls"])
        )
    except (ValueError, KeyError, TypeError):
        return OutgoingMessage(body, "", ())


def event_files(events: Path = EVENTS) -> list[Path]:
    """Return the files with SQS events. While a stack is up, `make up` keeps another file in the same folder."""
    return sorted(file for file in events.glob("*.json") if file.name != ENV_VARS_FILE.name)


def event_messages(suffix: str, events: Path = EVENTS) -> list[OutgoingMessage]:
    """Return the messages in `events/`, in the order of the file names, with `suffix` added to each client identifier.

    The relay delivers each client identifier only once. Without a new suffix, a second run on the same stack would send
    only duplicates.
    """
    bodies = [record["body"] for file in event_files(events) for record in json.loads(file.read_text())["Records"]]
    return [read_outgoing(_with_suffix(body, suffix)) for body in bodies]


def generated_messages(count: int, flow_ids: Sequence[str], suffix: str) -> Iterator[OutgoingMessage]:
    """Make `count` messages of one call each, for all flows in turn. One message in ten is for the urgent queue.

    No subscriber number in India starts with 0.
    """
    for number in range(count):
        call = {
            "client-identifier": f"generated-{number + 1}{suffix}",
            "contact-numbers": [f"910000{500_000 + number % _CONTACT_NUMBERS}"],
            "keys": [{"name": "$flow.key.order", "value": str(number + 1)}],
        }
        message = read_outgoing(json.dumps({"flow-id": flow_ids[number % len(flow_ids)], "calls": [call]}))
        is_urgent = number % _ONE_URGENT_IN == _ONE_URGENT_IN - 1
        yield replace(message, queue=Lane.URGENT if is_urgent else Lane.INGRESS)


def for_flows(messages: Sequence[OutgoingMessage], flow_ids: Collection[str]) -> list[OutgoingMessage]:
    """Return the messages of these flows, and those whose flow cannot be read: the relay refuses them unsent."""
    return [message for message in messages if message.flow_id in {"", *flow_ids}]


def _unwrapped(message: Any) -> Any:  # noqa: ANN401 - any JSON value
    if "Message" in message:  # SNS
        return json.loads(message["Message"])
    return message.get("detail", message)  # EventBridge


def _with_suffix(body: str, suffix: str) -> str:
    try:
        return json.dumps(_renamed(json.loads(body), suffix), ensure_ascii=False)
    except ValueError:  # a body that is not JSON stays as it is
        return body


def _renamed(value: Any, suffix: str) -> Any:  # noqa: ANN401
    match value:
        case {"Message": str(message)}:
            return value | {"Message": _with_suffix(message, suffix)}
        case {"client-identifier": str(name)}:
            return value | {"client-identifier": name + suffix}
        case dict():
            return {name: _renamed(inner, suffix) for name, inner in value.items()}
        case list():
            return [_renamed(inner, suffix) for inner in value]
        case _:
            return value
