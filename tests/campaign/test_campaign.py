"""A campaign of a few seconds; `make campaign` is the one of a million calls."""

import os
import subprocess
import sys

import pytest

from tests.campaign.draw_profile import paused_for_a_day
from tests.campaign.fault_chance import FaultKind
from tests.campaign.mutants import MUTANTS
from tests.campaign.report import Tally
from tests.campaign.run import run

SEEDS = range(1, 81)
INVALID_SECURITY_ID, INSUFFICIENT_BALANCE = 202, 212
QUICKLY_CAUGHT = (
    "busy-claimed",
    "fresh-bytes-on-a-resend",
    "answer-not-recorded",
    "settled-before-published",
    "deadline-not-checked",
    "waiting-acknowledged",
    "pause-ignored",
    "probe-not-elected",
    "intervals-do-not-grow",
)


@pytest.fixture(scope="module")
def tally() -> Tally:
    tally = Tally()
    for seed in SEEDS:
        tally.add(run(seed))
    return tally


def test_every_run_keeps_the_guarantee(tally: Tally) -> None:
    assert {result.seed: result.violations for result in tally.failed} == {}


def test_every_kind_of_fault_occurs(tally: Tally) -> None:
    assert set(tally.faults) == set(FaultKind)


def test_calls_reach_every_final_status(tally: Tally) -> None:
    assert set(tally.statuses) == {"ACCEPTED", "PRESUMED_ACCEPTED", "REJECTED", "EXPIRED", "UNRESOLVED"}


def test_messages_come_from_both_queues_and_starts_are_moved(tally: Tally) -> None:
    assert 0 < tally.urgent_messages < tally.messages
    assert tally.starts_moved


@pytest.mark.parametrize("seed", [1, 2])
def test_messages_paused_for_a_day_are_all_delivered_later(seed: int) -> None:
    result = run(seed, draw=paused_for_a_day)
    assert result.violations == []
    assert result.codes.keys() & {INVALID_SECURITY_ID, INSUFFICIENT_BALANCE}
    assert sum(result.statuses[status] for status in ("ACCEPTED", "PRESUMED_ACCEPTED")) == result.calls
    assert 50 < result.max_receives < 700


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_changes_code_that_exists(name: str) -> None:
    with MUTANTS[name].applied():
        pass


@pytest.mark.parametrize("name", QUICKLY_CAUGHT)
def test_broken_product_is_caught(name: str) -> None:
    with MUTANTS[name].applied():
        assert any(run(seed).violations for seed in SEEDS)


def test_seed_replays_exactly_in_any_process() -> None:
    first, second = (_trace(seed=9, hash_seed=hash_seed) for hash_seed in ("1", "2"))
    assert first == second
    assert "keeps" in first


def _trace(seed: int, hash_seed: str) -> str:
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.campaign", "--seed", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
