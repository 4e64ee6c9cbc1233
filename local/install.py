"""`python -m local.install NAME`: installs the environment `.venvs/NAME` from its lock, `local/requirements/NAME.txt`.

The Makefile calls it. It runs before anything is installed, so it needs only the standard library. The environment `uv`
comes first: pip installs it, and `uv` installs the others.
"""

import importlib
import subprocess
import sys
from pathlib import Path

from local.lock import locked
from local.orderly_end import orderly_end
from local.stack.errors import StackError

_REPOSITORY = Path(__file__).resolve().parents[1]
_ENVIRONMENTS = _REPOSITORY / ".venvs"
_UV = "uv"
# `uv` is the first of those that each command needs: its line stands for all of them.
_LINES = {
    _UV: "installing into .venvs, once: about 500 MB, in half a minute. "
    "pip and uv also keep the packages in their caches, outside the checkout",
    "checkov": "installing checkov into .venvs, once: about 170 MB",
    "dashboard": "installing the dashboard's chart library into .venvs, once: about 50 MB",
}


def main() -> None:
    """Install one environment, unless another command has installed it meanwhile."""
    name = sys.argv[1]
    with orderly_end(), locked(_ENVIRONMENTS / "lock", "make", wait=True):
        lock, done = _REPOSITORY / f"local/requirements/{name}.txt", _ENVIRONMENTS / name / ".installed"
        if done.exists():
            if done.stat().st_mtime >= lock.stat().st_mtime:
                return
            print(f"updating .venvs/{name}: its lock has changed", flush=True)
        elif name in _LINES:
            print(_LINES[name], flush=True)
        if name == _UV:
            _install_uv(lock)
        else:
            _install(name, lock)
        done.touch()


def check_python() -> None:
    """Raise StackError if this Python cannot make an environment. Debian and Ubuntu have these modules in a package."""
    try:
        for module in ("venv", "ensurepip"):
            importlib.import_module(module)
    except ImportError as error:
        raise StackError(
            f"{sys.executable} cannot make environments, because it has no module `{error.name}`: on Debian and Ubuntu "
            "run `apt-get install python3-venv`, elsewhere choose another Python with `make PYTHON=...`"
        ) from error


def _install_uv(lock: Path) -> None:
    check_python()
    environment = _ENVIRONMENTS / _UV
    _run(sys.executable, "-m", "venv", environment)
    pip = (environment / "bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "install", "--require-hashes", "-r", lock)


def _install(name: str, lock: Path) -> None:
    uv, python = _ENVIRONMENTS / _UV / "bin/uv", _ENVIRONMENTS / name / "bin/python"
    if not python.exists():
        _run(uv, "venv", "--quiet", "--python", _ENVIRONMENTS / _UV / "bin/python", _ENVIRONMENTS / name)
    _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock)


def _run(*command: str | Path) -> None:
    finished = subprocess.run(command, check=False)
    if finished.returncode != 0:
        raise StackError(f"the installation into .venvs failed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main()
