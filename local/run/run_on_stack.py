"""Prepares a run on a running local stack: its messages, its flows and the simulator's rate limit."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from rich.console import Console

from local.run.messages import OutgoingMessage, event_messages, for_flows, generated_messages
from local.run.raise_rate_limit import expected_requests, raised_rate_limit
from local.run.relay_client import connect_relay
from local.run.send_and_wait import send_and_wait
from local.simulator.client import SimulatorClient
from local.stack.errors import StackError
from local.stack.stack_files import Stack

_MAX_WAIT_SECONDS = 120.0
_MESSAGES_A_SECOND = 20.0
"""A run may take this long: the seconds above, and one second more for this many messages."""


def run_on_stack(stack: Stack, generated: int, console: Console) -> int:
    """Send the messages of `events/` and generated ones. Return the exit status. Raise StackError without a flow."""
    flow_ids = _flow_ids(stack)
    if not flow_ids:
        raise StackError(
            f"no flow has a secret: run `make up GATEWAY_BASE_URL={stack.gateway_base_url}`, "
            "create a secret, and run again"
        )
    suffix = f"-{secrets.token_hex(4)}"
    messages = _messages(generated, flow_ids, suffix, console.print)
    with ExitStack() as ends:
        if stack.simulator_url:
            simulator = ends.enter_context(SimulatorClient(stack.simulator_url))
            ends.enter_context(raised_rate_limit(simulator, expected_requests(generated, len(flow_ids)), console.print))
        else:
            console.print("the gateway is not the simulator: only the records and the failure queue are compared")
        relay = ends.enter_context(connect_relay(stack))
        max_wait_seconds = _MAX_WAIT_SECONDS + len(messages) / _MESSAGES_A_SECOND
        return send_and_wait(relay, messages, suffix, console, max_wait_seconds=max_wait_seconds)


def _messages(
    generated: int, flow_ids: tuple[str, ...], suffix: str, say: Callable[[str], None]
) -> list[OutgoingMessage]:
    events = event_messages(suffix)
    usable = for_flows(events, flow_ids)
    messages = [*usable, *generated_messages(generated, flow_ids, suffix)]
    if len(usable) < len(events):
        say(f"leaving out {len(events) - len(usable)} messages of events/: their flows have no secret")
    say(
        f"sending {len(messages)} messages with {_calls(messages)} calls: {len(usable)} messages of events/ "
        f"with {_calls(usable)} calls,\nand {generated} generated ones of one call each, to {', '.join(flow_ids)}; "
        f"client identifiers end in {suffix}"
    )
    return messages


def _calls(messages: Sequence[OutgoingMessage]) -> int:
    """Count the different calls. Some messages of events/ repeat a call, and one holds none that can be read."""
    return len({call_id for message in messages for call_id in message.call_ids})


def _flow_ids(stack: Stack) -> tuple[str, ...]:
    """Return the flows that relay and gateway know; with another gateway than the simulator, all with a secret."""
    if stack.simulator_url:
        return stack.flow_ids
    prefix = stack.outputs["FlowSecretPrefix"]
    secrets_manager = stack.aws().session().client("secretsmanager", endpoint_url=stack.endpoint_url)
    pages = secrets_manager.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
    names = [secret["Name"] for page in pages for secret in page["SecretList"]]
    secrets_manager.close()
    return tuple(sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)))
