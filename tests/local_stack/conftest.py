"""One local stack for the whole run, apart from the one of `make up`."""

from collections.abc import Iterator

import pytest

from local.stack.home import Home
from local.stack.lifecycle import bring_up, take_down
from local.stack.records import Stack


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("local-stack"))


@pytest.fixture(scope="session")
def stack(home: Home) -> Iterator[Stack]:
    try:
        yield bring_up(home, None, say=lambda _: None)
    finally:
        take_down(home)
