import io
import re

import pytest
from rich.console import Console

from local.chaos.chaos_on_stack import run_chaos_on
from local.chaos.fault_schedule import GatewayFault, KillProcess, ScheduledFault, SuspendAws
from local.chaos.shorter_timeouts import Timeouts
from local.simulator.client import SimulatorClient
from local.simulator.faults import DroppedConnection
from local.stack.paths import StackFolder
from local.stack.stack_files import Stack
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

STORM: tuple[ScheduledFault, ...] = (
    GatewayFault(1, "answer lost", DroppedConnection(after_accepting=True), 2, 0),
    SuspendAws(6, 2),
    # More kills than are needed: on a busy machine some find no process that is up again.
    *(KillProcess(at_seconds, draw=0.5) for at_seconds in range(8, 18, 2)),
)


def test_chaos_run_loses_and_duplicates_no_call_and_restores_the_stack(
    stack: Stack, stack_folder: StackFolder, clients: AwsClients, simulator: SimulatorClient
) -> None:
    output = io.StringIO()
    console = Console(file=output, width=80, soft_wrap=True)
    status = run_chaos_on(stack, stack_folder, console, STORM, calls=200, seed=1, seconds=18, timeouts=Timeouts(12, 30))
    assert status == 0, output.getvalue()
    assert re.search(r"function processes killed +[2-5]\b", output.getvalue()), output.getvalue()
    assert re.search(r"losses per million calls +0\b", output.getvalue())
    function = clients.functions.get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])
    assert function["Timeout"] == 60
    assert simulator.settings().refusal_leaves_checksum
    assert simulator.planned_faults() == []
