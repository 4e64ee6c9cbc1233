"""The layer as `sam build` makes it for AWS, and the locks that it and the environments are made of."""

import importlib.util
import marshal
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.locks import LOCKS
from local.stack.home import ENVIRONMENTS, REPOSITORY
from local.stack.sources import LAYER
from tests.infrastructure.cloudformation import read_template

ELF_MACHINE_AARCH64 = 183
UNCHECKED_HASH = b"\x01\x00\x00\x00"  # PEP 552
# These name the interpreter, not its version, system or processor: the same everywhere that CPython is.
HARMLESS_MARKERS = {
    "platform_python_implementation != 'PyPy'",
    "implementation_name != 'PyPy' and platform_python_implementation != 'PyPy'",
}


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer")
    _build(folder, f"LAYER_COMPILER={sys.executable}")  # in place of Lambda's, which not every machine has
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


def test_the_layers_bytecode_serves_wherever_and_whenever_it_is_unpacked(layer: Path) -> None:
    sources = [path for path in layer.rglob("*.py") if "__pycache__" not in path.parts]
    assert sources
    for source in sources:
        compiled = (source.parent / f"__pycache__/{source.stem}.{sys.implementation.cache_tag}.pyc").read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert compiled[4:8] == UNCHECKED_HASH


def test_the_layers_bytecode_names_no_folder_of_the_machine_that_built_it(layer: Path) -> None:
    bytecode = list(layer.rglob("*.pyc"))
    assert bytecode
    for compiled in bytecode:
        code = marshal.loads(compiled.read_bytes()[16:])  # noqa: S302 - our own
        assert code.co_filename.startswith("/opt/python/")


def test_the_layers_compiler_is_the_functions_python() -> None:
    runtime = read_template()["Resources"]["RelayFunction"]["Properties"]["Runtime"]
    assert f"\nLAYER_COMPILER ?= {runtime}\n" in (LAYER / "Makefile").read_text()


def test_a_machine_without_lambdas_python_builds_the_layer_too(tmp_path: Path) -> None:
    built = _build(tmp_path, "LAYER_COMPILER=no-such-python")
    assert "goes without bytecode" in built
    assert not list(tmp_path.rglob("*.pyc"))
    assert (tmp_path / "python/cryptography").is_dir()


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


def _build(folder: Path, compiler: str) -> str:
    """What it prints."""
    settings = [f"ARTIFACTS_DIR={folder}", f"LAYER_PYTHON={ENVIRONMENTS / 'uv/bin/python'}", compiler]
    make = ["make", "--silent", "-C", str(LAYER), "build-Dependencies", *settings]
    return subprocess.run(make, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own


def _pins(lock: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(\S+)==(\S+)", lock.read_text(), re.MULTILINE)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
