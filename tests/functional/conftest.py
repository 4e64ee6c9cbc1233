"""With SEALED_RELAY_TABLE=dynamodb-local every scene's table is on AWS's own DynamoDB; the rest stays in memory."""

import os
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support import scene
from tests.support.dynamodb_local import InspectedTable


@pytest.fixture(scope="session", autouse=True)
def table_of_scenes(request: pytest.FixtureRequest) -> Iterator[None]:
    match os.environ.get("SEALED_RELAY_TABLE", "in-memory"):
        case "in-memory":
            yield
        case "dynamodb-local":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(scene, "new_table", partial(InspectedTable, request.getfixturevalue("dynamodb_local")))
                yield
        case other:
            raise ValueError(f"SEALED_RELAY_TABLE is in-memory or dynamodb-local, not {other}")
