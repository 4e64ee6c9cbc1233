import io
import re

import pytest
from rich.console import Console

from local.chaos.on_stack import chaos_on
from local.chaos.timeouts import Timeouts
from local.chaos.weather import Event, Kill, Pause, Squall
from local.simulator.client import SimulatorClient
from local.simulator.faults import DroppedConnection
from local.stack.home import Home
from local.stack.records import Stack
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

STORM: tuple[Event, ...] = (
    Squall(1, "answer lost", DroppedConnection(after_accepting=True), 2, 0),
    Pause(6, 2),
    # More kills than are needed: on a busy machine some find no process that is up again.
    *(Kill(at_seconds, draw=0.5) for at_seconds in range(8, 18, 2)),
)


def test_no_call_is_lost_or_sent_twice_in_a_storm_and_then_the_stack_is_as_it_was(
    stack: Stack, home: Home, clients: AwsClients, simulator: SimulatorClient
) -> None:
    output = io.StringIO()
    console = Console(file=output, width=80, soft_wrap=True)
    status = chaos_on(stack, home, console, STORM, calls=200, seed=1, seconds=18, timeouts=Timeouts(12, 30))
    assert status == 0, output.getvalue()
    assert re.search(r"function processes killed +[2-5]\b", output.getvalue()), output.getvalue()
    assert re.search(r"losses per million calls +0\b", output.getvalue())
    function = clients.functions.get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])
    assert function["Timeout"] == 60
    assert simulator.settings().refusal_leaves_checksum
    assert simulator.planned_faults() == []
