"""The floor of any batch: one round trip to the API, over a kept connection."""

import time
from statistics import median

import urllib3

from local.simulator.client import SimulatorClient
from local.simulator.faults import NoFault
from sealed_relay.kairos.flow import Flow
from tests.bench.events import message
from tests.bench.peers.sealed_message import HEADERS, outcome_of, seal

_TIMES = 5


def round_trip_seconds(simulator: SimulatorClient, flow: Flow, latency_milliseconds: int) -> float:
    """From the first byte of a sealed request to the last of its answer: the median of five."""
    url = f"{simulator.gateway_base_url}/enc/{flow.endpoint}/create"
    simulator.reset()
    simulator.plan(NoFault(), requests=None, latency_milliseconds=latency_milliseconds)
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        seconds = [_post(http, url, seal(flow, message(flow.flow_id))) for _ in range(1 + _TIMES)]
    simulator.clear_faults()
    return median(seconds[1:])  # the first of them connects


def _post(http: urllib3.PoolManager, url: str, body: bytes) -> float:
    began = time.perf_counter()
    answer = http.request("POST", url, body=body, headers=HEADERS).data
    seconds = time.perf_counter() - began
    outcome_of(answer)
    return seconds
