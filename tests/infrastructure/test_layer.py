"""The layer as `sam build` makes it for AWS, and the locks of the layer and of the environments."""

import importlib.util
import marshal
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.locks import LOCKS
from local.stack.fingerprints import LAYER
from local.stack.paths import ENVIRONMENTS, REPOSITORY
from tests.infrastructure.cloudformation import read_template

ELF_MACHINES = {"arm64": 183, "x86_64": 62}
UNCHECKED_HASH = b"\x01\x00\x00\x00"  # PEP 552
# These markers name the interpreter only. They are the same on each machine that runs CPython.
HARMLESS_MARKERS = {
    "platform_python_implementation != 'PyPy'",
    "implementation_name != 'PyPy' and platform_python_implementation != 'PyPy'",
}


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer")
    _build(folder, f"LAYER_COMPILER={sys.executable}")  # not every machine has Lambda's
    return folder / "python"


def test_libraries_are_built_for_lambdas_processor_and_python(layer: Path) -> None:
    libraries = list(layer.rglob("*.so"))
    assert libraries
    for library in libraries:
        assert machine_of(library) == ELF_MACHINES["arm64"]
        assert ".cpython-313-" in library.name or ".abi3." in library.name


def test_layer_for_x86_64_has_libraries_of_x86_64_only(tmp_path: Path) -> None:
    _build(tmp_path, "LAYER_COMPILER=no-such-python", "LAYER_ARCHITECTURE=x86_64")
    libraries = list(tmp_path.rglob("*.so"))
    assert libraries
    assert {machine_of(library) for library in libraries} == {ELF_MACHINES["x86_64"]}


def machine_of(library: Path) -> int:
    """The processor in an ELF file's header."""
    return int.from_bytes(library.read_bytes()[18:20], "little")


def test_layer_has_exactly_the_locked_packages(layer: Path) -> None:
    shipped = {_normal(folder.name.split("-")[0]) for folder in layer.glob("*.dist-info")}
    locked = {_normal(name) for name, _ in _pins(REPOSITORY / LOCKS["runtime"])}
    assert shipped == locked


def test_each_source_has_bytecode_that_is_never_checked_against_it(layer: Path) -> None:
    sources = [path for path in layer.rglob("*.py") if "__pycache__" not in path.parts]
    assert sources
    for source in sources:
        compiled = (source.parent / f"__pycache__/{source.stem}.{sys.implementation.cache_tag}.pyc").read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert compiled[4:8] == UNCHECKED_HASH


def test_bytecode_names_only_folders_of_lambda(layer: Path) -> None:
    bytecode = list(layer.rglob("*.pyc"))
    assert bytecode
    for compiled in bytecode:
        code = marshal.loads(compiled.read_bytes()[16:])  # noqa: S302 - our own
        assert code.co_filename.startswith("/opt/python/")


def test_compiler_of_the_layer_is_the_python_of_the_function() -> None:
    runtime = read_template()["Resources"]["RelayFunction"]["Properties"]["Runtime"]
    assert f"\nLAYER_COMPILER ?= {runtime}\n" in (LAYER / "Makefile").read_text()


def test_layer_is_built_without_bytecode_if_lambdas_python_is_absent(tmp_path: Path) -> None:
    built = _build(tmp_path, "LAYER_COMPILER=no-such-python")
    assert "goes without bytecode" in built
    assert not list(tmp_path.rglob("*.pyc"))
    assert (tmp_path / "python/cryptography").is_dir()


def test_no_marker_in_the_lock_depends_on_the_building_machine() -> None:
    markers = set(re.findall(r"^\S+==\S+ ; (.+) \\$", (REPOSITORY / LOCKS["runtime"]).read_text(), re.MULTILINE))
    assert markers <= HARMLESS_MARKERS


def test_tests_run_with_the_versions_in_the_layer() -> None:
    assert set(_pins(REPOSITORY / LOCKS["runtime"])) <= set(_pins(REPOSITORY / LOCKS["dev"]))


@pytest.mark.parametrize("lock", LOCKS.values())
def test_each_requirement_is_pinned_and_hashed(lock: str) -> None:
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ +#.*\n?", "", (REPOSITORY / lock).read_text(), flags=re.MULTILINE))
    for requirement in requirements:
        assert re.match(r"\S+==\S+ ", requirement)
        assert "--hash=sha256:" in requirement


def _build(folder: Path, *variables: str) -> str:
    """Build the layer into `folder`; what the build prints."""
    settings = [f"ARTIFACTS_DIR={folder}", f"LAYER_PYTHON={ENVIRONMENTS / 'uv/bin/python'}", *variables]
    make = ["make", "--silent", "-C", str(LAYER), "build-Dependencies", *settings]
    return subprocess.run(make, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own


def _pins(lock: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(\S+)==(\S+)", lock.read_text(), re.MULTILINE)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
