"""CPU per call by the size of the batch: it must fall, then stay flat."""

from collections.abc import Mapping, Sequence

from tests.bench.table import Row, in_milliseconds

_FLAT = 1.1
"""Figures that differ by less count as flat: figures of the same code differ by as much."""


def cpu_by_batch_size_row(whose: str, seconds_per_call: Mapping[int, float]) -> Row:
    """Return the row: the sizes in order, and the CPU per call for each."""
    sizes = sorted(seconds_per_call)
    seconds = [seconds_per_call[size] for size in sizes]
    return Row(
        f"{whose} per call, batches of {'; '.join(f'{size:,}' for size in sizes)}",
        "; ".join(map(in_milliseconds, seconds)),
        goal="falls, then flat",
        met=never_rises(seconds),
    )


def never_rises(figures: Sequence[float]) -> bool:
    """Return whether no figure is larger than the one before it, by more than counts as flat."""
    return all(figure <= min(figures[:index]) * _FLAT for index, figure in enumerate(figures) if index)
