"""`python -m tests.bench [--rounds N]`: measures the relay and its alternatives, in one table.

Exit status 0 if it could measure, whatever it measured.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from local.stack.errors import StackError
from local.stack.lifecycle import bring_up, take_down
from local.stack.paths import REPOSITORY, StackFolder
from tests.bench.in_process_rows import in_process_rows
from tests.bench.report import FIGURES, commit, report
from tests.bench.rounds import Measured, measure
from tests.bench.whole_invocations import whole_invocation_rows

# Apart from that of `make up`, which may be up; its logs are kept for a look after a failed bench.
_HOME = StackFolder(REPOSITORY / ".local/bench")


def main() -> None:
    """Read the command line and run the bench."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="The relay's figures beside its peers'.")
    parser.add_argument("--rounds", type=int, default=4, help="how often to measure each subject")
    rounds: int = parser.parse_args().rounds
    console = Console(highlight=False, soft_wrap=True)
    try:
        measured = _measured(console, rounds)
    except StackError as error:
        sys.exit(f"{error}")
    rows = [*in_process_rows(console.print), *whole_invocation_rows(measured)]
    text = report(rows, rounds, datetime.now(UTC), commit())
    FIGURES.write_text(text)
    console.print()
    console.out(text, highlight=False)
    console.print(f"written to {FIGURES.relative_to(REPOSITORY)}")


def _measured(console: Console, rounds: int) -> Measured:
    try:
        stack = bring_up(_HOME, None, console.print)
        with TemporaryDirectory() as folder:
            return measure(stack, Path(folder), rounds, console.print)
    finally:
        take_down(_HOME)


if __name__ == "__main__":
    main()
