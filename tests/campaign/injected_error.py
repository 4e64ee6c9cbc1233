"""The error that injected faults raise."""


class InjectedError(Exception):
    """A port failed because the campaign injected a fault."""
