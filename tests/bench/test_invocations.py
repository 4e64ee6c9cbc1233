"""What is read off an invocation, with small functions of the tests' own."""

import json
import time
from pathlib import Path

import pytest

from local.emulator.emulator import Invocation
from local.emulator.fetch_function import DeployedFunction
from tests.bench.invocations import UnfinishedBatchError, cold_start, cpu_seconds, invoke, peak_memory_bytes, started

HANDLER = """
import threading, time

def handle(event, context):
    if "work" in event:
        threads = [threading.Thread(target=work, args=[event["work"]])]
        threads[0].start()
        threads[0].join()
    if "hold" in event:
        bytearray(event["hold"]).replace(b"\\0", b"x")
    return {"batchItemFailures": event.get("failed", [])}

def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
"""
LOG = (
    "START RequestId: c6efb5f9 Version: $LATEST",
    "23 Nov 2026 11:14:12,593 [INFO] (rapid) INIT REPORT(durationMs: 690.754000)",
    "23 Nov 2026 11:14:12,747 [INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 154.119000ms)",
    "REPORT RequestId: c6efb5f9\tInit Duration: 0.06 ms\tDuration: 845.14 ms\tBilled Duration: 846 ms",
)


@pytest.fixture
def function(tmp_path: Path) -> DeployedFunction:
    (tmp_path / "app.py").write_text(HANDLER)
    return DeployedFunction("small", "app.handle", 20, 128, tmp_path, tmp_path / "opt", environment={})


def event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_cold_start_is_the_init_and_the_first_invocation() -> None:
    start = cold_start(Invocation(b"{}", LOG))
    assert (start.init_seconds, start.first_invocation_seconds) == pytest.approx((0.690754, 0.154119))
    assert start.seconds == pytest.approx(0.844873)


def test_cpu_time_of_ended_threads_counts(function: DeployedFunction) -> None:
    with started(function) as (emulator, _):
        before = cpu_seconds(emulator)
        invoke(emulator, event(work=0.3))
        assert cpu_seconds(emulator) - before >= 0.29


def test_memory_peak_is_reported_after_it_is_over(function: DeployedFunction) -> None:
    with started(function) as (emulator, _):
        before = peak_memory_bytes(emulator)
        invoke(emulator, event(hold=50_000_000))
        assert peak_memory_bytes(emulator) - before >= 50_000_000


def test_invocation_time_is_at_most_the_wait_of_its_caller(function: DeployedFunction) -> None:
    with started(function) as (emulator, _):
        began = time.monotonic()
        seconds = invoke(emulator, event(work=0.05))
        assert 0.05 <= seconds <= time.monotonic() - began


def test_unfinished_batch_raises_an_error(function: DeployedFunction) -> None:
    with started(function) as (emulator, _), pytest.raises(UnfinishedBatchError, match="message-7"):
        invoke(emulator, event(failed=[{"itemIdentifier": "message-7"}]))
