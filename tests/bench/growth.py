"""CPU per call by the size of the batch: it must fall, then stay flat."""

from collections.abc import Mapping, Sequence

from tests.bench.table import Row, in_milliseconds

_FLAT = 1.1
"""What figures may differ by and still be called flat: those of the same code differ by as much."""


def growth_row(whose: str, seconds_per_call: Mapping[int, float]) -> Row:
    """The sizes in their order, and the CPU of a call for each."""
    sizes = sorted(seconds_per_call)
    seconds = [seconds_per_call[size] for size in sizes]
    return Row(
        f"{whose} per call, batches of {'; '.join(f'{size:,}' for size in sizes)}",
        "; ".join(map(in_milliseconds, seconds)),
        goal="falls, then flat",
        met=never_rises(seconds),
    )


def never_rises(figures: Sequence[float]) -> bool:
    """Whether none is larger than one before it, but for what still counts as flat."""
    return all(figure <= min(figures[:index]) * _FLAT for index, figure in enumerate(figures) if index)
