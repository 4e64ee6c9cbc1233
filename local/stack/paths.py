"""The paths of the local stack's files, all in one folder: `.local` for `make up`, another folder for tests."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = REPOSITORY / ".venvs"
FUNCTIONS = REPOSITORY / "functions"
# The output of `sam build` for this machine. It depends only on the sources, so all local stacks share it.
BUILD = REPOSITORY / ".local/build/sam"


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The folder of one local stack."""

    path: Path

    @property
    def stack_file(self) -> Path:
        """The file that other programs read to use the stack."""
        return self.path / "stack.json"

    @property
    def shell_file(self) -> Path:
        """The same for a shell: `. .local/stack.env` sets variables."""
        return self.path / "stack.env"

    @property
    def lock_file(self) -> Path:
        """The file that a command locks while it changes or uses the stack."""
        return self.path / "lock"

    @property
    def running_file(self) -> Path:
        """The file that `down` reads to stop the stack."""
        return self.path / "running.json"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.path / "logs"

    @property
    def scratch(self) -> Path:
        """Temporary files of the processes. `down` removes them."""
        return self.path / "scratch"


MAKE_UP_FOLDER = StackFolder(REPOSITORY / ".local")
