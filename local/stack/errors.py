"""What can go wrong with the local stack, in words for the person at the terminal."""


class StackError(Exception):
    """The local stack could not be brought up; the text says why and names the log to read."""
