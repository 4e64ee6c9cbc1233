"""Every schedule with one deviation; `make explore` runs those with two."""

import os
import subprocess
import sys

import pytest

from tests.campaign.mutants import MUTANTS, ONLY_THE_EXPLORER_SHOWS
from tests.explore.run import run_schedule
from tests.explore.scenarios import SCENARIOS
from tests.explore.scheduled_faults import ChoicePoint
from tests.explore.search import continuations, search
from tests.explore.shown_mutants import SHOWN_BY

SHOWN_BY_ONE = [name for name, shown in SHOWN_BY.items() if shown.deviations <= 1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_schedule_with_one_deviation_keeps_the_guarantee(name: str) -> None:
    found = {str(decisions): violations for decisions, violations in search(SCENARIOS[name], {}, 1) if violations}
    assert found == {}


@pytest.mark.parametrize("name", SHOWN_BY_ONE)
def test_broken_product_is_caught_with_one_deviation(name: str) -> None:
    with MUTANTS[name].applied():
        assert any(violations for _, violations in search(SCENARIOS[SHOWN_BY[name].scenario], {}, 1))


def test_mutant_that_the_campaign_leaves_out_has_a_scenario() -> None:
    assert SHOWN_BY.keys() & MUTANTS.keys() >= ONLY_THE_EXPLORER_SHOWS


def test_search_runs_no_schedule_twice() -> None:
    schedules = [tuple(decisions.items()) for decisions, _ in search(SCENARIOS["one-call"], {}, 1)]
    assert len(schedules) == len(set(schedules)) > 50


def test_continuations_are_later_and_within_the_deviations_left() -> None:
    points = [ChoicePoint(2, 1), ChoicePoint(1, 1), ChoicePoint(1, 0), ChoicePoint(2, 1)]
    assert continuations(points, {1: 1}, max_deviations=1) == [{1: 1, 2: 1}]
    assert continuations(points, {1: 1}, max_deviations=2) == [{1: 1, 2: 1}, {1: 1, 3: 1}, {1: 1, 3: 2}]


def test_continuation_meets_the_choice_points_of_what_it_goes_on_from() -> None:
    undisturbed = run_schedule(SCENARIOS["duplicate-beside"], {}).points
    for decisions in continuations(undisturbed, {}, 1)[::10]:
        [last] = decisions
        assert run_schedule(SCENARIOS["duplicate-beside"], decisions).points[: last + 1] == undisturbed[: last + 1]


def test_schedule_repeats_exactly_in_any_process() -> None:
    first, second = (_trace("0:1 60:1", hash_seed=hash_seed) for hash_seed in ("1", "2"))
    assert first == second
    assert first.count(">>>") == 2


def _trace(schedule: str, hash_seed: str) -> str:
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.explore", "--scenario", "two-flows", "--schedule", schedule],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
