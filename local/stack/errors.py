"""The error of the local stack, with a text for the person at the terminal."""


class StackError(Exception):
    """The local stack cannot be brought up or used. The text says why, and names the log to read."""
