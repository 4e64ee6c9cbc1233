"""Brings the local stack up and takes it down: the steps of `make up` and `make down`."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from local.simulator.server import BASE_PATH
from local.stack.deploy import Deployed, build, create_artifacts_bucket, deploy
from local.stack.errors import StackError
from local.stack.fingerprints import deploy_fingerprint
from local.stack.flows import FLOW_IDS, make_flows, register_flows
from local.stack.local_aws import LocalAws
from local.stack.ministack_process import start_ministack, wait_for_ministack
from local.stack.paths import StackFolder
from local.stack.processes import is_alive, stop
from local.stack.repair_ministack import repair_ministack
from local.stack.simulator_process import start_simulator, wait_for_simulator
from local.stack.stack_files import Running, Stack, read_running, read_stack, write

Say = Callable[[str], None]


def bring_up(stack_folder: StackFolder, gateway_base_url: str | None, say: Say) -> Stack:
    """Return a running stack of the present sources. Start and deploy only what is missing or outdated.

    With `gateway_base_url` the relay sends there: no simulator is started, and no flow is made. A running stack keeps
    its gateway unless another one is given. Raise StackError if it cannot be brought up; then nothing is left running.
    """
    stack = find_running_stack(stack_folder)
    if stack and gateway_base_url in {None, stack.gateway_base_url}:
        return _deploy_if_outdated(stack_folder, stack, say)
    take_down(stack_folder)
    for subfolder in (stack_folder.logs, stack_folder.scratch):
        subfolder.mkdir(parents=True, exist_ok=True)
    try:
        return (
            _start_with_gateway(stack_folder, gateway_base_url, say)
            if gateway_base_url
            else _start_with_simulator(stack_folder, say)
        )
    except BaseException:
        take_down(stack_folder)
        raise


def take_down(stack_folder: StackFolder) -> bool:
    """Stop everything that `bring_up` started. Return False if there was nothing to stop."""
    running = read_running(stack_folder)
    for process in running.processes if running else ():
        stop(process)
    stack_folder.stack_file.unlink(missing_ok=True)
    stack_folder.running_file.unlink(missing_ok=True)
    shutil.rmtree(stack_folder.scratch, ignore_errors=True)
    return running is not None


@contextmanager
def running_stack(stack_folder: StackFolder, gateway_base_url: str | None, say: Say) -> Iterator[Stack]:
    """Give a running stack, and take it down at the end unless it was already up.

    Raise StackError as `bring_up` does, or if a stack with another gateway is up.
    """
    found = find_running_stack(stack_folder)
    if found and gateway_base_url not in {None, found.gateway_base_url}:
        raise StackError(f"a stack with the gateway {found.gateway_base_url} is up: run `make down` first")
    stack = bring_up(stack_folder, gateway_base_url, say)
    try:
        yield stack
    finally:
        if not found:
            say("taking the local stack down")
            take_down(stack_folder)


def find_running_stack(stack_folder: StackFolder) -> Stack | None:
    """Return the stack if all its processes run, else None: after a reboot, for example."""
    running, stack = read_running(stack_folder), read_stack(stack_folder)
    return stack if running and stack and all(is_alive(process) for process in running.processes) else None


def _start_with_simulator(stack_folder: StackFolder, say: Say) -> Stack:
    say("starting the local AWS and the Kairos simulator")
    # Two RSA keys of 4096 bits take seconds, so they are made in the background.
    with ThreadPoolExecutor(max_workers=1) as background:
        flows = background.submit(make_flows)
        simulator, port_file = start_simulator(stack_folder)
        write(stack_folder.running_file, Running((simulator,)))
        aws = _start_aws(stack_folder, Running((simulator,)))
        simulator_url = wait_for_simulator(simulator, port_file)
        gateway_base_url = simulator_url + BASE_PATH
        deployed = _deploy_first(stack_folder, aws, gateway_base_url, say)
        register_flows(flows.result(), aws, deployed, simulator_url)
    return _write_stack_file(stack_folder, aws, deployed, gateway_base_url, simulator_url)


def _start_with_gateway(stack_folder: StackFolder, gateway_base_url: str, say: Say) -> Stack:
    say(f"starting the local AWS, for the gateway at {gateway_base_url}")
    aws = _start_aws(stack_folder, Running(()))
    deployed = _deploy_first(stack_folder, aws, gateway_base_url, say)
    return _write_stack_file(stack_folder, aws, deployed, gateway_base_url, None)


def _start_aws(stack_folder: StackFolder, running: Running) -> LocalAws:
    ministack, aws = start_ministack(stack_folder)
    write(stack_folder.running_file, Running((*running.processes, ministack)))
    wait_for_ministack(ministack, aws)
    return aws


def _deploy_first(stack_folder: StackFolder, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    create_artifacts_bucket(aws)
    return _deploy(stack_folder, aws, gateway_base_url, say)


def _deploy_if_outdated(stack_folder: StackFolder, stack: Stack, say: Say) -> Stack:
    running = read_running(stack_folder)
    if running and running.deployed == deploy_fingerprint():
        say("the local stack is up already")
        return stack
    say("the local stack is up, but with older sources")
    _deploy(stack_folder, stack.aws(), stack.gateway_base_url, say)
    return stack


def _deploy(stack_folder: StackFolder, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    say("building and deploying the template")
    fingerprint = deploy_fingerprint()
    build(stack_folder)
    deployed = deploy(stack_folder, aws, gateway_base_url)
    repair_ministack(aws, deployed)
    running = read_running(stack_folder)
    write(stack_folder.running_file, Running(running.processes if running else (), fingerprint))
    return deployed


def _write_stack_file(
    stack_folder: StackFolder, aws: LocalAws, deployed: Deployed, gateway_base_url: str, simulator_url: str | None
) -> Stack:
    stack = Stack(
        endpoint_url=aws.endpoint_url,
        region=aws.region,
        outputs=dict(deployed.outputs),
        gateway_base_url=gateway_base_url,
        access_key_id=aws.access_key_id,
        secret_access_key=aws.secret_access_key,
        simulator_url=simulator_url,
        flow_ids=FLOW_IDS if simulator_url else (),
    )
    write(stack_folder.stack_file, stack)
    return stack
