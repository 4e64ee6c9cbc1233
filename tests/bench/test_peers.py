"""The peers deliver too, or their figures would be those of other work."""

import json
from collections.abc import Iterator

import pytest

from local.emulator.emulator import Emulator
from local.simulator.client import SimulatorClient
from local.simulator.faults import CodeAnswer
from local.stack.stack_files import Stack
from tests.bench.events import event_of
from tests.bench.flows import FLOW_IDS, introduce_flows
from tests.bench.invocations import started
from tests.bench.subjects import PEERS, Subject, subjects_on

pytestmark = pytest.mark.stack

FINISHED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


@pytest.fixture(scope="module")
def subjects(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    introduce_flows(stack)
    return {subject.name: subject for subject in subjects_on(stack, tmp_path_factory.mktemp("subjects"))}


@pytest.fixture(scope="module", params=PEERS)
def peer(subjects: dict[str, Subject], request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with started(subjects[request.param].function) as (emulator, _):
        yield emulator


def test_peer_delivers_each_call_of_a_repeated_message_once(peer: Emulator, simulator: SimulatorClient) -> None:
    event = event_of(20, FLOW_IDS)
    answers = [json.loads(peer.invoke(event).answer) for _ in range(2)]
    assert answers == [FINISHED, FINISHED]
    audit = simulator.audit()
    assert (audit.accepted_calls, audit.requests_received) == (20, 20)


def test_peer_returns_a_refused_message_and_delivers_it_later(peer: Emulator, simulator: SimulatorClient) -> None:
    simulator.plan(CodeAnswer(code=500), flow_id=FLOW_IDS[1])
    event = event_of(2, FLOW_IDS)
    refused = json.loads(event)["Records"][1]["messageId"]
    answers = [json.loads(peer.invoke(event).answer) for _ in range(2)]
    assert answers == [{"batchItemFailures": [{"itemIdentifier": refused}]}, FINISHED]
    assert simulator.audit().accepted_calls == 2
