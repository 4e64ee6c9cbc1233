"""Brings the local stack up and takes it down: the steps of `make up` and `make down`."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from msgspec.structs import replace

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
from local.stack.signals import signals_held
from local.stack.simulator_process import start_simulator, wait_for_simulator
from local.stack.stack_files import Running, Stack, change_running, read_running, read_stack, write, write_stack
from local.stack.topic_and_rule import make_topic_and_rule, sending_topics_and_rules

Say = Callable[[str], None]


def bring_up(stack_folder: StackFolder, gateway_base_url: str | None, say: Say, *, is_kept: bool = True) -> Stack:
    """Return a running stack of the present sources. Start and deploy only what is missing or outdated.

    With `gateway_base_url` the relay sends there: no simulator is started, and no flow is made. A running stack with
    another gateway is replaced. So is a stack that a killed command left. `is_kept`: the stack stays up when the
    command has ended. Raise StackError if the stack cannot be brought up; then nothing is left running.
    """
    stack, running = find_running_stack(stack_folder), read_running(stack_folder)
    if running and not running.is_kept and any(is_alive(process) for process in running.processes):
        say("a command that was killed left its local stack running: stopping that first")
    elif stack and _has_gateway(stack, gateway_base_url):
        return _deploy_if_outdated(stack_folder, stack, say)
    elif stack:
        say(f"replacing the running local stack, which sends to {stack.gateway_base_url}; its queues and secrets end")
    take_down(stack_folder)
    for subfolder in (stack_folder.logs, stack_folder.scratch):
        subfolder.mkdir(parents=True, exist_ok=True)
    try:
        stack = (
            _start_with_gateway(stack_folder, gateway_base_url, say)
            if gateway_base_url
            else _start_with_simulator(stack_folder, say)
        )
        change_running(stack_folder, is_kept=is_kept)
    except BaseException:
        take_down(stack_folder)
        raise
    return stack


def take_down(stack_folder: StackFolder) -> bool:
    """Stop everything that `bring_up` started. Return False if there was nothing to stop."""
    with signals_held():
        running = read_running(stack_folder)
        for process in running.processes if running else ():
            stop(process)
        for file in (stack_folder.stack_file, stack_folder.shell_file, stack_folder.running_file):
            file.unlink(missing_ok=True)
        shutil.rmtree(stack_folder.scratch, ignore_errors=True)
    return running is not None


@contextmanager
def running_stack(stack_folder: StackFolder, gateway_base_url: str | None, say: Say) -> Iterator[Stack]:
    """Give a running stack, and take it down at the end unless `make up` keeps it up.

    Without `gateway_base_url` a kept stack is used with the gateway that it has. Raise StackError as `bring_up` does,
    or if a stack with another gateway is kept up.
    """
    running = read_running(stack_folder)
    kept = find_running_stack(stack_folder) if running and running.is_kept else None
    if kept and gateway_base_url not in {None, kept.gateway_base_url}:
        raise StackError(f"a stack with the gateway {kept.gateway_base_url} is up: run `make down` first")
    if kept and not kept.simulator_url:
        gateway_base_url = kept.gateway_base_url
    try:
        yield bring_up(stack_folder, gateway_base_url, say, is_kept=kept is not None)
    finally:
        if not kept:
            try:
                say("taking the local stack down")
            finally:  # also if the terminal is gone, and the line cannot be printed
                take_down(stack_folder)


def find_running_stack(stack_folder: StackFolder) -> Stack | None:
    """Return the stack if all its processes run, else None: after a reboot, for example."""
    running, stack = read_running(stack_folder), read_stack(stack_folder)
    return stack if running and stack and all(is_alive(process) for process in running.processes) else None


def _has_gateway(stack: Stack, gateway_base_url: str | None) -> bool:
    return stack.gateway_base_url == gateway_base_url if gateway_base_url else stack.simulator_url is not None


def _start_with_simulator(stack_folder: StackFolder, say: Say) -> Stack:
    say("starting the local AWS and the Kairos simulator")
    # Two RSA keys of 4096 bits take seconds, so they are made in the background.
    with ThreadPoolExecutor(max_workers=1) as background:
        flows = background.submit(make_flows)
        with signals_held():
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
    with signals_held():
        ministack, aws = start_ministack(stack_folder)
        write(stack_folder.running_file, Running((*running.processes, ministack)))
    wait_for_ministack(ministack, aws)
    return aws


def _deploy_first(stack_folder: StackFolder, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    create_artifacts_bucket(aws)
    deployed = _deploy(stack_folder, aws, gateway_base_url, say)
    make_topic_and_rule(aws, deployed)
    return deployed


def _deploy_if_outdated(stack_folder: StackFolder, stack: Stack, say: Say) -> Stack:
    running = read_running(stack_folder)
    if running and running.deployed == deploy_fingerprint():
        say("the local stack is up already")
        return write_stack(stack_folder, stack)  # an older checkout may have written other files
    say("the local stack is up, but with older sources")
    deployed = _deploy(stack_folder, stack.aws(), stack.gateway_base_url, say)
    return write_stack(stack_folder, replace(stack, outputs=dict(deployed.outputs)))


def _deploy(stack_folder: StackFolder, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    say("building and deploying the template")
    fingerprint = deploy_fingerprint()
    build(stack_folder)
    senders = sending_topics_and_rules(aws.region)
    deployed = deploy(stack_folder, aws, gateway_base_url, SendingTopicsAndRules=senders)
    repair_ministack(aws, deployed)
    change_running(stack_folder, deployed=fingerprint)
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
    return write_stack(stack_folder, stack)
