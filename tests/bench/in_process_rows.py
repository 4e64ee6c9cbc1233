"""Rows of the table that need no emulator: figures of the product's own code over in-memory parts.

The peers' figures are not measured but known: one request, one conditional put and one update per message.
"""

from collections.abc import Callable

from tests.bench.cpu_by_batch_size import cpu_by_batch_size_row
from tests.bench.in_process.batch_cpu import batch_cpu
from tests.bench.in_process.dynamodb_cost import TableUse, table_use
from tests.bench.in_process.path import CodePath, path_of_accepted_call
from tests.bench.in_process.rate_use import Minutes, backlog_for
from tests.bench.in_process.request_fill import Requests, backlog_delivered
from tests.bench.in_process.sealing_cost import Sealing, sealing_many, sealing_one
from tests.bench.in_process.urgent_calls import BACKLOG, UrgentCalls, urgent_beside_backlog
from tests.bench.in_process.virtual_aws import API_LATENCY_SECONDS
from tests.bench.subjects import CANONICAL
from tests.bench.table import Row, compared, in_milliseconds

REQUESTS_PER_MINUTE = 500
_PEERS_CALLS_PER_REQUEST = 1
_CANONICAL_WRITES = 2
_BATCH_SIZE = 1000
_SIMULATED_MINUTES = 3
_CALLS_SEALED = 500
_MAX_URGENT_SECONDS = 2.0 + API_LATENCY_SECONDS


def in_process_rows(say: Callable[[str], None]) -> list[Row]:
    """Measure, announce each step, and return the rows."""
    say("sealing")
    sealing = sealing_rows(sealing_one(), sealing_many(_CALLS_SEALED), _CALLS_SEALED)
    say("requests and writes of a backlog")
    requests, table = requests_row(backlog_delivered()), table_rows(table_use(_BATCH_SIZE), _BATCH_SIZE)
    path = path_row(path_of_accepted_call())
    say("growth")
    growing = cpu_by_batch_size_row(
        "CPU of the relay's own code", {each.batch_size: each.seconds_a_call for each in batch_cpu()}
    )
    say(f"{_SIMULATED_MINUTES} simulated minutes of a backlog, in about two of this machine's")
    minutes = minutes_row(backlog_for(_SIMULATED_MINUTES))
    say(f"urgent calls beside a backlog of {BACKLOG:,}, with a queue of their own and without")
    urgent = urgent_row(urgent_beside_backlog(has_lane=True), urgent_beside_backlog(has_lane=False))
    return [requests, minutes, urgent, *table, *sealing, growing, path]


def path_row(path: CodePath) -> Row:
    """How far a reader must follow one accepted call through the product's files."""
    files, switches = len(path.files), path.total_switches
    return Row(
        "path of one accepted call",
        f"{files} files, {switches} switches",
        goal="at most 25 files, 110 switches",
        met=files <= 25 and switches <= 110,
    )


def requests_row(requests: Requests) -> Row:
    """How many calls a request holds."""
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
    """How fast a backlog is sent at the API's rate, in simulated time."""
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


def urgent_row(ours: UrgentCalls, without: UrgentCalls) -> Row:
    """How long urgent calls take from sent to accepted while a backlog drains, in simulated time."""
    p99 = ours.percentile(99)
    return Row(
        f"urgent calls beside a backlog of {BACKLOG:,}: p50; p99",
        f"{ours.percentile(50):.2f} s; {p99:.2f} s",
        f"{without.percentile(50):.0f} s; {without.percentile(99):.0f} s in the same queue",
        p99 / without.percentile(99),
        f"p99 at most {_MAX_URGENT_SECONDS:.1f} s",
        p99 <= _MAX_URGENT_SECONDS,
    )


def table_rows(use: TableUse, batch_size: int) -> list[Row]:
    """What a call costs at DynamoDB."""
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
    """What sealing costs beside its minimum."""
    return [
        compared("sealing one call", one.seconds, one.floor_seconds, "bare RSA wrap", in_milliseconds, most=1.3),
        compared(f"sealing {calls} calls", many.seconds, many.floor_seconds, "bare ciphers", in_milliseconds, most=1.5),
    ]
