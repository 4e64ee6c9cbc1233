"""Long lists in parts, because AWS bounds what one round trip may hold."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(items: Sequence[T], max_items: int) -> Iterator[Sequence[T]]:
    """The items in order, at most so many at a time."""
    return (items[start : start + max_items] for start in range(0, len(items), max_items))
