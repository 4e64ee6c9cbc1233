"""Turns the figures of the runtime emulator into rows of the table: medians, ratios, goals."""

from collections.abc import Callable
from statistics import median

from tests.bench.cpu_by_batch_size import cpu_by_batch_size_row
from tests.bench.invocations import ColdStart
from tests.bench.measure_instance import LATENCY_MILLISECONDS, MEMORY_BATCH, InstanceMeasurement
from tests.bench.rounds import Measured
from tests.bench.subjects import CANONICAL, FLOOR, OURS, PEERS
from tests.bench.table import MEGABYTE, Row, compared, in_megabytes, in_milliseconds, in_seconds

_MAX_MEMORY_BYTES = 160 * MEGABYTE
_TEN_FLOWS = f"ten messages for ten flows, API latency {LATENCY_MILLISECONDS} ms"


def whole_invocation_rows(measured: Measured) -> list[Row]:
    """Return all rows, those with a goal first."""
    return [
        cpu_row(measured),
        cpu_by_batch_size_row(
            "CPU", {size: _cpu_seconds(measured, OURS, size) for size in measured.instances[OURS][0].batches}
        ),
        ten_flows_row(measured),
        *cold_start_rows(measured),
        memory_row(measured),
        *rows_beside_all_peers(measured),
    ]


def cpu_row(measured: Measured) -> Row:
    """CPU per call, in the largest batch that the peers are given too."""
    ours, canonical = (_cpu_seconds(measured, name, MEMORY_BATCH) for name in (OURS, CANONICAL))
    return compared(_cpu_figure(MEMORY_BATCH), ours, canonical, CANONICAL, in_milliseconds, most=0.1)


def ten_flows_row(measured: Measured) -> Row:
    """Ten messages for ten flows, beside one round trip to the API."""
    round_trip = median(measured.round_trips_seconds)
    return compared(_TEN_FLOWS, _ten_flows(measured, OURS), round_trip, "one round trip", in_seconds, most=1.3)


def cold_start_rows(measured: Measured) -> list[Row]:
    """Init as the emulator reports it, and until the relay has made its clients too: its first invocation does."""
    return [
        _cold_start_row(measured, "init", lambda start: start.init_seconds),
        _cold_start_row(measured, "init and a first batch, empty", lambda start: start.seconds),
    ]


def memory_row(measured: Measured) -> Row:
    """Peak memory, in the megabytes that Lambda counts in."""
    ours, canonical = (_of(measured, name, lambda instance: instance.peak_memory_bytes) for name in (OURS, CANONICAL))
    return Row(
        f"peak memory, batch of {MEMORY_BATCH:,} calls of 300 bytes",
        in_megabytes(ours),
        f"{in_megabytes(canonical)} {CANONICAL}",
        ours / canonical,
        f"under {in_megabytes(_MAX_MEMORY_BYTES)}",
        ours < _MAX_MEMORY_BYTES,
    )


def rows_beside_all_peers(measured: Measured) -> list[Row]:
    """The rows without a goal: CPU and time of every peer."""
    sizes = sorted(measured.instances[CANONICAL][0].batches)
    figures: list[tuple[str, Callable[[InstanceMeasurement], float], Callable[[float], str]]] = [
        *((_cpu_figure(size), _cpu_of(size), in_milliseconds) for size in sizes),
        (
            f"batch of {MEMORY_BATCH:,}, no API latency",
            lambda instance: instance.batches[MEMORY_BATCH].seconds,
            in_seconds,
        ),
        (_TEN_FLOWS, lambda instance: instance.ten_flows_seconds, in_seconds),
    ]
    return [
        compared(figure, _of(measured, OURS, of), _of(measured, peer, of), peer, spelled)
        for figure, of, spelled in figures
        for peer in PEERS
    ]


def _cold_start_row(measured: Measured, figure: str, of: Callable[[ColdStart], float]) -> Row:
    ours, floor = (median(map(of, measured.cold_starts[name])) for name in (OURS, FLOOR))
    return compared(figure, ours, floor, FLOOR, in_seconds, most=1.25)


def _of(measured: Measured, name: str, figure: Callable[[InstanceMeasurement], float]) -> float:
    return median(map(figure, measured.instances[name]))


def _cpu_figure(size: int) -> str:
    return f"CPU per call, batch of {size:,}"


def _cpu_of(size: int) -> Callable[[InstanceMeasurement], float]:
    return lambda instance: instance.batches[size].cpu_seconds_per_call


def _cpu_seconds(measured: Measured, name: str, size: int) -> float:
    return _of(measured, name, _cpu_of(size))


def _ten_flows(measured: Measured, name: str) -> float:
    return _of(measured, name, lambda instance: instance.ten_flows_seconds)
