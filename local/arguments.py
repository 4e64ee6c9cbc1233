"""Command lines whose faults are told in one sentence, by the names of `make`'s variables."""

import argparse
import re
import sys
from collections.abc import Callable
from typing import NoReturn


class CommandLine(argparse.ArgumentParser):
    """A parser that prints no usage text: people call these commands by `make`."""

    def error(self, message: str) -> NoReturn:
        """End the program with one sentence, and exit status 1."""
        sys.exit(re.sub("^argument --([a-z-]+)", lambda option: option[1].upper().replace("-", "_"), message))


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a type of argument: a whole number from `minimum` to `maximum`."""

    def read(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or not minimum <= int(text) <= maximum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {minimum} to {maximum}")
        return int(text)

    return read
