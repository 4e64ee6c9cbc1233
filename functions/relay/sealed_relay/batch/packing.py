"""Calls into few requests, within the API's two limits, and requests into halves. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def pack(items: Sequence[T], size_of: Callable[[T], int], *, max_items: int, max_bytes: int) -> list[list[T]]:
    """Groups of at most `max_items` items and `max_bytes` bytes, each in the order of `items`.

    First fit, in that order and not the largest first: so each group gets large items and small ones, and is full by
    its count and by its bytes at once, where the largest together would fill their bytes before their count. Where
    items are so large that the count never limits, that costs a group in fifty or so. Every item must fit `max_bytes`
    by itself.
    """
    smallest_bytes = min(map(size_of, items), default=0)
    groups: list[list[T]] = []
    open_groups: dict[int, int] = {}  # number of the group -> bytes still free
    for item in items:
        size_bytes = size_of(item)
        number = next((number for number, free in open_groups.items() if free >= size_bytes), None)
        if number is None:
            number = len(groups)
            groups.append([])
            open_groups[number] = max_bytes
        groups[number].append(item)
        open_groups[number] -= size_bytes
        if len(groups[number]) == max_items or open_groups[number] < smallest_bytes:
            del open_groups[number]
    return groups


def halve(items: Sequence[T]) -> list[list[T]]:
    """Two groups of nearly equal length, in order; one where there is only one item."""
    middle = (len(items) + 1) // 2
    return [list(half) for half in (items[:middle], items[middle:]) if half]


def in_parts(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The items in order, at most so many at a time."""
    return (items[start : start + most] for start in range(0, len(items), most))
