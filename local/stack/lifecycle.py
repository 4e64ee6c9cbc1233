"""Bringing the local stack up and taking it down: the story of `make up` and `make down`."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from local.simulator.server import BASE_PATH
from local.stack.aws import LocalAws
from local.stack.deploying import Deployed, build, create_artifacts_bucket, deploy
from local.stack.errors import StackError
from local.stack.flows import FLOW_IDS, introduce, make_flows
from local.stack.home import Home
from local.stack.mending import mend
from local.stack.ministack import start_ministack, wait_for_ministack
from local.stack.processes import is_alive, stop
from local.stack.records import Running, Stack, read_running, read_stack, write
from local.stack.simulator_process import start_simulator, wait_for_simulator
from local.stack.sources import deploy_fingerprint

Say = Callable[[str], None]


def bring_up(home: Home, gateway_base_url: str | None, say: Say) -> Stack:
    """Return a running stack of the sources as they are now, starting or deploying only what needs it.

    With `gateway_base_url` the relay sends there: no simulator is started and no flow is made. A stack that runs keeps
    its gateway unless another is asked for. Raise StackError if it cannot be brought up; nothing is left running then.
    """
    stack = living_stack(home)
    if stack and gateway_base_url in {None, stack.gateway_base_url}:
        return _refreshed(home, stack, say)
    take_down(home)
    for folder in (home.logs, home.scratch):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        return _with_gateway(home, gateway_base_url, say) if gateway_base_url else _with_simulator(home, say)
    except BaseException:
        take_down(home)
        raise


def take_down(home: Home) -> bool:
    """Stop all that `bring_up` started; False if nothing was there to stop."""
    running = read_running(home)
    for process in running.processes if running else ():
        stop(process)
    home.stack_file.unlink(missing_ok=True)
    home.running_file.unlink(missing_ok=True)
    shutil.rmtree(home.scratch, ignore_errors=True)
    return running is not None


@contextmanager
def left_as_found(home: Home, gateway_base_url: str | None, say: Say) -> Iterator[Stack]:
    """A running stack, left running only if it was found so. Raise StackError as `bring_up`, or for other gateways."""
    found = living_stack(home)
    if found and gateway_base_url not in {None, found.gateway_base_url}:
        raise StackError(f"a stack is up, with the gateway {found.gateway_base_url}: `make down` first")
    stack = bring_up(home, gateway_base_url, say)
    try:
        yield stack
    finally:
        if not found:
            say("taking the local stack down again")
            take_down(home)


def living_stack(home: Home) -> Stack | None:
    """Return the stack if all of it runs; after a reboot, or with one of its processes dead, it does not."""
    running, stack = read_running(home), read_stack(home)
    return stack if running and stack and all(is_alive(process) for process in running.processes) else None


def _with_simulator(home: Home, say: Say) -> Stack:
    say("starting the local AWS and the Kairos simulator")
    # Two RSA keys of 4096 bits take seconds to find: meanwhile the rest goes on.
    with ThreadPoolExecutor(max_workers=1) as background:
        flows = background.submit(make_flows)
        simulator, port_file = start_simulator(home)
        write(home.running_file, Running((simulator,)))
        aws = _start_aws(home, Running((simulator,)))
        simulator_url = wait_for_simulator(simulator, port_file)
        gateway_base_url = simulator_url + BASE_PATH
        deployed = _deploy_first(home, aws, gateway_base_url, say)
        introduce(flows.result(), aws, deployed, simulator_url)
    return _recorded(home, aws, deployed, gateway_base_url, simulator_url)


def _with_gateway(home: Home, gateway_base_url: str, say: Say) -> Stack:
    say(f"starting the local AWS, for the gateway at {gateway_base_url}")
    aws = _start_aws(home, Running(()))
    deployed = _deploy_first(home, aws, gateway_base_url, say)
    return _recorded(home, aws, deployed, gateway_base_url, None)


def _start_aws(home: Home, running: Running) -> LocalAws:
    ministack, aws = start_ministack(home)
    write(home.running_file, Running((*running.processes, ministack)))
    wait_for_ministack(ministack, aws)
    return aws


def _deploy_first(home: Home, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    create_artifacts_bucket(aws)
    return _deploy(home, aws, gateway_base_url, say)


def _refreshed(home: Home, stack: Stack, say: Say) -> Stack:
    running = read_running(home)
    if running and running.deployed == deploy_fingerprint():
        say("the local stack is up already")
        return stack
    say("the local stack is up, but of other sources")
    _deploy(home, stack.aws(), stack.gateway_base_url, say)
    return stack


def _deploy(home: Home, aws: LocalAws, gateway_base_url: str, say: Say) -> Deployed:
    say("building and deploying the template")
    fingerprint = deploy_fingerprint()
    build(home)
    deployed = deploy(home, aws, gateway_base_url)
    mend(aws, deployed)
    running = read_running(home)
    write(home.running_file, Running(running.processes if running else (), fingerprint))
    return deployed


def _recorded(home: Home, aws: LocalAws, deployed: Deployed, gateway_base_url: str, simulator_url: str | None) -> Stack:
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
    write(home.stack_file, stack)
    return stack
