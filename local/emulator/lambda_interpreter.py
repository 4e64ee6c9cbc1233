"""The Python command and its environment as on Lambda: only the function, its layers and AWS's runtime client."""

import os
import sys
from importlib.metadata import distribution
from pathlib import Path

from local.emulator.fetch_function import DeployedFunction

# -S excludes the site-packages of this environment. They hold the same wheels that the layer must provide.
COMMAND = (sys.executable, "-S")
_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


def interpreter_environment(function: DeployedFunction, folder: Path) -> dict[str, str]:
    """Return the environment in which `COMMAND` runs the function. Link the runtime client into `folder`."""
    runtime = folder / "runtime"
    _link_runtime_client(runtime)
    search_path = [function.task_root, function.layers / "python", runtime]
    return {
        **function.environment,
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, search_path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }


def _link_runtime_client(runtime: Path) -> None:
    runtime.mkdir()
    for name in _RUNTIME_CLIENT:
        installed = distribution(name)
        for entry in {file.parts[0] for file in installed.files or ()}:
            (runtime / entry).symlink_to(str(installed.locate_file(entry)))
