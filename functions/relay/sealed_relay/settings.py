"""The function's environment variables, checked once at its start."""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

# host.docker.internal is this machine, seen from a container: for `sam local invoke`.
_HTTPS_OR_THIS_MACHINE = (
    r"^(https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost|\[::1\]|host\.docker\.internal)(:[0-9]+)?)(/[^\s?#]*)?\Z"
)
_BULK_HOST = re.compile(r"https://central-api\.phonon\.io\.?(?=[:/]|\Z)", re.IGNORECASE)
_Text = Annotated[str, Meta(min_length=1)]


class InvalidSettingsError(Exception):
    """An environment variable is missing or wrong. Its text names it, what was wrong and what is allowed."""


class Settings(Struct, frozen=True, rename=str.upper):
    """Each field is the environment variable of that name in capitals."""

    ingress_queue_url: _Text
    urgent_queue_url: _Text
    urgent_queue_arn: _Text
    failure_queue_url: _Text
    outcomes_table_name: _Text
    flow_secret_prefix: _Text
    content_hash_key_secret_id: _Text
    gateway_base_url: Annotated[str, Meta(pattern=_HTTPS_OR_THIS_MACHINE)]
    max_calls_per_request: Annotated[int, Meta(ge=1, le=500)]
    max_body_bytes: Annotated[int, Meta(ge=4096, le=262_144)]
    requests_per_minute: Annotated[int, Meta(ge=1, le=60_000)]
    urgent_reserved_requests_per_minute: Annotated[int, Meta(ge=0)]
    give_up_after_hours: Annotated[int, Meta(ge=1, le=96)]
    """With at most 96 hours, no waiting message is received as often as the ingress queue allows."""
    outcome_retention_days: Annotated[int, Meta(ge=15)]
    """SQS keeps a message for up to 14 days. No message may outlive the record that stops a second delivery."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in a mapping such as `os.environ`. Raises InvalidSettingsError."""
    names = {field.encode_name for field in msgspec.structs.fields(Settings)}
    ours = {name: value for name, value in environment.items() if name in names}
    try:
        settings = msgspec.convert(ours, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettingsError(f"The function's environment is not as the template sets it: {error}.") from error
    if _BULK_HOST.match(settings.gateway_base_url):
        raise InvalidSettingsError(
            "GATEWAY_BASE_URL names central-api.phonon.io, the API's bulk host. "
            "Its codes mean something else, so the relay cannot use it. Use central.phonon.io."
        )
    if settings.urgent_reserved_requests_per_minute >= settings.requests_per_minute:
        raise InvalidSettingsError(
            f"URGENT_RESERVED_REQUESTS_PER_MINUTE is {settings.urgent_reserved_requests_per_minute}. It must be less "
            f"than REQUESTS_PER_MINUTE, which is {settings.requests_per_minute}: no other call could leave."
        )
    return settings
