import pytest

from tests.bench.cpu_by_batch_size import cpu_by_batch_size_row, never_rises


def test_row_names_each_size_in_order() -> None:
    row = cpu_by_batch_size_row("CPU", {1000: 0.0002, 10: 0.0004})
    assert (row.figure, row.ours, row.met) == ("CPU per call, batches of 10; 1,000", "0.40 ms; 0.20 ms", True)


@pytest.mark.parametrize(
    ("figures", "is_so"),
    [([3.0, 1.0, 1.0], True), ([3.0, 1.0, 1.09], True), ([3.0, 1.0, 1.2], False), ([1.0, 2.0, 1.0], False)],
)
def test_figures_within_a_tenth_count_as_flat(figures: list[float], is_so: bool) -> None:  # noqa: FBT001 - a case
    assert never_rises(figures) is is_so
