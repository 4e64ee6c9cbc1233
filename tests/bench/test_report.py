import platform
from datetime import UTC, datetime

from tests.bench.report import report
from tests.bench.table import Row, markdown


def test_file_names_time_commit_and_machine() -> None:
    rows = [Row("CPU per call", "0.20 ms")]
    head, facts, table = report(rows, 3, datetime(2026, 11, 23, tzinfo=UTC), "abc1234").split("\n\n")
    assert head == "# Figures of `make bench`"
    assert facts.startswith("2026-11-23, commit abc1234; ")
    assert facts.endswith(f", CPython {platform.python_version()}; medians of 3 interleaved rounds.")
    assert table == markdown(rows)


def test_file_names_no_host() -> None:
    text = report([], 3, datetime(2026, 11, 23, tzinfo=UTC), "abc1234")
    assert platform.node() not in text
