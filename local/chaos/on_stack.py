"""A chaos run through one running local stack."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from random import Random

from rich.console import Console

from local.chaos.chaos import Plan, chaos
from local.chaos.storm import Storm
from local.chaos.timeouts import SHORTER, Timeouts, deployed_with
from local.chaos.traffic import traffic
from local.chaos.victims import processes_of
from local.chaos.weather import Event
from local.run.relay_on_stack import relay_on
from local.simulator.client import SimulatorClient
from local.stack.errors import StackError
from local.stack.home import Home
from local.stack.records import Stack

_PATIENCE_SECONDS = 2_400.0
"""A call can wait for its turn for a quarter of an hour, and more than once."""


def chaos_on(
    stack: Stack,
    home: Home,
    console: Console,
    events: Sequence[Event],
    *,
    calls: int,
    seed: int,
    seconds: float,
    timeouts: Timeouts = SHORTER,
) -> int:
    """Send so many calls, drawn from `seed`, over `seconds`, while all this happens; the exit status.

    Raise StackError if the stack has another gateway than the simulator.
    """
    if not stack.simulator_url:
        raise StackError("the stack that is up has another gateway than the simulator: `make down` first")
    suffix = f"-{secrets.token_hex(4)}"
    chance = Random(seed)  # noqa: S311 - of messages, not of keys
    console.print(f"sending {calls} calls over {seconds:.0f} seconds; their client identifiers end in {suffix}")
    console.print(
        f"for this run the function's timeout is {timeouts.function_seconds} s "
        f"and its queue's visibility timeout {timeouts.visibility_seconds} s"
    )
    with ExitStack() as ends:
        simulator = ends.enter_context(SimulatorClient(stack.simulator_url))
        ends.enter_context(_refusals_leave_no_checksum(simulator))
        ends.enter_context(deployed_with(timeouts, stack))
        relay = ends.enter_context(relay_on(stack))
        storm = Storm(processes_of(home, stack.outputs["RelayFunctionName"]), simulator)
        messages = list(traffic(chance, calls, stack.flow_ids, suffix, datetime.now(UTC), seconds))
        return chaos(relay, storm, Plan(events, messages, suffix, seconds), console, patience_seconds=_PATIENCE_SECONDS)


@contextmanager
def _refusals_leave_no_checksum(simulator: SimulatorClient) -> Iterator[None]:
    """No client can cope with refusals that do, once their answer is lost: README, "What it rests on"."""
    before = simulator.settings().refusal_leaves_checksum
    simulator.change_settings(refusal_leaves_checksum=False)
    try:
        yield
    finally:
        simulator.change_settings(refusal_leaves_checksum=before)
