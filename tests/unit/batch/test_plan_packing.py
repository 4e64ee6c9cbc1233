"""Items are packed into few groups within both limits."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.batch.plan import pack

SIZES = st.lists(st.integers(0, 100), max_size=60)


def pack_sizes(sizes: list[int], max_items: int, max_bytes: int) -> list[list[int]]:
    """Groups of positions."""
    return pack(range(len(sizes)), lambda index: sizes[index], max_items=max_items, max_bytes=max_bytes)


@given(SIZES, st.integers(1, 10), st.integers(100, 300))
def test_every_item_is_in_one_group_and_groups_keep_both_limits(
    sizes: list[int], max_items: int, max_bytes: int
) -> None:
    groups = pack_sizes(sizes, max_items, max_bytes)

    assert sorted(chain.from_iterable(groups)) == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= max_items
        assert sum(sizes[index] for index in group) <= max_bytes
        assert group == sorted(group)


@given(SIZES, st.integers(1, 10))
def test_groups_are_as_few_as_possible_if_only_the_count_limits(sizes: list[int], max_items: int) -> None:
    assert len(pack_sizes(sizes, max_items, sum(sizes) + 100)) == -(-len(sizes) // max_items)


@given(SIZES)
def test_no_two_groups_fit_into_one_if_only_the_bytes_limit(sizes: list[int]) -> None:
    groups = pack_sizes(sizes, len(sizes) + 1, 100)
    totals = sorted(sum(sizes[index] for index in group) for group in groups)

    assert len(totals) < 2 or totals[0] + totals[1] > 100


def test_items_of_one_size_are_packed_500_at_a_time() -> None:
    assert [len(group) for group in pack_sizes([200] * 1_201, 500, 147_000)] == [500, 500, 201]


def test_large_and_small_items_together_fill_both_limits() -> None:
    assert [len(group) for group in pack_sizes([280, 300] * 500, 500, 146_000)] == [500, 500]


def test_small_items_join_the_groups_of_large_ones() -> None:
    assert pack_sizes([60, 60, 40, 40], 10, 100) == [[0, 2], [1, 3]]


def test_no_items_need_no_group() -> None:
    assert pack_sizes([], 500, 100) == []
