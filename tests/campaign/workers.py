"""Runs seeds in two processes, and returns the results in the order of the seeds."""

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from itertools import count
from multiprocessing import get_context, parent_process
from threading import Thread

from tests.campaign.mutants import MUTANTS
from tests.campaign.run import Result, run

_PROCESSES = 2
_SEEDS_AT_ONCE = 4
_WAITING = 3 * _PROCESSES


def start_processes() -> ProcessPoolExecutor:
    """Start two processes that share work. They end with this process, also if it is killed."""
    return ProcessPoolExecutor(_PROCESSES, get_context("spawn"), _end_with_parent)


def results(first_seed: int = 1, mutant: str | None = None) -> Generator[Result, None, None]:
    """Give the results of all seeds from the first on, without end. Close it when there are enough."""
    with start_processes() as processes:
        under_way: deque[Future[list[Result]]] = deque()
        try:
            for seed in count(first_seed, _SEEDS_AT_ONCE):
                under_way.append(processes.submit(_run_some, range(seed, seed + _SEEDS_AT_ONCE), mutant))
                if len(under_way) == _WAITING:
                    yield from under_way.popleft().result()
        finally:
            processes.shutdown(cancel_futures=True)


def is_clean(seed: int) -> bool:
    """Return whether this seed's run of the unchanged product has no violation."""
    return not run(seed).violations


def _end_with_parent() -> None:
    """A worker that waits for work, or is busy with it, does not notice the death of its parent by itself."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _run_some(seeds: range, mutant: str | None) -> list[Result]:
    with MUTANTS[mutant].applied() if mutant else nullcontext():
        return [run(seed) for seed in seeds]
