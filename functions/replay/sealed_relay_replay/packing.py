"""Entries into batches that SQS takes. Pure."""

from collections.abc import Iterator, Sequence

from sealed_relay_replay.entry import Entry

MAX_ENTRIES = 10
"""Of any batch: SQS's quota."""
MAX_BATCH_BYTES = 1_048_576
"""Of all bodies of one batch, and of one alone: SQS's quotas of 2025."""


def in_batches(entries: Sequence[Entry], max_bytes: int = MAX_BATCH_BYTES) -> Iterator[list[Entry]]:
    """The entries in order, as many at a time as SQS takes."""
    batch: list[Entry] = []
    batch_bytes = 0
    for entry in entries:
        body_bytes = len(entry.body.encode())
        if batch and (len(batch) == MAX_ENTRIES or batch_bytes + body_bytes > max_bytes):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(entry)
        batch_bytes += body_bytes
    if batch:
        yield batch
