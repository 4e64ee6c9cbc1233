from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator.deployed import DeployedFunction, deployed_function
from local.emulator.emulator import Emulator, emulating
from local.stack.records import Stack


@pytest.fixture(scope="session")
def artifact_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifact")


@pytest.fixture(scope="session")
def artifact(stack: Stack, artifact_folder: Path) -> DeployedFunction:
    """What `sam build` made and `sam deploy` uploaded, as the local Lambda service gives it back."""
    return deployed_function(stack.aws(), stack.outputs["RelayFunctionName"], artifact_folder)


@pytest.fixture(scope="session")
def emulator(artifact: DeployedFunction, artifact_folder: Path) -> Iterator[Emulator]:
    with emulating(artifact, artifact_folder) as emulator:
        yield emulator
