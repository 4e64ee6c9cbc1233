from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator.emulator import Emulator, run_emulator
from local.emulator.fetch_function import DeployedFunction, fetch_function
from local.stack.stack_files import Stack


@pytest.fixture(scope="session")
def artifact_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifact")


@pytest.fixture(scope="session")
def artifact(stack: Stack, artifact_folder: Path) -> DeployedFunction:
    """What `sam build` made and `sam deploy` uploaded, as the local Lambda service gives it back."""
    return fetch_function(stack.aws(), stack.outputs["RelayFunctionName"], artifact_folder)


@pytest.fixture(scope="session")
def emulator(artifact: DeployedFunction, artifact_folder: Path) -> Iterator[Emulator]:
    with run_emulator(artifact, artifact_folder) as emulator:
        yield emulator
