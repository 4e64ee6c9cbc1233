"""Prepares a chaos run on a running local stack: its messages, faults and timeouts."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from random import Random

from rich.console import Console

from local.chaos.chaos_messages import chaos_messages
from local.chaos.chaos_run import Plan, run_chaos
from local.chaos.fault_schedule import ScheduledFault
from local.chaos.inject_faults import FaultInjector
from local.chaos.kill_processes import processes_of
from local.chaos.shorter_timeouts import SHORTER, Timeouts, changed_timeouts
from local.run.relay_client import connect_relay
from local.simulator.client import SimulatorClient
from local.stack.errors import StackError
from local.stack.paths import StackFolder
from local.stack.stack_files import Stack

_MAX_WAIT_SECONDS = 2_400.0
"""A call can be deferred for a quarter of an hour, and more than once."""


def run_chaos_on(
    stack: Stack,
    stack_folder: StackFolder,
    console: Console,
    faults: Sequence[ScheduledFault],
    *,
    calls: int,
    seed: int,
    seconds: float,
    timeouts: Timeouts = SHORTER,
) -> int:
    """Send so many calls, drawn from `seed`, over `seconds`, while `faults` are injected. Return the exit status.

    Raise StackError if the stack has another gateway than the simulator.
    """
    if not stack.simulator_url:
        raise StackError("the running stack does not use the simulator: run `make down` first")
    suffix = f"-{secrets.token_hex(4)}"
    chance = Random(seed)  # noqa: S311 - draws messages, no keys
    console.print(f"sending {calls} calls over {seconds:.0f} seconds; their client identifiers end in {suffix}")
    console.print(
        f"for this run the function's timeout is {timeouts.function_seconds} s "
        f"and the queues' visibility timeout is {timeouts.visibility_seconds} s"
    )
    with ExitStack() as ends:
        simulator = ends.enter_context(SimulatorClient(stack.simulator_url))
        ends.enter_context(_refusals_leave_no_checksum(simulator))
        ends.enter_context(changed_timeouts(timeouts, stack))
        relay = ends.enter_context(connect_relay(stack))
        injector = FaultInjector(processes_of(stack_folder, stack.outputs["RelayFunctionName"]), simulator)
        messages = list(chaos_messages(chance, calls, stack.flow_ids, suffix, datetime.now(UTC), seconds))
        return run_chaos(
            relay, injector, Plan(faults, messages, suffix, seconds), console, max_wait_seconds=_MAX_WAIT_SECONDS
        )


@contextmanager
def _refusals_leave_no_checksum(simulator: SimulatorClient) -> Iterator[None]:
    """Set the simulator so that a refused request leaves no checksum.

    Otherwise, after a lost answer, a client could not tell a refused request from an accepted one.
    """
    before = simulator.settings().refusal_leaves_checksum
    simulator.change_settings(refusal_leaves_checksum=False)
    try:
        yield
    finally:
        simulator.change_settings(refusal_leaves_checksum=before)
