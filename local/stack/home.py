"""Where the local stack keeps its files: one folder, `.local` for `make up`, another for a test."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = REPOSITORY / ".venvs"
# What `sam build` makes for this machine. It depends on the sources only, so every local stack uses it, and it is kept.
BUILD = REPOSITORY / ".local/build/sam"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one local stack."""

    folder: Path

    @property
    def stack_file(self) -> Path:
        """What other programs read to use the stack."""
        return self.folder / "stack.json"

    @property
    def running_file(self) -> Path:
        """What `down` reads to stop it."""
        return self.folder / "running.json"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.folder / "logs"

    @property
    def scratch(self) -> Path:
        """Temporary files of the processes, removed by `down`."""
        return self.folder / "scratch"


MAKE_UP_HOME = Home(REPOSITORY / ".local")
