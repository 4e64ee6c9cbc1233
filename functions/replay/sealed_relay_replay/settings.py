"""The function's environment variables, checked once at its start."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_Text = Annotated[str, Meta(min_length=1)]


class InvalidSettingsError(Exception):
    """An environment variable is missing or empty. Its text names it."""


class Settings(Struct, frozen=True, rename=str.upper):
    """Each field is the environment variable of that name in capitals."""

    ingress_queue_url: _Text
    failure_queue_url: _Text
    outcomes_table_name: _Text


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in a mapping such as `os.environ`. Raises InvalidSettingsError."""
    try:
        return msgspec.convert(dict(environment), Settings)
    except msgspec.ValidationError as error:
        raise InvalidSettingsError(f"The function's environment is not as the template sets it: {error}.") from error
