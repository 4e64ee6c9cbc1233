"""Runs seeds in two processes, and returns the results in the order of the seeds."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from itertools import count
from multiprocessing import get_context

from tests.campaign.mutants import MUTANTS
from tests.campaign.run import Result, run

_PROCESSES = 2
_SEEDS_AT_ONCE = 4
_WAITING = 3 * _PROCESSES


def results(first_seed: int = 1, mutant: str | None = None) -> Generator[Result, None, None]:
    """Give the results of all seeds from the first on, without end. Close it when there are enough."""
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as processes:
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


def _run_some(seeds: range, mutant: str | None) -> list[Result]:
    with MUTANTS[mutant].applied() if mutant else nullcontext():
        return [run(seed) for seed in seeds]
