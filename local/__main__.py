"""`python -m local COMMAND ...`: runs the module `local.COMMAND`, one of those that `make` offers."""

import runpy
import sys

from local.orderly_end import orderly_end


def main() -> None:
    """Run the command with the arguments that follow its name."""
    with orderly_end():
        # The module is imported only here, because its imports take a second in which Ctrl-C must work, too.
        runpy.run_module(f"local.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
