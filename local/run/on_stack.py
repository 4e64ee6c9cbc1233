"""A run through one running local stack: what it sends, and to which flows."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack

from rich.console import Console

from local.run.messages import OutgoingMessage, event_messages, for_flows, generated_messages
from local.run.rate import expected_requests, room_for
from local.run.relay_on_stack import relay_on
from local.run.run import run
from local.simulator.client import SimulatorClient
from local.stack.errors import StackError
from local.stack.records import Stack

_PATIENCE_SECONDS = 120.0
_MESSAGES_A_SECOND = 20.0
"""How slow a run may be, beyond those seconds, before it is called off."""


def run_on(stack: Stack, generated: int, console: Console) -> int:
    """Send the messages of `events/` and as many generated ones; the exit status. Raise StackError without a flow."""
    flow_ids = _flow_ids(stack)
    if not flow_ids:
        raise StackError(
            f"no flow has a secret: `make up GATEWAY_BASE_URL={stack.gateway_base_url}`, put one there, and run again"
        )
    suffix = f"-{secrets.token_hex(4)}"
    messages = _messages(generated, flow_ids, suffix, console.print)
    with ExitStack() as ends:
        if stack.simulator_url:
            simulator = ends.enter_context(SimulatorClient(stack.simulator_url))
            ends.enter_context(room_for(simulator, expected_requests(generated, len(flow_ids)), console.print))
        else:
            console.print("the gateway is not the simulator: there is no audit, only the records and the failure queue")
        relay = ends.enter_context(relay_on(stack))
        patience_seconds = _PATIENCE_SECONDS + len(messages) / _MESSAGES_A_SECOND
        return run(relay, messages, suffix, console, patience_seconds=patience_seconds)


def _messages(
    generated: int, flow_ids: tuple[str, ...], suffix: str, say: Callable[[str], None]
) -> list[OutgoingMessage]:
    events = event_messages(suffix)
    usable = for_flows(events, flow_ids)
    messages = [*usable, *generated_messages(generated, flow_ids, suffix)]
    if len(usable) < len(events):
        say(f"leaving out {len(events) - len(usable)} messages of events/: their flows have no secret")
    say(
        f"sending {len(usable)} messages of events/ and {generated} generated ones to {', '.join(flow_ids)}; "
        f"their client identifiers end in {suffix}"
    )
    return messages


def _flow_ids(stack: Stack) -> tuple[str, ...]:
    """The flows that both the relay and its gateway know: with a gateway of others, all flows that have a secret."""
    if stack.simulator_url:
        return stack.flow_ids
    prefix = stack.outputs["FlowSecretPrefix"]
    secrets_manager = stack.aws().session().client("secretsmanager", endpoint_url=stack.endpoint_url)
    pages = secrets_manager.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
    names = [secret["Name"] for page in pages for secret in page["SecretList"]]
    secrets_manager.close()
    return tuple(sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)))
