"""The layer as `sam build` makes it for AWS, and the locks that it and the environments are made of."""

import re
import subprocess
from pathlib import Path

import pytest

from local.locks import LOCKS
from local.stack.home import ENVIRONMENTS, REPOSITORY
from local.stack.sources import LAYER

ELF_MACHINE_AARCH64 = 183
# These name the interpreter, not its version, system or processor: the same everywhere that CPython is.
HARMLESS_MARKERS = {
    "platform_python_implementation != 'PyPy'",
    "implementation_name != 'PyPy' and platform_python_implementation != 'PyPy'",
}


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer")
    settings = [f"ARTIFACTS_DIR={folder}", f"LAYER_PYTHON={ENVIRONMENTS / 'uv/bin/python'}"]
    make = ["make", "--silent", "-C", str(LAYER), "build-Dependencies", *settings]
    subprocess.run(make, check=True)  # noqa: S603 - our own
    return folder / "python"


def test_the_layer_is_built_for_lambdas_processor_and_python_on_any_machine(layer: Path) -> None:
    libraries = list(layer.rglob("*.so"))
    assert libraries
    for library in libraries:
        assert int.from_bytes(library.read_bytes()[18:20], "little") == ELF_MACHINE_AARCH64
        assert ".cpython-313-" in library.name or ".abi3." in library.name


def test_the_layer_holds_all_that_is_locked_and_nothing_else(layer: Path) -> None:
    shipped = {_normal(folder.name.split("-")[0]) for folder in layer.glob("*.dist-info")}
    locked = {_normal(name) for name, _ in _pins(REPOSITORY / LOCKS["runtime"])}
    assert shipped == locked


def test_no_marker_of_the_layers_lock_depends_on_the_machine_that_builds_it() -> None:
    markers = set(re.findall(r"^\S+==\S+ ; (.+) \\$", (REPOSITORY / LOCKS["runtime"]).read_text(), re.MULTILINE))
    assert markers <= HARMLESS_MARKERS


def test_the_tests_run_with_the_versions_that_the_layer_ships() -> None:
    assert set(_pins(REPOSITORY / LOCKS["runtime"])) <= set(_pins(REPOSITORY / LOCKS["dev"]))


@pytest.mark.parametrize("lock", LOCKS.values())
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ +#.*\n?", "", (REPOSITORY / lock).read_text(), flags=re.MULTILINE))
    for requirement in requirements:
        assert re.match(r"\S+==\S+ ", requirement)
        assert "--hash=sha256:" in requirement


def _pins(lock: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(\S+)==(\S+)", lock.read_text(), re.MULTILINE)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
