"""The path of one accepted call through the product's files: how far a reader must follow it.

Counted with `sys.setprofile` while the relay runs over the adapters in memory, from its batch of one message to its
flushed logs and metrics. Each call of a named function in `sealed_relay` is one place on the path. Two places in a row
that are in different files make one switch. The adapters are left out, the emitter among them. Methods that
Python or a dataclass generates, operators, lambdas and generator expressions are no places: a reader does not look them
up. `python -m tests.bench.in_process.path` prints the switches by pair of files, the most frequent first.
"""

import contextlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools import Logger, Metrics
from rich.console import Console

import sealed_relay
from sealed_relay.batch.process_batch import process_batch
from sealed_relay.calls.message import Lane
from sealed_relay.observability.emitter import Telemetry
from tests.support.scene import FUNCTION_TIMEOUT_SECONDS, Scene

_PRODUCT = Path(sealed_relay.__file__).parent
_ADAPTERS = ("aws/", "kairos/client.py", "kairos/connection.py", "observability/")


@dataclass(frozen=True, slots=True)
class CodePath:
    """`files` by their paths in the package. `switches` says how often the path goes from one file to another."""

    files: frozenset[str]
    switches: Counter[tuple[str, str]]

    @property
    def total_switches(self) -> int:
        """How often the path changes the file."""
        return self.switches.total()


def path_of_accepted_call() -> CodePath:
    """Deliver one message with one call, the first of its table, and follow it."""
    scene = Scene()
    scene.send("a")
    messages = scene.ingress.receive(1)
    names = {"POWERTOOLS_METRICS_NAMESPACE": "SealedRelay", "POWERTOOLS_SERVICE_NAME": "relay"}
    with patch.dict(os.environ, names), contextlib.redirect_stdout(io.StringIO()):
        telemetry = Telemetry(Logger("path", stream=io.StringIO()), Metrics())
        dependencies = scene.dependencies(observe=telemetry.observe)

        def relay() -> None:
            deadline = scene.clock.now + FUNCTION_TIMEOUT_SECONDS
            assert process_batch(dependencies, messages, deadline, Lane.INGRESS) == []
            telemetry.flush()

        path = follow(relay, _PRODUCT, _ADAPTERS)
    assert scene.statuses() == {"ACCEPTED": 1}
    return path


def follow(work: Callable[[], object], folder: Path, left_out: tuple[str, ...] = ()) -> CodePath:
    """Do the work, and tell its path through the files of a folder, without those whose paths start as in `left_out`.

    Other threads are not followed.
    """
    prefix = f"{folder}{os.sep}"
    places: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:  # noqa: ANN401 - as `sys.setprofile` has it
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(prefix) or code.co_name.startswith(("<", "__")):
            return
        file = code.co_filename.removeprefix(prefix)
        if not file.startswith(left_out):
            places.append(file)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return CodePath(frozenset(places), Counter(pair for pair in pairwise(places) if pair[0] != pair[1]))


def main() -> None:
    """Print the figure, and the switches by pair of files."""
    path = path_of_accepted_call()
    console = Console(highlight=False)
    console.out(f"{len(path.files)} files, {path.total_switches} switches")
    for (origin, target), times in path.switches.most_common():
        console.out(f"{times:4} {origin} -> {target}")


if __name__ == "__main__":
    main()
