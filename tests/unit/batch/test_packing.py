"""Packing, halving and taking in parts."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.batch.packing import halve, in_parts, pack

SIZES = st.lists(st.integers(0, 100), max_size=60)


def pack_sizes(sizes: list[int], max_items: int, max_bytes: int) -> list[list[int]]:
    """Groups of positions."""
    return pack(range(len(sizes)), lambda index: sizes[index], max_items=max_items, max_bytes=max_bytes)


@given(SIZES, st.integers(1, 10), st.integers(100, 300))
def test_every_item_is_in_just_one_group_and_every_group_keeps_both_limits(
    sizes: list[int], max_items: int, max_bytes: int
) -> None:
    groups = pack_sizes(sizes, max_items, max_bytes)

    assert sorted(chain.from_iterable(groups)) == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= max_items
        assert sum(sizes[index] for index in group) <= max_bytes
        assert group == sorted(group)


@given(SIZES, st.integers(1, 10))
def test_where_only_the_count_limits_no_group_is_wasted(sizes: list[int], max_items: int) -> None:
    assert len(pack_sizes(sizes, max_items, sum(sizes) + 100)) == -(-len(sizes) // max_items)


@given(SIZES)
def test_where_only_the_bytes_limit_no_two_groups_would_fit_into_one(sizes: list[int]) -> None:
    groups = pack_sizes(sizes, len(sizes) + 1, 100)
    totals = sorted(sum(sizes[index] for index in group) for group in groups)

    assert len(totals) < 2 or totals[0] + totals[1] > 100


def test_calls_of_one_size_go_out_500_at_a_time() -> None:
    assert [len(group) for group in pack_sizes([200] * 1_201, 500, 147_000)] == [500, 500, 201]


def test_large_and_small_calls_together_fill_a_request_by_its_count_and_by_its_bytes() -> None:
    assert [len(group) for group in pack_sizes([280, 300] * 500, 500, 146_000)] == [500, 500]


def test_large_items_do_not_shut_small_ones_out() -> None:
    assert pack_sizes([60, 60, 40, 40], 10, 100) == [[0, 2], [1, 3]]


def test_nothing_needs_no_group() -> None:
    assert pack_sizes([], 500, 100) == []
    assert halve([]) == []
    assert list(in_parts([], 10)) == []


@given(st.lists(st.integers()))
def test_halves_are_in_order_and_nearly_equal(items: list[int]) -> None:
    halves = halve(items)

    assert list(chain.from_iterable(halves)) == items
    assert len(halves) == min(2, len(items))
    assert max(map(len, halves), default=0) - min(map(len, halves), default=0) <= 1 or len(items) == 1


@given(st.lists(st.integers()), st.integers(1, 30))
def test_parts_are_in_order_and_full_but_for_the_last(items: list[int], most: int) -> None:
    parts = list(in_parts(items, most))

    assert list(chain.from_iterable(parts)) == items
    assert all(len(part) == most for part in parts[:-1])
    assert all(1 <= len(part) <= most for part in parts[-1:])
