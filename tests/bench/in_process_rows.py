"""Rows of the figures that need no emulator: those of the product's own code over parts in memory.

The peers' are none of theirs to measure: one request a message, one conditional put and one update for each.
"""

from collections.abc import Callable

from tests.bench.growth import growth_row
from tests.bench.in_process.growth import growth
from tests.bench.in_process.minutes import Minutes, backlog_for
from tests.bench.in_process.requests import Requests, backlog_delivered
from tests.bench.in_process.sealing import Sealing, sealing_many, sealing_one
from tests.bench.in_process.writes import TableUse, table_use
from tests.bench.subjects import CANONICAL
from tests.bench.table import Row, compared, in_milliseconds

REQUESTS_PER_MINUTE = 500
_PEERS_CALLS_PER_REQUEST = 1
_CANONICAL_WRITES = 2
_BATCH_SIZE = 1000
_SIMULATED_MINUTES = 3
_CALLS_SEALED = 500


def in_process_rows(say: Callable[[str], None]) -> list[Row]:
    """Measure, saying what, and tell."""
    say("sealing")
    sealing = sealing_rows(sealing_one(), sealing_many(_CALLS_SEALED), _CALLS_SEALED)
    say("requests and writes of a backlog")
    requests, table = requests_row(backlog_delivered()), table_rows(table_use(_BATCH_SIZE), _BATCH_SIZE)
    say("growth")
    growing = growth_row("CPU of the relay's own code", {each.batch_size: each.seconds_a_call for each in growth()})
    say(f"{_SIMULATED_MINUTES} simulated minutes of a backlog, in about two of this machine's")
    return [requests, minutes_row(backlog_for(_SIMULATED_MINUTES)), *table, *sealing, growing]


def requests_row(requests: Requests) -> Row:
    """How full requests are."""
    calls = requests.calls_per_request
    return Row(
        f"calls per API request, backlog of {requests.calls:,}",
        f"{calls:.1f}",
        f"{_PEERS_CALLS_PER_REQUEST} peers",
        calls / _PEERS_CALLS_PER_REQUEST,
        "at least 490",
        calls >= 490,
    )


def minutes_row(minutes: Minutes) -> Row:
    """How fast a backlog goes at the API's own rate, in simulated time."""
    calls = minutes.calls_a_minute
    peers = _PEERS_CALLS_PER_REQUEST * REQUESTS_PER_MINUTE
    return Row(
        f"calls a minute at {REQUESTS_PER_MINUTE} requests",
        f"{calls:,.0f}",
        f"{peers} peers",
        calls / peers,
        "at least 240,000",
        calls >= 240_000,
    )


def table_rows(use: TableUse, batch_size: int) -> list[Row]:
    """What a call costs DynamoDB."""
    return [
        Row(
            f"DynamoDB {what} per call, batch of {batch_size:,}",
            f"{ours:.3f}",
            f"{_CANONICAL_WRITES} {CANONICAL}",
            ours / _CANONICAL_WRITES,
            f"at most {most}",
            ours <= most,
        )
        for what, ours, most in (("write units", use.write_units, 2.5), ("round trips", use.round_trips, 0.1))
    ]


def sealing_rows(one: Sealing, many: Sealing, calls: int) -> list[Row]:
    """What sealing costs beside what it cannot do without."""
    return [
        compared("sealing one call", one.seconds, one.floor_seconds, "bare RSA wrap", in_milliseconds, most=1.3),
        compared(f"sealing {calls} calls", many.seconds, many.floor_seconds, "bare ciphers", in_milliseconds, most=1.5),
    ]
