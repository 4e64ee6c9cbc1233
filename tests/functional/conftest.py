"""With SEALED_RELAY_TABLE=dynamodb-local every scene's table is on AWS's own DynamoDB; the rest stays in memory.

Each test then also checks that the template's pipe makes one event of each final outcome that the test wrote.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.support import scene
from tests.support.outcome_events import StreamedTable, check_events

MAX_CHECKED_TABLES = 10


@pytest.fixture(scope="session")
def make_table(request: pytest.FixtureRequest) -> Callable[[], StreamedTable] | None:
    match os.environ.get("SEALED_RELAY_TABLE", "in-memory"):
        case "in-memory":
            return None
        case "dynamodb-local":
            make: Callable[[], StreamedTable] = request.getfixturevalue("streamed_table")
            return make
        case other:
            raise ValueError(f"SEALED_RELAY_TABLE is in-memory or dynamodb-local, not {other}")


@pytest.fixture(autouse=True)
def table_of_scenes(make_table: Callable[[], StreamedTable] | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    tables: list[StreamedTable] = []
    if make_table is not None:

        def made() -> StreamedTable:
            tables.append(make_table())
            return tables[-1]

        monkeypatch.setattr(scene, "new_table", made)
    yield
    # Tests of crashes make hundreds of tables, and each check takes a tenth of a second.
    for table in tables[:: max(1, len(tables) // MAX_CHECKED_TABLES)]:
        check_events(table)
